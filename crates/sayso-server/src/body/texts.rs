//! Words of the domain as texts of JSON: one adapter to `parse`, with the schema of each.

use sayso_core::address::phone::Region;
use sayso_core::address::{AddressKind, OpaqueId};
use sayso_core::gate::message::MessageState;
use sayso_core::gate::time_of_day::TimeOfDay;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{
    ConnectionId, DoubleOptInId, EntryPointId, EventId, FormId, KeyId, MessageId, NoticeId,
    ProfileId, RuleId, SenderId, TopicId,
};
use sayso_core::policy::Way;
use sayso_core::policy::demand::{Flaw, Shown};
use sayso_core::policy::pack::{Basis, PackName};
use sayso_core::proof::double_opt_in::AnswerBy;
use sayso_core::state::activity::Activity;
use sayso_core::state::status::Status;
use sayso_core::text::rule::{Does, Keyword, Pattern};
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::words::channel::{Category, Channel, Provider, Scope};
use sayso_core::words::color::Color;
use sayso_core::words::form::{Brightness, Font, Shape, Trigger};
use sayso_core::words::notice::Language;
use sayso_core::words::source::{EvidenceText, Road, SourceName};
use sayso_core::words::statement::{Level, Standing};
use sayso_core::workspace::{Corner, KeyRole, KeyScope};
use sayso_pages::qr::Correction;

use super::no::is_no;

/// Declares texts that mean something: each `$name` holds the meaning, read by `$parse`. What one surface
/// alone reads is declared there, once in a module.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident($meaning:ty) = $parse:expr, $code:ident, $example:literal, $words:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $meaning);

        impl $crate::body::FromJson for $name {
            fn from_json(
                value: serde_json::Value,
                at: &$crate::body::Pointer<'_>,
                faults: &mut $crate::body::Faults,
            ) -> Option<Self> {
                let serde_json::Value::String(text) = &value else {
                    return $crate::body::wrong_type(&value, "a text", at, faults);
                };
                let parsed: Result<$meaning, _> = $parse(text);
                parsed
                    .map(Self)
                    .map_err(|fault| faults.note_with_example(at, $crate::problem::Code::$code, fault, $example))
                    .ok()
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

                let words: Option<&[&str]> = $words;
                let described = [$($doc.trim()),+].join(" ");
                let schema = ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .description(Some(described))
                    .examples([$example]);
                match words {
                    Some(words) => schema.enum_values(Some(words.iter().copied())).into(),
                    None => schema.into(),
                }
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).trim_end_matches("Text").into()
            }
        }
    )+

        #[cfg(test)]
        mod examples {
            use super::*;
            use $crate::body::{Faults, FromJson, Pointer};

            #[test]
            fn every_example_is_right() {
                $({
                    let mut faults = Faults::default();
                    let read = $name::from_json(serde_json::Value::from($example), &Pointer::Body, &mut faults);
                    assert!(read.is_some(), "{}: {faults:?}", stringify!($name));
                })+
            }
        }
    };
}

pub(crate) use texts;

