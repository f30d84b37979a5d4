//! Headers in words: what a header says that is none of the names we list, in the languages that
//! spreadsheets are kept in, whatever joins its words.
//!
//! Each word must be known: "SMS-Einwilligung" is a flag of SMS, "SMS sent" is nothing that we read.

use std::collections::HashMap;
use std::sync::OnceLock;

use sayso_core::text::list_word;
use sayso_core::words::channel::Channel;

use super::Field;

const WORDS: &str = include_str!("words.tsv");

/// Words of the longest phrase.
const PHRASE_WORDS_MAX: usize = 5;

/// What a word of a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    On(Channel),
    Yes,
    No,
    When,
    Nothing,
}

#[derive(Debug, Default)]
struct Table {
    whole: HashMap<String, Field>,
    words: HashMap<String, Says>,
    /// Letters of the longest word that is written without spaces.
    letters_max: usize,
}

/// The words of a header, in the form in which they are compared: `HasOptedOutOfMobile__c` is "has opted
/// out of mobile".
pub(super) fn words_of(header: &str) -> String {
    // A field of somebody's package: `et4ae5__HasOptedOutOfMobile__c`.
    let own = header.strip_suffix("__c").map(|name| name.rsplit("__").next().unwrap_or(name));
    let header = own.unwrap_or(header);
    let mut parted = String::with_capacity(header.len() + 8);
    let mut before: Option<char> = None;
    for letter in header.chars() {
        let begins = before.is_some_and(char::is_lowercase) && letter.is_uppercase();
        let changes = before.is_some_and(|it| is_unspaced(it) != is_unspaced(letter));
        if begins || changes {
            parted.push(' ');
        }
        parted.push(letter);
        before = Some(letter);
    }
    list_word::plain(&parted)
}

/// The field that the words of a header say.
pub(super) fn field_of(header: &str) -> Option<Field> {
    let words = words_of(header);
    if let Some(field) = table().whole.get(&words) {
        return Some(*field);
    }
    let said = said_by(&words)?;
    let mut channels = said.iter().filter_map(|says| match says {
        Says::On(channel) => Some(*channel),
        Says::Yes | Says::No | Says::When | Says::Nothing => None,
    });
    let channel = channels.next();
    if channels.any(|other| Some(other) != channel) {
        return None;
    }
    let has = |wanted: Says| said.contains(&wanted);
    if has(Says::No) {
        return Some(Field::OptOut(channel));
    }
    if !has(Says::Yes) {
        return None;
    }
    if has(Says::When) {
        return Some(Field::OccurredAt(channel));
    }
    Some(channel.map_or(Field::Status, Field::OptIn))
}

/// Whether a header is the name of a channel and nothing else: its cells say whether it holds numbers or
/// flags.
pub(in crate::commands::import) fn is_a_channel(header: &str) -> bool {
    let said = said_by(&words_of(header)).unwrap_or_default();
    let is_phone = |says: &Says| matches!(says, Says::On(Channel::Sms | Channel::WhatsApp));
    !said.is_empty() && said.iter().all(is_phone)
}

/// Whether a header says that it is a time, and not of what.
pub(in crate::commands::import) fn is_a_time(header: &str) -> bool {
    let said = said_by(&words_of(header)).unwrap_or_default();
    said.contains(&Says::When) && said.iter().all(|says| matches!(says, Says::When | Says::Nothing))
}

/// What each word says; none if one is not known.
fn said_by(words: &str) -> Option<Vec<Says>> {
    let all: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let table = table();
    let mut said = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let most = PHRASE_WORDS_MAX.min(all.len() - at);
        let phrase = (1..=most).rev().find_map(|length| {
            let phrase = all.get(at..at + length)?.join(" ");
            Some((*table.words.get(&phrase)?, length))
        });
        if let Some((says, length)) = phrase {
            said.push(says);
            at += length;
            continue;
        }
        said.extend(unspaced(all.get(at)?)?);
        at += 1;
    }
    Some(said)
}

