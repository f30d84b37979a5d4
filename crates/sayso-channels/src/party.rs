//! The people that a provider names: by a phone, by an id on the channel, or by several names at once.
//!
//! All names that one part of a call gives one person are one account (rule 13). A name that no
//! numbering plan knows is kept as the provider wrote it, so that no refusal is lost with it.
//! Absent on purpose: usernames and display names. They change, and others get them.

use sayso_core::address::phone::{Phone, PhoneBook, Region};
use sayso_core::address::{Address, OpaqueId};
use sayso_core::limits::HOOK_WORD_BYTES_MAX;
use sayso_core::state::account::{is_digits, is_number};

use crate::failure::cut;

/// How the numbers in a call are read.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    /// The numbering plans.
    pub book: &'a PhoneBook,
    /// Where national numbers belong; absent where the workspace does not say.
    pub region: Option<Region>,
    /// Where they belong if neither the workspace nor our number in the call says.
    pub home: Option<Region>,
}

/// A person as a provider names them: by one address or several, which then are one account
/// (rule 13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Phones first, then the ids on the channel; at least one, each once.
    addresses: Vec<Address>,
    name: Option<String>,
}

impl<'a> Numbers<'a> {
    /// Numbers that all have their country code.
    pub const fn international(book: &'a PhoneBook) -> Self {
        Self { book, region: None, home: None }
    }

    /// Where a national number belongs that was sent to this number of ours.
    fn region_near(&self, ours: Option<&str>) -> Option<Region> {
        let of = |ours: &str| Phone::parse(ours, None, self.book).ok()?.region(self.book);
        self.region.or_else(|| of(ours?)).or(self.home)
    }
}

impl Party {
    /// Whoever has this number, which was written to `ours`; `None` if it cannot be read. It need only be
    /// possible: a provider delivered from it, and refusals are accepted in doubt (rule 1).
    pub fn of_number(text: &str, ours: Option<&str>, numbers: &Numbers<'_>) -> Option<Self> {
        let region = numbers.region_near(ours);
        // Bare digits that no plan gives out are still those that a message was delivered from.
        let bare = text.trim();
        let is_bare = bare.bytes().all(|byte| byte.is_ascii_digit());
        let with_plus = || Phone::parse_possible(&format!("+{bare}"), None, numbers.book).ok();
        let delivered = || with_plus().filter(|_| is_bare);
        let phone = Phone::parse_possible(text, region, numbers.book).ok().or_else(delivered)?;
        Some(Self { addresses: vec![Address::Phone(phone)], name: None })
    }

    /// Somebody on WhatsApp, by their numbers and their ids there, each in any order and either in the
    /// place of the other; `None` for nobody.
    pub(crate) fn on_whatsapp<'t>(
        numbers: impl IntoIterator<Item = &'t str>,
        ids: impl IntoIterator<Item = &'t str>,
        book: &PhoneBook,
    ) -> Option<Self> {
        let of_number = |text| number_on_whatsapp(text, book).or_else(|| user_id(text));
        let of_id = |text| {
            let id = || OpaqueId::parse(text).ok().map(Address::ChannelId);
            user_id(text).or_else(|| number_on_whatsapp(text, book)).or_else(id)
        };
        let named = numbers.into_iter().filter_map(of_number);
        Self::of(named.chain(ids.into_iter().filter_map(of_id)))
    }

    /// Whoever has all these addresses; `None` if there are none.
    pub fn of(named: impl IntoIterator<Item = Address>) -> Option<Self> {
        let mut addresses: Vec<Address> = named.into_iter().collect();
        // By kind, a phone first; in the order of their naming otherwise.
        addresses.sort_by_key(Address::kind);
        let mut each = Vec::with_capacity(addresses.len());
        for address in addresses {
            if !each.contains(&address) {
                each.push(address);
            }
        }
        (!each.is_empty()).then_some(Self { addresses: each, name: None })
    }

    pub(crate) fn named(self, name: Option<String>) -> Self {
        let name = name.filter(|name| !name.trim().is_empty());
        Self { name: name.map(|name| cut(name, HOOK_WORD_BYTES_MAX)), ..self }
    }

    /// The same person, who has the other's addresses too.
    pub(crate) fn also(self, other: &Self) -> Self {
        let name = self.name.clone();
        let all = Self::of(self.addresses().chain(other.addresses())).unwrap_or(self);
        Self { name, ..all }
    }

    /// What they call themselves; at most [`HOOK_WORD_BYTES_MAX`] bytes. Proves nothing.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The addresses, phones first; at least one.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.addresses.iter().cloned()
    }

    /// The first of their phones.
    pub fn phone(&self) -> Option<Phone> {
        self.addresses.iter().find_map(|address| match address {
            Address::Phone(phone) => Some(*phone),
            Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => None,
        })
    }

    /// Their numbers, and what a provider gave for one.
    pub fn numbers(&self) -> impl Iterator<Item = Address> {
        self.addresses.iter().filter(|address| is_number(address)).cloned()
    }

    /// Their ids on the channel.
    pub fn ids(&self) -> impl Iterator<Item = Address> {
        self.addresses.iter().filter(|address| !is_number(address)).cloned()
    }
}

