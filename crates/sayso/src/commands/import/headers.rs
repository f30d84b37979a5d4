//! What the header of a column says it holds: names of our own, and those of the exports that people
//! come with.
//!
//! A name that says the contrary of consent (`unsubscribed`, `opted_out`) is a flag of its own: true is a
//! refusal, and false is no consent.

use sayso_core::words::channel::Channel;

use crate::options::ListKind;

pub(super) mod words;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A telephone number.
    Phone,
    /// An email address.
    Email,
    /// The customer's own id of the person.
    ExternalId,
    /// A channel's own id of the person.
    ChannelId,
    /// The SHA-256 of an address.
    Sha256,
    /// The kind of the hashed address.
    Kind,
    /// The channel of `status`.
    Channel,
    /// What the statement covers.
    Scope,
    /// The topic it covers, by id or name.
    Topic,
    /// Yes or no, on `channel`.
    Status,
    /// Yes or no, on this channel.
    OptIn(Channel),
    /// Whether the person refused: on this channel, or on that of the row.
    OptOut(Option<Channel>),
    /// Whether the person refused everything.
    DoNotContact,
    /// Yes or no to the processing of the person's data.
    Processing,
    /// When it was said: on this channel, or at all.
    OccurredAt(Option<Channel>),
    /// Where the list got it from.
    Source,
    /// How it was said.
    Method,
    /// What proves it.
    Evidence,
    /// The words that were shown: id/version/language.
    Notice,
    /// Where a national phone number belongs.
    Region,
    /// Whether the number was disconnected, in a list of such.
    Disconnected,
}

/// The names of each field, the one for `--column` first.
pub(super) const NAMES: [(Field, &[&str]); 20] = [
    (
        Field::Phone,
        &[
            "phone",
            "phone_number",
            "mobile",
            "mobile_number",
            "mobile_phone",
            "mobile_phone_number",
            "msisdn",
            "telephone",
            "cell",
            "cell_phone",
            "whatsapp_number",
            "whatsapp_phone_number",
            "sms_number",
            "sms_phone_number",
            "phone_1___value",
            "phone_2___value",
            "phone_3___value",
            "contact_number",
        ],
    ),
    (
        Field::Email,
        &[
            "email",
            "email_address",
            "e_mail",
            "e_mail_address",
            "e_mail_1___value",
            "e_mail_2___value",
        ],
    ),
    (Field::ExternalId, &["external_id", "uuid", "customer_id", "user_id"]),
    (Field::ChannelId, &["channel_id"]),
    (Field::Sha256, &["sha256", "address_sha256"]),
    (Field::Kind, &["kind", "address_kind"]),
    (Field::Channel, &["channel"]),
    (Field::Scope, &["scope"]),
    (Field::Topic, &["topic"]),
    (Field::Status, &["status", "consent", "consent_status", "statement"]),
    (
        Field::OptOut(None),
        &[
            "optout",
            "opt_out",
            "opted_out",
            "unsubscribed",
            "unsubscribe",
            "unsub",
            "is_unsubscribed",
            "has_unsubscribed",
            "is_opted_out",
            "has_opted_out",
            "unsubscribed_at",
            "unsubscribe_time",
            "unsubscribe_date",
            "unsub_time",
            "unsub_date",
            "opt_out_date",
            "opt_out_time",
            "opted_out_at",
            "optout_date",
            "optout_time",
            "blocked",
            "blacklisted",
            "blocklisted",
            "no_longer_subscribed",
        ],
    ),
    (
        Field::DoNotContact,
        &["do_not_contact", "donotcontact", "dnc", "do_not_disturb", "dnd", "suppressed"],
    ),
    (Field::Processing, &["gdpr_optin", "gdpr_opt_in"]),
    (
        Field::OccurredAt(None),
        &[
            "occurred_at",
            "consent_date",
            "consent_time",
            "consented_at",
            "consent_timestamp",
            "disconnected_at",
            "disconnect_date",
            "permanent_disconnect_date",
            "deactivated_at",
        ],
    ),
    (Field::Source, &["source", "consent_source"]),
    (Field::Method, &["method", "consent_method"]),
    (Field::Evidence, &["evidence", "proof"]),
    (Field::Notice, &["notice", "consent_notice"]),
    (Field::Region, &["region", "country_code"]),
    (Field::Disconnected, &["disconnected", "reassigned", "result"]),
];