texts! {
    /// A road by which a message reaches a person.
    ChannelText(Channel) = Channel::parse, UnknownChannel, "sms", Some(Channel::WORDS);
    /// What a consent covers on its channel: `all`, `sender:snd_…`, `category:marketing` or `topic:top_…`.
    ScopeText(Scope) = Scope::parse, UnknownWord, "all", None;
    /// What a message is for.
    CategoryText(Category) = Category::parse, UnknownWord, "marketing",
        Some(Category::WORDS);
    /// Whether the person did it (`act`), or a source says what it believes (`report`).
    StandingText(Standing) = Standing::parse, UnknownWord, "act", Some(Standing::WORDS);
    /// How well an opt-in is evidenced.
    LevelText(Level) = Level::parse, UnknownWord, "single", Some(Level::WORDS);
    /// Where a person stands towards a kind of message.
    StatusText(Status) = Status::parse, UnknownWord, "opted_in",
        Some(Status::WORDS);
    /// A kind of address.
    KindText(AddressKind) = AddressKind::parse, UnknownWord, "phone",
        Some(AddressKind::WORDS);
    /// What a statement is about: messages on a channel, or the processing of the person's data at all.
    PermissionText(PermissionKind) = PermissionKind::parse, UnknownWord, "messages",
        Some(&["messages", "processing"]);
    /// What was said.
    StatementText(Said) = Said::parse, UnknownWord, "opt_out",
        Some(Said::WORDS);
    /// What an API key may do.
    KeyScopeText(KeyScope) = parse_key_scope, UnknownWord, "check",
        Some(KeyScope::WORDS);
    /// What a key is for: a set of scopes and the highest standing that it may record.
    KeyRoleText(KeyRole) = parse_key_role, UnknownWord, "backend", Some(KeyRole::WORDS);
    /// A time as claimed, in RFC 3339 with a zone, as coarse as it is known: to the fraction, second, minute or day.
    ClaimedTimeText(ClaimedTime) = ClaimedTime::parse, InvalidTime, "2026-11-21T10:00:00Z", None;
    /// An instant in RFC 3339 with a zone.
    TimeText(Timestamp) = Timestamp::parse, InvalidTime, "2026-11-21T10:00:00Z", None;
    /// A time of day, as a clock on the wall shows it.
    TimeOfDayText(TimeOfDay) = TimeOfDay::parse, InvalidValue, "21:00", None;
    /// A time zone, by its name in the IANA time zone database.
    ZoneText(Zone) = Zone::parse, UnknownTimeZone, "Europe/Berlin", None;
    /// The id of a sender.
    SenderIdText(SenderId) = SenderId::parse, InvalidId, "snd_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of a connection.
    ConnectionIdText(ConnectionId) = ConnectionId::parse, InvalidId, "con_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of a rule.
    RuleIdText(RuleId) = RuleId::parse, InvalidId, "rul_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// What a rule does to the permissions it names.
    DoesText(Does) = Does::parse, UnknownWord, "opt_in", Some(Does::WORDS);
    /// A word or several that a text is compared with.
    KeywordText(Keyword) = Keyword::parse, InvalidValue, "OFFERS", None;
    /// A regular expression, searched for in the folded text.
    PatternText(Pattern) = Pattern::parse, InvalidValue, "^(winter|summer) deals?$", None;
    /// Whether somebody wrote to a sender within 24 hours.
    ActivityText(Activity) = Activity::parse, UnknownWord, "active", Some(Activity::WORDS);
    /// The id of a message.
    MessageIdText(MessageId) = MessageId::parse, InvalidId, "msg_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// Where a message is on its way.
    MessageStateText(MessageState) = MessageState::parse, UnknownWord, "queued",
        Some(MessageState::WORDS);
    /// Who carries messages.
    ProviderText(Provider) = Provider::parse, UnknownWord, "sandbox", Some(Provider::WORDS);
    /// How an opt-in is collected.
    WayText(Way) = Way::parse, UnknownWord, "form",
        Some(Way::WORDS);
    /// What an offer shows.
    ShownText(Shown) = Shown::parse, UnknownWord, "business",
        Some(Shown::WORDS);
    /// What an offer does wrong.
    FlawText(Flaw) = Flaw::parse, UnknownWord, "pre_ticked",
        Some(Flaw::WORDS);
    /// A country pack.
    PackText(PackName) = PackName::parse, UnknownWord, "us", Some(PackName::WORDS);
    /// What a relation rests on that implies consent.
    BasisText(Basis) = Basis::parse, UnknownWord, "purchase",
        Some(Basis::WORDS);
    /// The id of a topic.
    TopicIdText(TopicId) = TopicId::parse, InvalidId, "top_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of an entry point.
    EntryPointIdText(EntryPointId) = EntryPointId::parse, InvalidId, "ent_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// A color: `#` and six hexadecimal digits.
    ColorText(Color) = Color::parse, InvalidValue, "#0b6b50", None;
    /// A corner of a page: where its lines begin, or where they end.
    CornerText(Corner) = Corner::parse, UnknownWord, "bottom_end", Some(&["bottom_start", "bottom_end"]);
    /// How much of a QR code may be dirty or covered: about 7 % (`L`), 15 % (`M`), 25 % (`Q`) or 30 % (`H`).
    CorrectionText(Correction) = Correction::parse, UnknownWord, "M", Some(&["L", "M", "Q", "H"]);
    /// The id of a form.
    FormIdText(FormId) = FormId::parse, InvalidId, "frm_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of a double opt-in.
    DoubleOptInIdText(DoubleOptInId) = DoubleOptInId::parse, InvalidId, "dbl_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// How a double opt-in question is answered.
    AnswerByText(AnswerBy) = AnswerBy::parse, UnknownWord, "code", Some(AnswerBy::WORDS);
    /// The typeface of a form. Each is one that devices have: nothing is loaded.
    FontText(Font) = Font::parse, UnknownWord, "system", Some(Font::WORDS);
    /// Whether a form is dark on light, light on dark, or as the person's device is set.
    BrightnessText(Brightness) = Brightness::parse, UnknownWord, "auto", Some(Brightness::WORDS);
    /// How a script shows a form above a page: with everything else at rest, in the corner, or along the foot of the window.
    ShapeText(Shape) = Shape::parse, UnknownWord, "popup", Some(Shape::WORDS);
    /// When a form appears on a page: `time:5` after so many seconds, `scroll:50` at so many percent of the page, `exit` when the pointer leaves the window, `click:#join` when an element is pressed.
    TriggerText(Trigger) = Trigger::parse, InvalidValue, "time:5", None;
    /// The id of a notice.
    NoticeIdText(NoticeId) = NoticeId::parse, InvalidId, "ntc_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of an event.
    EventIdText(EventId) = EventId::parse, InvalidId, "evt_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of a profile.
    ProfileIdText(ProfileId) = ProfileId::parse, InvalidId, "pro_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// The id of an API key.
    KeyIdText(KeyId) = KeyId::parse, InvalidId, "key_01jd6m9k3te5b8r5v3x5y6z7w8", None;
    /// A language tag (BCP 47).
    LanguageText(Language) = Language::parse, InvalidValue, "en", None;
    /// An id of your own for a person, or a channel's own id: 1 to 256 bytes, no placeholder such as `undefined`.
    OpaqueIdText(OpaqueId) = OpaqueId::parse, InvalidId, "u-1001", None;
    /// A country or territory, ISO 3166-1 alpha-2.
    RegionText(Region) = Region::parse, InvalidValue, "DE", None;
    /// A text of at most 2048 bytes without control characters.
    NoteText(EvidenceText) = EvidenceText::parse, InvalidValue, "checkbox", None;
    /// A name of 1 to 64 bytes: letters, digits, space and `. _ - / : @`.
    NameText(SourceName) = SourceName::parse, InvalidValue, "crm", None;
    /// The road by which a statement came in.
    RoadText(Road) = Road::parse, UnknownWord, "tag", Some(Road::WORDS);
    /// A SHA-256 in 64 hexadecimal digits.
    Sha256Text([u8; 32]) = parse_sha256, InvalidValue,
        "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3d391e987982fbbd3a94a8fe5", None;
}

