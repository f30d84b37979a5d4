//! What was typed into a form, and what it means: what is wrong by its field, in words for people, or
//! a submission in which nothing is wrong.

use std::collections::BTreeMap;

use sayso_core::address::email::Email;
use sayso_core::address::phone::{Phone, PhoneBook, PhoneFault, Region};
use sayso_core::address::{Address, AddressKind};
use sayso_core::limits;
use sayso_core::words::channel::Channel;
use sayso_core::words::source::EvidenceText;
use sayso_core::workspace::{Asks, FormBox, Need};
use sayso_pages::form::FieldFault;
use serde_json::{Value, json};

use super::visit::Visit;
use crate::app::App;
use crate::problem::{Code, FieldError};

/// Pairs of a body beyond which none is read: twice what a form sends.
const PAIRS_MAX: usize = 100;

/// What was typed, by the names of the fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed(BTreeMap<String, String>);

/// What was typed, judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// What is wrong with the boxes.
    pub(super) boxes: Option<FieldFault>,
    /// What is wrong with the fields, by their names.
    pub(super) fields: BTreeMap<String, FieldFault>,
    /// What was sent, if nothing is wrong.
    pub(super) submission: Option<Submission>,
}

/// A form in which nothing is wrong.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    /// The phone.
    pub(super) phone: Option<Phone>,
    /// The email address.
    pub(super) email: Option<Email>,
    /// Name and further answers, as attributes.
    pub(super) attributes: BTreeMap<EvidenceText, Option<Box<str>>>,
    /// What was ticked; not empty.
    pub(super) ticked: Vec<FormBox>,
}

impl Typed {
    /// Reads a body in form encoding; of a repeated name the first counts.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut typed = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body).take(PAIRS_MAX) {
            typed.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(typed)
    }

    /// What was typed into a field; empty if it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether a box was ticked.
    pub(super) fn is_ticked(&self, it: FormBox) -> bool {
        !self.get(&box_name(it)).is_empty()
    }

    /// The same with no box ticked.
    pub(super) fn without_ticks(&self) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !name.starts_with(BOX));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The addresses alone, as JSON, to be kept with what was wrong.
    pub(super) fn addresses(&self) -> Vec<u8> {
        let typed = ["phone", "country", "email"].map(|name| (name, self.get(name)));
        let typed = typed.into_iter().filter(|(_, value)| !value.is_empty());
        let typed: serde_json::Map<String, Value> =
            typed.map(|(name, value)| (name.to_owned(), json!(value))).collect();
        Value::Object(typed).to_string().into_bytes()
    }
}

const BOX: &str = "box-";

/// How a box is sent.
pub(super) fn box_name(it: FormBox) -> String {
    format!("{BOX}{}-{}", it.channel, it.scope).replace(':', "-")
}

/// How a field is sent.
pub(super) fn field_name(asks: &Asks) -> String {
    match asks {
        Asks::Phone(_) => "phone".into(),
        Asks::Email => "email".into(),
        Asks::Name => "name".into(),
        Asks::Text(name) => format!("own-{}", name.as_str()),
    }
}

/// The country in which a number is read: the one chosen, else the first of the field, else the
/// workspace's.
pub(super) fn country(visit: &Visit, countries: &[Region], typed: &Typed) -> Option<Region> {
    let chosen = Region::parse(typed.get("country")).ok();
    let chosen = chosen.filter(|chosen| countries.contains(chosen));
    let usual = countries.first().copied();
    chosen.or(usual).or(visit.workspace.settings.at(visit.received).region)
}

impl Judged {
    /// Judges what was typed.
    pub(super) fn of(app: &App, visit: &Visit, typed: &Typed) -> Self {
        let ticked: Vec<FormBox> =
            visit.boxes.iter().copied().filter(|it| typed.is_ticked(*it)).collect();
        let mut judged =
            Self { boxes: ticked.is_empty().then_some(FieldFault::NoBox), ..Self::default() };
        let (mut phone, mut email, mut attributes) = (None, None, BTreeMap::new());
        for field in &visit.published.form.fields {
            let name = field_name(&field.asks);
            let is_needed = |kind| ticked.iter().any(|it| AddressKind::on(it.channel) == kind);
            let (is_needed, read) = match &field.asks {
                Asks::Phone(countries) => {
                    let country = country(visit, countries, typed);
                    let read = read_phone(typed.get(&name), country, &ticked, app.phones());
                    (is_needed(AddressKind::Phone), read.map(|read| phone = read))
                }
                Asks::Email => {
                    let read = read_email(typed.get(&name));
                    (is_needed(AddressKind::Email), read.map(|read| email = read))
                }
                Asks::Name | Asks::Text(_) => {
                    let attribute = attribute_name(&field.asks);
                    let read = read_text(typed.get(&name));
                    let keep = read.map(|text| {
                        if let Some((name, text)) = attribute.zip(text) {
                            attributes.insert(name, Some(text));
                        }
                    });
                    (false, keep)
                }
            };
            let is_missing =
                typed.get(&name).trim().is_empty() && (is_needed || field.need == Need::Required);
            match read {
                Err(fault) => _ = judged.fields.insert(name, fault),
                Ok(()) if is_missing => _ = judged.fields.insert(name, FieldFault::Missing),
                Ok(()) => {}
            }
        }
        if judged.boxes.is_none() && judged.fields.is_empty() {
            judged.submission = Some(Submission { phone, email, attributes, ticked });
        }
        judged
    }