/// What follows the channel's name in the header of a flag, the one for `--column` first.
const YES_ENDINGS: [&str; 10] = [
    "_optin",
    "_opt_in",
    "_opted_in",
    "_consent",
    "_consent_status",
    "_marketing_consent",
    "_marketing_status",
    "_subscribed",
    "_subscription",
    "_subscription_status",
];

/// What follows the channel's name in the header of the contrary flag.
const NO_ENDINGS: [&str; 20] = [
    "_optout",
    "_opt_out",
    "_opted_out",
    "_unsubscribed",
    "_unsubscribe",
    "_unsub",
    "_blocked",
    "_suppressed",
    "_dnc",
    "_do_not_contact",
    "_refused",
    "_unsubscribed_at",
    "_unsubscribe_date",
    "_unsubscribe_time",
    "_opt_out_date",
    "_opt_out_time",
    "_optout_date",
    "_optout_time",
    "_opted_out_at",
    "_opt_out_at",
];

/// What stands before the channel's name in the header of a flag.
const YES_BEGINNINGS: [&str; 9] = [
    "optin_",
    "opt_in_",
    "opted_in_",
    "opted_in_to_",
    "consent_",
    "consent_to_",
    "subscribed_",
    "subscribed_to_",
    "accepts_",
];

/// What stands before the channel's name in the header of the contrary flag.
const NO_BEGINNINGS: [&str; 15] = [
    "optout_",
    "opt_out_",
    "opt_out_of_",
    "opted_out_",
    "opted_out_of_",
    "has_opted_out_of_",
    "unsub_",
    "unsubscribed_",
    "unsubscribed_from_",
    "do_not_",
    "no_",
    "stop_",
    "dnd_",
    "dnc_",
    "blocked_",
];

/// What follows the channel's name in the header of a time.
const TIME_ENDINGS: [&str; 9] = [
    "_occurred_at",
    "_consent_date",
    "_consent_time",
    "_consented_at",
    "_consent_timestamp",
    "_marketing_consent_timestamp",
    "_consent_updated_at",
    "_optin_date",
    "_optin_time",
];

/// Headers of other makers, each with what it says.
const OTHERS: [(&str, Field); 22] = [
    ("accepts_marketing", Field::OptIn(Channel::Email)),
    ("accepts_email_marketing", Field::OptIn(Channel::Email)),
    ("accepts_sms_marketing", Field::OptIn(Channel::Sms)),
    ("accepts_whatsapp_marketing", Field::OptIn(Channel::WhatsApp)),
    ("unsubscribed_from_all_email", Field::OptOut(Some(Channel::Email))),
    ("unsubscribed_from_all_emails", Field::OptOut(Some(Channel::Email))),
    ("opted_out_of_email", Field::OptOut(Some(Channel::Email))),
    ("opted_out_of_sms", Field::OptOut(Some(Channel::Sms))),
    ("opted_out_of_whatsapp", Field::OptOut(Some(Channel::WhatsApp))),
    ("has_opted_out_of_email", Field::OptOut(Some(Channel::Email))),
    ("hasoptedoutofemail", Field::OptOut(Some(Channel::Email))),
    ("do_not_email", Field::OptOut(Some(Channel::Email))),
    ("donotemail", Field::OptOut(Some(Channel::Email))),
    ("do_not_bulk_email", Field::OptOut(Some(Channel::Email))),
    ("do_not_call", Field::OptOut(Some(Channel::Voice))),
    ("donotcall", Field::OptOut(Some(Channel::Voice))),
    ("do_not_phone", Field::OptOut(Some(Channel::Voice))),
    ("do_not_text", Field::OptOut(Some(Channel::Sms))),
    ("do_not_sms", Field::OptOut(Some(Channel::Sms))),
    ("do_not_whatsapp", Field::OptOut(Some(Channel::WhatsApp))),
    ("call_opt_out", Field::OptOut(Some(Channel::Voice))),
    ("text_opt_out", Field::OptOut(Some(Channel::Sms))),
];