/// What a statement is about, before channel and scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PermissionKind {
    /// Messages on a channel.
    Messages,
    /// The processing of the person's data.
    Processing,
}

/// What was said, before standing, level and end make a statement of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Yes.
    OptIn,
    /// No.
    OptOut,
    /// Unclear: marketing waits.
    Hold,
    /// Asked.
    Pending,
    /// START.
    Start,
    /// A relation implies yes.
    Implied,
}

impl PermissionKind {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "messages" => Ok(Self::Messages),
            "processing" => Ok(Self::Processing),
            _ => Err("is none of messages, processing"),
        }
    }
}

impl Said {
    /// All of them.
    const ALL: &'static [Self] =
        &[Self::OptIn, Self::OptOut, Self::Hold, Self::Pending, Self::Start, Self::Implied];

    /// Their words.
    const WORDS: &'static [&'static str] = &[
        Self::OptIn.as_str(),
        Self::OptOut.as_str(),
        Self::Hold.as_str(),
        Self::Pending.as_str(),
        Self::Start.as_str(),
        Self::Implied.as_str(),
    ];

    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OptIn => "opt_in",
            Self::OptOut => "opt_out",
            Self::Hold => "hold",
            Self::Pending => "pending",
            Self::Start => "start",
            Self::Implied => "implied",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|said| said.as_str() == text);
        found.or_else(|| is_no(text).then_some(Self::OptOut)).ok_or_else(|| none_of(Self::WORDS))
    }

    /// Whether it takes something away, so that it is accepted in doubt (rule 5).
    pub(crate) const fn is_refusal(self) -> bool {
        match self {
            Self::OptOut | Self::Hold => true,
            Self::OptIn | Self::Pending | Self::Start | Self::Implied => false,
        }
    }
}

fn parse_key_scope(text: &str) -> Result<KeyScope, String> {
    KeyScope::parse(text).ok_or_else(|| none_of(KeyScope::WORDS))
}

fn parse_key_role(text: &str) -> Result<KeyRole, String> {
    KeyRole::parse(text).ok_or_else(|| none_of(KeyRole::WORDS))
}

/// The fault of a word that is none of these.
fn none_of(words: &[&str]) -> String {
    format!("is none of {}", words.join(", "))
}

/// Reads 32 bytes from hexadecimal digits.
pub(crate) fn parse_sha256(text: &str) -> Result<[u8; 32], &'static str> {
    let fault = "is not 64 hexadecimal digits";
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64).ok_or(fault)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |high, low| high * 16 + low);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_digits() {
        assert_eq!(parse_sha256(&"0f".repeat(32)), Ok([15; 32]));
        assert!(parse_sha256("0f").is_err());
        assert!(parse_sha256(&"zz".repeat(32)).is_err());
    }
}