    /// What is wrong with the addresses, as the rejects keep it; what was left empty is no statement
    /// that was refused.
    pub(super) fn errors(&self) -> Vec<FieldError> {
        let error = |name: &str, fault: &FieldFault| {
            let (code, fault, example) = match fault {
                FieldFault::NoBox | FieldFault::Missing | FieldFault::TooLong(_) => return None,
                FieldFault::Phone(example) => (Code::InvalidPhone, "is no phone number", example),
                FieldFault::PhoneTooShort(example) => {
                    (Code::InvalidPhone, "has too few digits", example)
                }
                FieldFault::PhoneTooLong(example) => {
                    (Code::InvalidPhone, "has too many digits", example)
                }
                FieldFault::PhoneCountry(example) => {
                    (Code::InvalidPhone, "is of no country that is known", example)
                }
                FieldFault::PhoneNotInUse(example) => {
                    (Code::InvalidPhone, "is not in use", example)
                }
                FieldFault::PhoneNotMobile(example) => {
                    (Code::InvalidPhone, "is a landline or a service number", example)
                }
                FieldFault::Email => {
                    let example = "ada@example.org".to_owned();
                    return Some(FieldError {
                        pointer: format!("/{name}"),
                        code: Code::InvalidEmail,
                        fault: "is no email address".into(),
                        example: Some(example),
                    });
                }
            };
            let example = Some(example.clone());
            Some(FieldError { pointer: format!("/{name}"), code, fault: fault.into(), example })
        };
        self.fields.iter().filter_map(|(name, fault)| error(name, fault)).collect()
    }
}

impl Submission {
    /// The addresses, the phone first.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let phone = self.phone.map(Address::Phone);
        phone.into_iter().chain(self.email.clone().map(Address::Email)).collect()
    }

    /// The address that a channel reaches.
    pub(super) fn address_on(&self, channel: Channel) -> Option<Address> {
        match AddressKind::on(channel) {
            AddressKind::Phone => self.phone.map(Address::Phone),
            AddressKind::Email => self.email.clone().map(Address::Email),
            AddressKind::ChannelId | AddressKind::ExternalId => None,
        }
    }
}

/// Reads a phone number, of a mobile phone where one is ticked that needs it; nothing if it is empty.
fn read_phone(
    text: &str,
    country: Option<Region>,
    ticked: &[FormBox],
    book: &PhoneBook,
) -> Result<Option<Phone>, FieldFault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let needs_mobile = ticked.iter().any(|it| it.channel.needs_mobile());
    let fits = |phone: Phone| !needs_mobile || phone.may_be_mobile(book);
    let phone = Phone::parse_fitting(text, country, book, fits).map_err(|fault| {
        let example = fault.example(country, book).to_string();
        match fault {
            PhoneFault::Empty
            | PhoneFault::TextTooLong
            | PhoneFault::NoDigits
            | PhoneFault::Letters
            | PhoneFault::Symbol
            | PhoneFault::Spoilt
            | PhoneFault::Extension => FieldFault::Phone(example),
            PhoneFault::NeedsRegion | PhoneFault::Unplaced | PhoneFault::UnknownCallingCode => {
                FieldFault::PhoneCountry(example)
            }
            PhoneFault::TooShort | PhoneFault::NotPossible => FieldFault::PhoneTooShort(example),
            PhoneFault::TooLong => FieldFault::PhoneTooLong(example),
            PhoneFault::NotValid { .. } => FieldFault::PhoneNotInUse(example),
        }
    })?;
    if !fits(phone) {
        let example = example_in(country, book);
        return Err(FieldFault::PhoneNotMobile(example));
    }
    Ok(Some(phone))
}

/// A number that would be right in a country.
pub(super) fn example_in(country: Option<Region>, book: &PhoneBook) -> String {
    PhoneFault::Empty.example(country, book).to_string()
}

fn read_email(text: &str) -> Result<Option<Email>, FieldFault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    Email::parse(text).map(Some).map_err(|_| FieldFault::Email)
}

/// An answer as the value of an attribute; nothing if it is empty.
fn read_text(text: &str) -> Result<Option<Box<str>>, FieldFault> {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let plain = plain.trim();
    if plain.is_empty() {
        return Ok(None);
    }
    let value = json!(plain).to_string();
    let fits = plain.chars().count() <= limits::FORM_VALUE_CHARS_MAX
        && value.len() <= limits::ATTRIBUTE_BYTES_MAX;
    if fits {
        Ok(Some(value.into()))
    } else {
        Err(FieldFault::TooLong(limits::FORM_VALUE_CHARS_MAX))
    }
}

fn attribute_name(asks: &Asks) -> Option<EvidenceText> {
    match asks {
        Asks::Name => EvidenceText::parse("name").ok(),
        Asks::Text(name) => EvidenceText::parse(name.as_str()).ok(),
        Asks::Phone(_) | Asks::Email => None,
    }
}
