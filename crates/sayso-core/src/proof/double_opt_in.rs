//! Double opt-in: whether a person may be asked through their address to confirm what was ticked, and what
//! their answer comes to (rule 14).
//!
//! Whoever types an address has not proven that it is theirs. So a question goes to the address itself, and
//! its answer, by a link or by six digits, is the act. *A code is never stored, only a keyed hash of it, and
//! it is worth [`limits::DOUBLE_OPT_IN_TRIES`] tries.* Absent on purpose: the words of the question, and what
//! keeps the counts.
//!
//! ```text
//! a sealed token, version 2, context "sayso double opt-in key 1", that says: workspace ‖ double opt-in
//! ```

use std::fmt;

use subtle::ConstantTimeEq;

use crate::address::phone::{Phone, PhoneBook, Region, decimal_digit};
use crate::address::{Address, AddressKey, AddressKeySecret};
use crate::canonical::{Reader, Writer};
use crate::id::{DoubleOptInId, WorkspaceId};
use crate::limits;
use crate::policy::pack::{DoubleOptIn, Pack};
use crate::policy::settings::Settings;
use crate::proof::link_key::LinkKey;
use crate::proof::sealed_token::{Kind, Unverified};
use crate::time::Timestamp;
use crate::words::channel::{Channel, words};
use crate::words::event_id::RequestHash;

/// The tokens of questions.
const KIND: Kind = Kind { version: 2, context: "sayso double opt-in key 1" };
/// How many codes there are.
const CODES: u64 = 10_u64.pow(limits::DOUBLE_OPT_IN_CODE_DIGITS);
/// What stands beside a number when its last four digits are left out: the block it was given out in.
const BLOCK: u64 = 10_000;

words! {
    /// How a question is answered through the address.
    AnswerBy {
        /// By opening a link and pressing a button.
        Link = "link", 1;
        /// By six digits.
        Code = "code", 2;
    }
}

words! {
    /// What is counted of questions, so that nobody makes a business of them.
    CountedBy {
        /// Those that one network asked for.
        Network = "network", 1;
        /// Those to numbers that differ in their last four digits alone.
        NumberBlock = "number_block", 2;
        /// Those to one country.
        Country = "country", 3;
        /// Those of the workspace.
        Workspace = "workspace", 4;
    }
}

/// Six digits that prove an address.
///
/// *Shape:* `048213`; nothing shows it but [`fmt::Display`], for the message that brings it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

/// The keyed hash of a code, for one address.
#[derive(Clone, Copy, Debug)]
pub struct CodeHash(pub [u8; 32]);

/// What a token says: which question it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoubleOptInToken {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The question.
    pub id: DoubleOptInId,
}

/// What a token says, before it is known who wrote it.
#[derive(Clone, Debug)]
pub struct UnverifiedToken(Unverified<DoubleOptInToken>);

/// Under what a question is counted, each as a keyed hash, with how many a day there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The network that asked for it; none where a server of the business did.
    pub network: Option<[u8; 16]>,
    /// The block that its number was given out in.
    pub number_block: Option<[u8; 16]>,
    /// The country that it goes to, where that is none of the workspace's own.
    pub country: Option<[u8; 16]>,
}

/// An answer to a question.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Its link was opened, and the button pressed.
    Link,
    /// These six digits.
    Code(CodeHash),
}

/// A question as it was asked of an address.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// The code in it; none in one that brings a link.
    pub code: Option<CodeHash>,
    /// How many wrong codes were tried.
    pub tries: u32,
}

/// What an answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It proves the address.
    Right,
    /// It does not; so many tries are left.
    Wrong {
        /// How many.
        tries_left: u32,
    },
    /// It proves the address, and comes too late.
    Lapsed,
}