/// A header in the form in which headers are compared.
pub(super) fn plain(header: &str) -> String {
    super::cells::clean(header).to_lowercase().replace([' ', '-', '.', '/', ':', '\u{a0}'], "_")
}

/// A channel by its name, or as people call it.
pub(super) fn channel(word: &str) -> Option<Channel> {
    let word = plain(word);
    Channel::parse(&word).ok().or(match word.as_str() {
        "e_mail" | "mail" | "emails" | "newsletter" => Some(Channel::Email),
        "text" | "texts" | "text_message" | "text_messages" | "txt" => Some(Channel::Sms),
        "wa" | "whats_app" | "waba" => Some(Channel::WhatsApp),
        "call" | "calls" | "phone_call" | "phone_calls" => Some(Channel::Voice),
        _ => None,
    })
}

impl Field {
    /// The field that a header names, or says in words.
    pub(super) fn of(header: &str) -> Option<Self> {
        Self::named(header).or_else(|| words::field_of(header))
    }

    /// The field that has this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let header = plain(name);
        let named = NAMES.iter().find(|(_, names)| names.contains(&header.as_str()));
        if let Some((field, _)) = named {
            return Some(*field);
        }
        if let Some((_, field)) = OTHERS.iter().find(|(name, _)| *name == header) {
            return Some(*field);
        }
        let ends = |endings: &[&str]| {
            endings.iter().find_map(|ending| channel(header.strip_suffix(ending)?))
        };
        let begins = |beginnings: &[&str]| {
            beginnings.iter().find_map(|beginning| channel(header.strip_prefix(beginning)?))
        };
        let no = ends(&NO_ENDINGS).or_else(|| begins(&NO_BEGINNINGS));
        let no = no.map(|channel| Self::OptOut(Some(channel)));
        let time = || ends(&TIME_ENDINGS).map(|channel| Self::OccurredAt(Some(channel)));
        no.or_else(time)
            .or_else(|| ends(&YES_ENDINGS).map(Self::OptIn))
            .or_else(|| begins(&YES_BEGINNINGS).map(Self::OptIn))
    }

    /// The name for `--column`.
    pub(super) fn name(self) -> String {
        let first = |endings: &[&'static str]| endings.first().copied().unwrap_or_default();
        if let Self::OptIn(channel) = self {
            return format!("{channel}{}", first(&YES_ENDINGS));
        }
        if let Self::OptOut(Some(channel)) = self {
            return format!("{channel}{}", first(&NO_ENDINGS));
        }
        if let Self::OccurredAt(Some(channel)) = self {
            return format!("{channel}{}", first(&TIME_ENDINGS));
        }
        let names = NAMES.iter().find(|(field, _)| *field == self).map(|(_, names)| *names);
        names.and_then(<[&str]>::first).map_or_else(String::new, |name| (*name).to_owned())
    }

    /// Whether it says whom a row is about.
    pub(super) fn is_address(self) -> bool {
        matches!(
            self,
            Self::Phone | Self::Email | Self::ExternalId | Self::ChannelId | Self::Sha256
        )
    }

    /// Whether several columns may hold it: a person has several phones.
    pub(super) fn may_be_many(self) -> bool {
        matches!(self, Self::Phone | Self::Email)
    }

    /// Whether it says yes or no.
    pub(super) fn says(self) -> bool {
        matches!(
            self,
            Self::Status | Self::OptIn(_) | Self::OptOut(_) | Self::DoNotContact | Self::Processing
        )
    }

    /// Whether nothing follows from its cell but what is kept as evidence.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Source | Self::Method | Self::Evidence)
    }

    /// Whether a list of this kind says it.
    pub(super) fn belongs_to(self, kind: ListKind) -> bool {
        self != Self::Disconnected || kind == ListKind::Disconnected
    }
}

/// Beginnings of words that say the contrary of consent, in the languages of the pages.
const CONTRARY: [&str; 24] = [
    "unsub",
    "optout",
    "optedout",
    "not",
    "dont",
    "donot",
    "no",
    "never",
    "block",
    "blacklist",
    "suppress",
    "withdr",
    "declin",
    "refus",
    "revok",
    "stop",
    "abgemeldet",
    "abmeld",
    "widerr",
    "desabonn",
    "desinscr",
    "baja",
    "cancel",
    "dnc",
];