/// A number as WhatsApp writes it: always with its country code, with a plus or without. Digits that no
/// plan knows are an id of WhatsApp's: under it they are refused, and written to.
fn number_on_whatsapp(text: &str, book: &PhoneBook) -> Option<Address> {
    let bare = without_prefix(text);
    let digits: String = bare
        .chars()
        .filter(|letter| !matches!(letter, '+' | ' ' | '-' | '.' | '(' | ')'))
        .collect();
    if !is_digits(&digits) {
        return None;
    }
    match Phone::parse_possible(&format!("+{digits}"), None, book) {
        Ok(phone) => Some(Address::Phone(phone)),
        Err(_) => OpaqueId::parse(&digits).ok().map(Address::ChannelId),
    }
}

/// A BSUID: two capitals, a dot, letters and digits, all kept as they are.
fn user_id(text: &str) -> Option<Address> {
    let bare = without_prefix(text);
    let country = bare.split_once('.').map_or("", |(country, _)| country);
    let is_one = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    OpaqueId::parse(bare).ok().filter(|_| is_one).map(Address::ChannelId)
}

fn without_prefix(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("whatsapp:").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(numbers: &[&str], ids: &[&str]) -> Vec<String> {
        let book = PhoneBook::builtin();
        let names = (numbers.iter().copied(), ids.iter().copied());
        let party = Party::on_whatsapp(names.0, names.1, &book);
        let show = |address| match address {
            Address::Phone(phone) => phone.to_string(),
            Address::ChannelId(id) => id.as_str().to_owned(),
            Address::Email(_) | Address::ExternalId(_) => "?".to_owned(),
        };
        party.iter().flat_map(Party::addresses).map(show).collect()
    }

    #[test]
    fn a_number_and_an_id_are_read_in_either_place() {
        let both = ["+14155550101".to_owned(), "US.1a".to_owned()];
        assert_eq!(shown(&["14155550101"], &["US.1a"]), both);
        assert_eq!(shown(&["US.1a"], &["whatsapp:+1 415-555-0101"]), both);
        assert_eq!(shown(&["US.1a", "+14155550101", "14155550101"], &[]), both);
        assert_eq!(shown(&[""], &[" ", "US.ENT.1a"]), ["US.ENT.1a"]);
    }

    #[test]
    fn digits_that_no_plan_knows_are_kept_and_names_are_nobody() {
        assert_eq!(shown(&["+999 123 456 789"], &[]), ["999123456789"]);
        assert!(shown(&["ann.example", "callbackSetPhone", "+"], &[]).is_empty());
    }

    #[test]
    fn a_national_number_belongs_where_the_workspace_or_our_own_number_says() {
        let book = PhoneBook::builtin();
        let read = |text, ours, region: Option<&str>, home: Option<&str>| {
            let of = |code: Option<&str>| code.map(|code| Region::parse(code).unwrap());
            let numbers = Numbers { book: &book, region: of(region), home: of(home) };
            Party::of_number(text, ours, &numbers)?.addresses().next()
        };
        let american = Phone::parse("+16463550166", None, &book).map(Address::Phone).ok();
        assert_eq!(read("6463550166", None, Some("US"), None), american);
        assert_eq!(read("6463550166", Some("+12015550123"), None, None), american);
        assert_eq!(read("6463550166", Some("12345"), None, Some("US")), american);
        assert_eq!(read("+16463550166", None, Some("NZ"), None), american);
        assert_eq!(read("INFO", None, Some("US"), None), None);
    }
}