impl Code {
    /// A code made of random bytes. Of 2⁶⁴ values each code gets the same share, to one in 10¹³.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let code = u64::from_be_bytes(bytes) % CODES;
        Self(u32::try_from(code).unwrap_or_default())
    }

    /// Reads what a person typed: six digits of any script, with spaces and dashes between them.
    pub fn parse(text: &str) -> Option<Self> {
        let is_gap = |letter: &char| letter.is_whitespace() || matches!(letter, '-' | '–' | '.');
        let mut digits = 0;
        let mut code = 0_u32;
        for letter in text.chars().filter(|letter| !is_gap(letter)) {
            let digit = u32::try_from(decimal_digit(letter)?).ok()?;
            digits += 1;
            if digits > limits::DOUBLE_OPT_IN_CODE_DIGITS {
                return None;
            }
            code = code * 10 + digit;
        }
        (digits == limits::DOUBLE_OPT_IN_CODE_DIGITS).then_some(Self(code))
    }

    /// What is kept of it, and compared.
    pub fn hash(self, address: AddressKey, secret: &AddressKeySecret) -> CodeHash {
        let mut fields = Writer::default();
        fields.text("double opt-in code");
        fields.raw(address.as_bytes());
        fields.number(u64::from(self.0));
        CodeHash(RequestHash::of(&fields, secret).0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

impl CodeHash {
    fn is(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl DoubleOptInToken {
    /// The token.
    ///
    /// *Shape:* 67 to 72 letters, digits, `-` and `_`.
    pub fn token(&self, key: LinkKey, secret: &AddressKeySecret) -> String {
        KIND.seal(key, secret, |to| {
            to.raw(self.workspace.as_bytes());
            to.raw(self.id.as_bytes());
        })
    }
}

impl UnverifiedToken {
    /// Reads a token; nothing where it is none.
    pub fn parse(token: &str) -> Option<Self> {
        let read = |from: &mut Reader<'_>| {
            let workspace = from.raw().map(WorkspaceId::from_bytes)?;
            Ok(DoubleOptInToken { workspace, id: from.raw().map(DoubleOptInId::from_bytes)? })
        };
        KIND.parse(token, read).map(Self)
    }

    /// The workspace that should know it.
    pub const fn workspace(&self) -> WorkspaceId {
        self.0.says.workspace
    }

    /// What it says, if the workspace with this secret made it.
    pub fn verify(&self, secret: &AddressKeySecret) -> Option<DoubleOptInToken> {
        KIND.is_made_by(&self.0, secret).then_some(self.0.says)
    }
}

impl Counters {
    /// Under what a question to this address is counted. `network` names the network that asked for it;
    /// `home` are the countries that the workspace, or its form, names as its own.
    pub fn of(
        address: &Address,
        network: Option<&[u8]>,
        home: &[Region],
        (book, secret): (&PhoneBook, &AddressKeySecret),
    ) -> Self {
        let hash = |kind: CountedBy, of: &[u8]| {
            let mut fields = Writer::default();
            fields.text("double opt-in counter");
            fields.byte(kind.code());
            fields.raw(of);
            let RequestHash(hash) = RequestHash::of(&fields, secret);
            hash.first_chunk::<16>().copied().unwrap_or_default()
        };
        let phone = match address {
            Address::Phone(phone) => Some(*phone),
            Address::Email(_) | Address::ExternalId(_) | Address::ChannelId(_) => None,
        };
        let block =
            |phone: Phone| hash(CountedBy::NumberBlock, &(phone.digits() / BLOCK).to_be_bytes());
        // Where the first digits do not tell the country, it is one of several, or of none.
        let country = |phone: Phone| {
            let regions = phone.regions(book);
            let is_home = regions.iter().any(|region| home.contains(region));
            let named: Vec<&str> = regions.iter().map(Region::as_str).collect();
            (!is_home).then(|| hash(CountedBy::Country, named.join(" ").as_bytes()))
        };
        Self {
            network: network.map(|network| hash(CountedBy::Network, network)),
            number_block: phone.map(block),
            country: phone.and_then(country),
        }
    }
}

impl CountedBy {
    /// How many questions a day are asked under one of these.
    pub const fn most_a_day(self) -> u32 {
        match self {
            Self::Network => limits::DOUBLE_OPT_INS_PER_NETWORK,
            Self::NumberBlock => limits::DOUBLE_OPT_INS_PER_NUMBER_BLOCK,
            Self::Country => limits::DOUBLE_OPT_INS_PER_COUNTRY,
            Self::Workspace => limits::DOUBLE_OPT_INS_PER_WORKSPACE,
        }
    }
}

/// Whether an address may be asked: never twice in [`limits::DOUBLE_OPT_IN_INTERVAL`], and never about what
/// is pending for longer than [`limits::DOUBLE_OPT_IN_ASKED_WITHIN`].
pub fn may_ask(pending_at: Timestamp, last_asked_at: Option<Timestamp>, now: Timestamp) -> bool {
    let is_fresh = now < pending_at.plus(limits::DOUBLE_OPT_IN_ASKED_WITHIN);
    let rests = last_asked_at.is_some_and(|last| now < last.plus(limits::DOUBLE_OPT_IN_INTERVAL));
    is_fresh && !rests
}

/// What an answer at `now` comes to, about something that is pending since then. `asked` is the question
/// that reached the address. Who never was asked, and who tried too often, hears the same as who is wrong.
pub fn judge(
    pending_at: Timestamp,
    asked: Option<&Asked>,
    answer: Answer,
    now: Timestamp,
) -> Verdict {
    let lapsed = |since: Timestamp| now >= since.plus(limits::LAPSE_OF_PENDING);
    let Some(asked) = asked else { return Verdict::Wrong { tries_left: 0 } };
    let left = limits::DOUBLE_OPT_IN_TRIES.saturating_sub(asked.tries);
    let proves = match (answer, &asked.code) {
        (Answer::Link, None) => true,
        (Answer::Code(given), Some(code)) => left > 0 && code.is(&given),
        (Answer::Link, Some(_)) | (Answer::Code(_), None) => false,
    };
    if !proves {
        return Verdict::Wrong { tries_left: left.saturating_sub(1) };
    }
    if lapsed(pending_at) || lapsed(asked.at) { Verdict::Lapsed } else { Verdict::Right }
}

/// Whether a country pack of the settings demands that an opt-in on a channel is confirmed by the address:
/// one of a country that a number may belong to, and any, where the address tells no country.
pub fn is_required(
    settings: &Settings,
    channel: Channel,
    address: &Address,
    book: &PhoneBook,
) -> bool {
    let regions = match address {
        Address::Phone(phone) => phone.regions(book),
        Address::Email(_) | Address::ExternalId(_) | Address::ChannelId(_) => Vec::new(),
    };
    let applies = |pack: &Pack| {
        regions.is_empty() || pack.regions.iter().any(|region| regions.contains(region))
    };
    let demands = |pack: &Pack| {
        let mut asks = pack.double_opt_in.iter();
        asks.any(|asks| asks.is == DoubleOptIn::Required && asks.channels.contains(&channel))
    };
    let mut packs = settings.country_packs.iter().map(|name| Pack::named(*name));
    packs.any(|pack| applies(pack) && demands(pack))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::pack::PackName;
    use crate::time::Span;

    const SECRET: AddressKeySecret = AddressKeySecret::from_bytes([7; 32]);
    const NOW: Timestamp = Timestamp::from_micros(1_795_255_200_000_000);
    const KEY: AddressKey = AddressKey::from_bytes([2; 16]);

    fn phone(digits: u64) -> Address {
        Address::Phone(Phone::from_digits(digits).unwrap())
    }

    fn code(text: &str) -> CodeHash {
        Code::parse(text).unwrap().hash(KEY, &SECRET)
    }

    fn asked(tries: u32) -> Asked {
        Asked { at: NOW, code: Some(code("048213")), tries }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for (text, read) in [
            ("048213", Some("048213")),
            (" 048 213 ", Some("048213")),
            ("048-213", Some("048213")),
            ("٠٤٨٢١٣", Some("048213")),
            ("०४८२१३", Some("048213")),
            ("48213", None),
            ("0482130", None),
            ("04821a", None),
            ("", None),
        ] {
            let parsed = Code::parse(text).map(|code| code.to_string());
            assert_eq!(parsed.as_deref(), read, "{text}");
        }
        assert_eq!(format!("{:?}", Code::parse("048213").unwrap()), "Code(..)");
    }

    #[test]
    fn a_code_proves_the_address_it_was_sent_to_and_no_other() {
        let other = Code::parse("048213").unwrap().hash(AddressKey::from_bytes([3; 16]), &SECRET);
        let wrong = |left| Verdict::Wrong { tries_left: left };
        let judged = |answer| judge(NOW, Some(&asked(0)), answer, NOW);
        assert_eq!(judged(Answer::Code(code("048213"))), Verdict::Right);
        assert_eq!(judged(Answer::Code(code("048214"))), wrong(4));
        assert_eq!(judged(Answer::Code(other)), wrong(4));
        assert_eq!(judged(Answer::Link), wrong(4), "a code is not answered by a link");
        assert_eq!(judge(NOW, None, Answer::Link, NOW), wrong(0));
    }

    #[test]
    fn after_five_wrong_codes_the_right_one_is_wrong_too() {
        let right = Answer::Code(code("048213"));
        for tries in 0..limits::DOUBLE_OPT_IN_TRIES {
            assert_eq!(judge(NOW, Some(&asked(tries)), right, NOW), Verdict::Right, "{tries}");
        }
        for tries in limits::DOUBLE_OPT_IN_TRIES..limits::DOUBLE_OPT_IN_TRIES + 3 {
            let verdict = judge(NOW, Some(&asked(tries)), right, NOW);
            assert_eq!(verdict, Verdict::Wrong { tries_left: 0 }, "{tries}");
        }
    }

    #[test]
    fn an_answer_lapses_seven_days_after_the_question_and_after_what_it_is_about() {
        let link = Asked { code: None, ..asked(0) };
        let last = NOW.plus(Span::days(7));
        let before = last.minus(Span::micros(1));
        assert_eq!(judge(NOW, Some(&link), Answer::Link, before), Verdict::Right);
        assert_eq!(judge(NOW, Some(&link), Answer::Link, last), Verdict::Lapsed);
        // Ticked again after two days, when nothing new was sent: the older code lapses at its own time.
        let later = NOW.plus(Span::days(2));
        let right = Answer::Code(code("048213"));
        assert_eq!(judge(later, Some(&asked(0)), right, before), Verdict::Right);
        assert_eq!(judge(later, Some(&asked(0)), right, last), Verdict::Lapsed);
    }

    #[test]
    fn nobody_is_asked_twice_in_three_days_nor_about_what_is_pending_for_ten() {
        let day = |days| NOW.plus(Span::days(days));
        let instant = Span::micros(1);
        assert!(may_ask(NOW, None, NOW));
        assert!(!may_ask(NOW, Some(NOW), day(3).minus(instant)));
        assert!(may_ask(NOW, Some(NOW), day(3)));
        assert!(may_ask(NOW, None, day(10).minus(instant)));
        assert!(!may_ask(NOW, None, day(10)));
    }

    #[test]
    fn what_is_counted_together_is_what_toll_fraud_has_in_common() {
        let book = PhoneBook::builtin();
        let home = [Region::parse("US").unwrap()];
        let of = |digits, network: &[u8]| {
            Counters::of(&phone(digits), Some(network), &home, (&book, &SECRET))
        };
        let one = of(14_155_552_671, b"a");
        assert_eq!(one.number_block, of(14_155_559_999, b"b").number_block);
        assert_ne!(one.number_block, of(14_155_562_671, b"a").number_block);
        assert_eq!(one.network, of(905_321_234_567, b"a").network);
        assert_ne!(one.network, of(14_155_552_671, b"b").network);
        assert_eq!(one.country, None, "a country of the workspace's own");
        let turkey = of(905_321_234_567, b"a").country;
        assert!(turkey.is_some() && turkey == of(905_551_234_567, b"a").country);
        assert_ne!(turkey, of(9_647_901_234_567, b"a").country);
        let email = crate::address::email::Email::parse("ada@example.org").unwrap();
        let email = Counters::of(&Address::Email(email), None, &home, (&book, &SECRET));
        assert_eq!(email, Counters::default());
    }

    #[test]
    fn a_pack_demands_it_of_numbers_of_its_country_on_its_channels() {
        let book = PhoneBook::builtin();
        let india = Settings { country_packs: [PackName::In].into(), ..Settings::default() };
        let (mumbai, london) = (phone(919_820_012_345), phone(447_400_123_456));
        assert!(is_required(&india, Channel::Sms, &mumbai, &book));
        assert!(!is_required(&india, Channel::WhatsApp, &mumbai, &book));
        assert!(!is_required(&india, Channel::Sms, &london, &book));
        assert!(!is_required(&Settings::default(), Channel::Sms, &mumbai, &book));
        // What is advised alone is not demanded.
        let europe = Settings { country_packs: [PackName::Eu].into(), ..Settings::default() };
        assert!(!is_required(&europe, Channel::Sms, &phone(4_915_123_456_789), &book));
    }

    /// Links that were sent must be read after an upgrade.
    #[test]
    fn tokens_are_what_they_were() {
        let token = DoubleOptInToken {
            workspace: WorkspaceId::from_bytes([1; 16]),
            id: DoubleOptInId::from_bytes([2; 16]),
        };
        insta::assert_snapshot!(token.token(LinkKey::default(), &SECRET), @"AgABAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAvwaaHwRLTes3thrYW-iMio");
    }

    proptest! {
        #[test]
        fn every_code_has_six_digits_and_is_read_as_it_is_shown(bytes: [u8; 8]) {
            let shown = Code::from_random(bytes).to_string();
            prop_assert_eq!(shown.len(), 6);
            prop_assert_eq!(Code::parse(&shown), Some(Code::from_random(bytes)));
        }

        #[test]
        fn a_token_says_which_question_it_answers(workspace: [u8; 16], id: [u8; 16], key: u32) {
            let (workspace, id) = (WorkspaceId::from_bytes(workspace), DoubleOptInId::from_bytes(id));
            let said = DoubleOptInToken { workspace, id };
            let token = said.token(LinkKey::from_number(key), &SECRET);
            let read = UnverifiedToken::parse(&token).unwrap();
            prop_assert_eq!(read.workspace(), workspace);
            prop_assert_eq!(read.verify(&SECRET), Some(said));
            prop_assert_eq!(read.verify(&AddressKeySecret::from_bytes([8; 32])), None);
            let personal = crate::proof::personal_link::UnverifiedLink::parse(&token);
            prop_assert!(personal.is_none(), "one is never taken for the other");
        }

        #[test]
        fn any_altered_letter_is_refused(id: [u8; 16], at: prop::sample::Index, to in "[A-Za-z0-9_-]") {
            let workspace = WorkspaceId::from_bytes([1; 16]);
            let said = DoubleOptInToken { workspace, id: DoubleOptInId::from_bytes(id) };
            let token = said.token(LinkKey::default(), &SECRET);
            prop_assert!(token.ends_with(|last: char| last.is_ascii_alphanumeric()), "{}", token);
            let at = at.index(token.len());
            let mut altered = token.clone();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != token);
            let read = UnverifiedToken::parse(&altered).and_then(|read| read.verify(&SECRET));
            prop_assert_eq!(read, None);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,160}") {
            let _ = UnverifiedToken::parse(&text);
            let _ = Code::parse(&text);
        }
    }
}