/// Whether a header says the contrary of consent.
pub(super) fn says_contrary(header: &str) -> bool {
    let plain = plain(header);
    let exact = ["no", "not", "never", "stop", "baja"];
    let is_contrary = |word: &str| {
        CONTRARY
            .iter()
            .any(|sign| if exact.contains(sign) { word == *sign } else { word.starts_with(sign) })
    };
    plain.contains("opt_out")
        || plain.contains("opted_out")
        || plain.contains("do_not")
        || plain.contains("désabonn")
        || plain.split('_').any(is_contrary)
}

/// Whether a header that nothing is read from seems to say who refused.
pub(super) fn seems_to_refuse(header: &str) -> bool {
    let plain = plain(header);
    let signs = [
        "unsub",
        "opt_out",
        "optout",
        "opted_out",
        "optedout",
        "do_not",
        "donot",
        "blacklist",
        "blocklist",
        "suppress",
    ];
    let aside = ["reason", "campaign", "title", "_id", "count", "rate"];
    signs.iter().any(|sign| plain.contains(sign)) && !aside.iter().any(|sign| plain.contains(sign))
}

/// Whether a header speaks of consent and not of its contrary.
pub(super) fn says_consent(header: &str) -> bool {
    let plain = plain(header);
    let signs =
        ["optin", "opt_in", "opted_in", "subscri", "consent", "accept", "agree", "permission"];
    signs.iter().any(|sign| plain.contains(sign)) && !says_contrary(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_known_by_the_name_that_it_is_called() {
        for (field, names) in NAMES {
            assert_eq!(Field::of(&field.name()), Some(field));
            assert!(names.iter().all(|name| Field::of(name) == Some(field)));
        }
        for field in [
            Field::OptIn(Channel::Viber),
            Field::OptOut(Some(Channel::Sms)),
            Field::OccurredAt(Some(Channel::WhatsApp)),
        ] {
            assert_eq!(Field::of(&field.name()), Some(field));
        }
    }

    #[test]
    fn b_headers_of_exports_are_known_and_inverse_flags_are_their_own() {
        for (header, field) in [
            ("Accepts SMS Marketing", Field::OptIn(Channel::Sms)),
            ("SMS Marketing Consent", Field::OptIn(Channel::Sms)),
            ("Email Opt Out", Field::OptOut(Some(Channel::Email))),
            ("Unsubscribed from all email", Field::OptOut(Some(Channel::Email))),
            ("Do Not Call", Field::OptOut(Some(Channel::Voice))),
            ("sms_optout", Field::OptOut(Some(Channel::Sms))),
            ("WhatsApp-Opt-Out", Field::OptOut(Some(Channel::WhatsApp))),
            ("Unsubscribed", Field::OptOut(None)),
            ("opted out", Field::OptOut(None)),
            ("Do Not Contact", Field::DoNotContact),
            ("Opt-out SMS", Field::OptOut(Some(Channel::Sms))),
            ("No WhatsApp", Field::OptOut(Some(Channel::WhatsApp))),
            ("sms_unsubscribed_at", Field::OptOut(Some(Channel::Sms))),
            ("Opt-in Email", Field::OptIn(Channel::Email)),
            ("sms_consent_date", Field::OccurredAt(Some(Channel::Sms))),
            ("Phone 2 - Value", Field::Phone),
            ("E-mail 1 - Value", Field::Email),
        ] {
            assert_eq!(Field::of(header), Some(field), "{header}");
        }
    }

    #[test]
    fn b_a_header_that_says_the_contrary_is_told_from_one_that_does_not() {
        for header in [
            "SMS Unsubscribed",
            "opted out",
            "Do not text",
            "No SMS",
            "unsub",
            "Abgemeldet",
            "SMS-Stop",
        ] {
            assert!(says_contrary(header), "{header}");
        }
        for header in ["SMS ok", "Newsletter", "sms_optin", "Notes", "Subscribed", "Nottingham"] {
            assert!(!says_contrary(header), "{header}");
        }
        assert!(says_consent("SMS opt-in") && !says_consent("SMS opt-out") && !says_consent("SMS"));
    }
}