/// What the words of a script without spaces say, the longest first.
fn unspaced(text: &str) -> Option<Vec<Says>> {
    let table = table();
    let letters: Vec<char> = text.chars().collect();
    if !letters.iter().all(|letter| is_unspaced(*letter)) {
        return None;
    }
    let mut said = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let most = table.letters_max.min(letters.len() - at);
        let (says, length) = (1..=most).rev().find_map(|length| {
            let word: String = letters.get(at..at + length)?.iter().collect();
            Some((*table.words.get(&word)?, length))
        })?;
        said.push(says);
        at += length;
    }
    Some(said)
}

/// Whether a letter is of a script that is written without spaces.
const fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
            let Some((kind, words)) = line.split_once('\t') else { continue };
            for word in words.split('|').map(list_word::plain) {
                let says = match kind {
                    "phone" => {
                        table.whole.insert(word, Field::Phone);
                        continue;
                    }
                    "email" => {
                        table.whole.insert(word, Field::Email);
                        continue;
                    }
                    "sms" => Says::On(Channel::Sms),
                    "whatsapp" => Says::On(Channel::WhatsApp),
                    "mail" => Says::On(Channel::Email),
                    "voice" => Says::On(Channel::Voice),
                    "yes" => Says::Yes,
                    "no" => Says::No,
                    "when" => Says::When,
                    _ => Says::Nothing,
                };
                table.letters_max = table.letters_max.max(word.chars().count());
                table.words.entry(word).or_insert(says);
            }
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_headers_say_whom_and_what_in_the_languages_of_spreadsheets() {
        let sms = Field::OptIn(Channel::Sms);
        for (header, field) in [
            ("Handynummer", Field::Phone),
            ("Téléphone portable", Field::Phone),
            ("Telefon komórkowy", Field::Phone),
            ("Cep Telefonu", Field::Phone),
            ("Móvil", Field::Phone),
            ("携帯電話", Field::Phone),
            ("رقم الجوال", Field::Phone),
            ("MobilePhone", Field::Phone),
            ("Correo electrónico", Field::Email),
            ("メールアドレス", Field::Email),
            ("SMS-Einwilligung", sms),
            ("SMS erlaubt", sms),
            ("Accepte les SMS", sms),
            ("Zgoda SMS", sms),
            ("SMS İzni", sms),
            ("Acepta SMS", sms),
            ("SMS配信", sms),
            ("メール配信", Field::OptIn(Channel::Email)),
            ("whatsapp_opt-in?", Field::OptIn(Channel::WhatsApp)),
            ("Acepta WhatsApp", Field::OptIn(Channel::WhatsApp)),
            ("BLACKLISTED_SMS", Field::OptOut(Some(Channel::Sms))),
            ("et4ae5__HasOptedOutOfMobile__c", Field::OptOut(Some(Channel::Sms))),
            ("SMS Abmeldung", Field::OptOut(Some(Channel::Sms))),
            ("メール配信停止", Field::OptOut(Some(Channel::Email))),
            ("revoca consenso", Field::OptOut(None)),
            ("consenso marketing", Field::Status),
            ("Opt-in Status", Field::Status),
            ("موافقة", Field::Status),
            ("Date de consentement", Field::OccurredAt(None)),
            ("Opted in Time", Field::OccurredAt(None)),
            ("Datum der SMS-Einwilligung", Field::OccurredAt(Some(Channel::Sms))),
        ] {
            assert_eq!(field_of(header), Some(field), "{header}");
        }
    }

    #[test]
    fn a_channel_or_a_time_alone_is_told_from_what_says_more() {
        for header in ["SMS", "WhatsApp", "whatsapp_sms"] {
            assert!(is_a_channel(header), "{header}");
        }
        for header in ["Datum", "Fecha", "Date", "日付", "التاريخ"] {
            assert!(is_a_time(header) && !is_a_channel(header), "{header}");
        }
        for header in ["Date of birth", "SMS ok", "Name", ""] {
            assert!(!is_a_time(header) && !is_a_channel(header), "{header}");
        }
    }

    #[test]
    fn a_word_that_is_not_known_keeps_a_header_from_being_read() {
        for header in [
            "SMS sent",
            "Datum",
            "Name",
            "Consent form",
            "Do not disturb the cat",
            "番号",
            "Estado",
        ] {
            assert_eq!(field_of(header), None, "{header}");
        }
    }
}
