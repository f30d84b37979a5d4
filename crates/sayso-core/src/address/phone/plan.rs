//! The numbering plans, compiled from the metadata of libphonenumber.

#![expect(
    deprecated,
    reason = "the library marks the fields that it empties in its own copies; decoded ones are full"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use prost::Message;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};
use rlibphonenumber::{
    ParseError, PhoneMetadata, PhoneMetadataCollection, PhoneNumberDesc, PhoneNumberFormat,
    PhoneNumberType, PhoneNumberUtil, get_national_significant_number_owned,
};

use super::beyond_doubt::BeyondDoubt;
use super::forms::Forms;
use super::{Care, EXAMPLE, Phone, PhoneFault, Region};

/// The metadata of libphonenumber as it publishes it: `data/README.md` tells how to renew it.
const BUILTIN: &[u8] = include_bytes!("../../../data/phone-metadata.bin");
/// The version of the metadata that is built in.
pub const BUILTIN_VERSION: &str = "9.0.42";

const CALLING_CODE_DIGITS_MAX: usize = 3;

/// Lengths fit the bits of a `u32`.
const LENGTHS_MAX: usize = 32;

/// More than a number has digits: ends a search that would not end by itself.
const TRUNK_PREFIXES_MAX: usize = 20;

/// The numbering plans of the world: which numbers are possible, valid, and of which region.
///
/// Cheap to clone. The plan of a calling code is compiled when its first number comes.
#[derive(Clone)]
pub struct PhoneBook(Arc<Book>);

struct Book {
    plans: BTreeMap<u16, Plan>,
    library: PhoneNumberUtil,
    data_version: &'static str,
    beyond_doubt: BeyondDoubt,
}

/// The numbering plan of one calling code.
struct Plan {
    /// The main one first. Which of several a number belongs to is asked in this order.
    territories: Vec<Territory>,
    /// Bit n: a national number may have n digits.
    lengths: u32,
    trunk_prefix: Option<String>,
    ranges: Vec<Range>,
    automata: OnceLock<Automata>,
}

struct Territory {
    region: Option<Region>,
    example: Option<Phone>,
}

/// National numbers that say something about a territory.
struct Range {
    /// Bit n: about territory n.
    territory: u32,
    says: Says,
    lengths: u32,
    pattern: String,
}

#[derive(Clone, Copy)]
enum Says {
    /// The number belongs to the territory, in use or not.
    Belongs,
    /// The territory has numbers of this shape.
    Shaped,
    /// The territory gives out numbers of this kind.
    Given,
}

struct Automata {
    ranges: dense::DFA<Vec<u32>>,
    trunk_prefix: Option<dense::DFA<Vec<u32>>>,
}

/// What the ranges say about one number: a bit per territory.
#[derive(Default)]
struct Said {
    belongs: u32,
    shaped: u32,
    given: u32,
}

impl PhoneBook {
    /// The numbering plans that this version of Sayso was built with; one copy for all who ask.
    ///
    /// # Panics
    /// If the metadata in the binary is damaged.
    #[expect(clippy::expect_used, reason = "a constant of the binary, read by every test")]
    pub fn builtin() -> Self {
        static BOOK: OnceLock<Arc<Book>> = OnceLock::new();
        let book = BOOK.get_or_init(|| {
            let metadata =
                PhoneMetadataCollection::decode(BUILTIN).expect("builtin metadata decodes");
            let plans = Plan::all(&metadata.metadata);
            let library =
                PhoneNumberUtil::new_for_metadata(metadata).expect("its regions are known");
            let beyond_doubt = BeyondDoubt::default();
            Arc::new(Book { plans, library, data_version: BUILTIN_VERSION, beyond_doubt })
        });
        Self(Arc::clone(book))
    }

    /// The version of the metadata.
    ///
    /// *Shape*: a release of libphonenumber, `9.0.42`.
    pub fn data_version(&self) -> &str {
        self.0.data_version
    }

    /// A number of this region that nobody uses, or that at least is valid.
    pub(super) fn example(&self, region: Region) -> Phone {
        self.0
            .plans
            .values()
            .flat_map(|plan| &plan.territories)
            .find(|territory| territory.region == Some(region))
            .and_then(|territory| territory.example)
            .unwrap_or(EXAMPLE)
    }

    /// How the example of this region is written there, its digits as `#` save those of a trunk prefix.
    pub(super) fn shape(&self, region: Region) -> Option<String> {
        let example = self.example(region);
        let number = self.0.library.parse(example.to_string(), None).ok()?;
        let written = self.0.library.format(&number, PhoneNumberFormat::National);
        let digits = written.chars().filter(char::is_ascii_digit).count();
        let national = get_national_significant_number_owned(&number).len();
        let mut trunk = digits.checked_sub(national)?;
        let shape = written.chars().map(|letter| {
            let is_of_trunk = letter.is_ascii_digit() && trunk > 0;
            trunk -= usize::from(is_of_trunk);
            if letter.is_ascii_digit() && !is_of_trunk { '#' } else { letter }
        });
        Some(shape.collect())
    }

    /// What numbers of this region begin with.
    pub(super) fn calling_code(&self, region: Region) -> Option<u16> {
        let is_of =
            |plan: &Plan| plan.territories.iter().any(|territory| territory.region == Some(region));
        self.0.plans.iter().find(|(_, plan)| is_of(plan)).map(|(code, _)| *code)
    }

    /// Whether a mobile phone may have this number. In doubt it may.
    pub(super) fn may_be_mobile(&self, phone: Phone) -> bool {
        let number = self.0.library.parse(format!("+{}", phone.digits()), None).ok();
        match number.map(|number| self.0.library.get_number_type(&number)) {
            Some(
                PhoneNumberType::FixedLine
                | PhoneNumberType::TollFree
                | PhoneNumberType::PremiumRate
                | PhoneNumberType::SharedCost
                | PhoneNumberType::Pager
                | PhoneNumberType::UAN
                | PhoneNumberType::VoiceMail,
            ) => false,
            Some(
                PhoneNumberType::Mobile
                | PhoneNumberType::FixedLineOrMobile
                | PhoneNumberType::VoIP
                | PhoneNumberType::PersonalNumber
                | PhoneNumberType::Unknown,
            )
            | None => true,
        }
    }

    pub(super) fn is_valid(&self, phone: Phone) -> bool {
        let mut buffer = Decimal::default();
        self.plan_of(buffer.write(phone.digits()))
            .is_some_and(|(plan, national)| plan.is_valid(&plan.said(national)))
    }

    pub(super) fn region(&self, phone: Phone) -> Option<Region> {
        let mut buffer = Decimal::default();
        let (plan, national) = self.plan_of(buffer.write(phone.digits()))?;
        plan.territory(&plan.said(national))?.region
    }

    /// The region of a number, or all that share its calling code where it is of none of them.
    pub(super) fn regions(&self, phone: Phone) -> Vec<Region> {
        let mut buffer = Decimal::default();
        let Some((plan, national)) = self.plan_of(buffer.write(phone.digits())) else {
            return Vec::new();
        };
        match plan.territory(&plan.said(national)) {
            Some(territory) => territory.region.into_iter().collect(),
            None => plan.territories.iter().filter_map(|territory| territory.region).collect(),
        }
    }

    /// Whether numbers of a plan begin with this.
    pub(super) fn is_calling_code(&self, code: u16) -> bool {
        self.0.plans.contains_key(&code)
    }

    /// Reads a number that begins with its calling code. A trunk prefix after it is dropped, and an
    /// old form is read as today's number, before its length is judged: that of an old form is often
    /// no length any more.
    pub(super) fn read_international(&self, number: u64, care: Care) -> Result<Phone, PhoneFault> {
        if self.0.beyond_doubt.holds(number, |head| self.lengths_beyond_doubt(head))
            && let Some(phone) = Phone::from_digits(number)
        {
            return Ok(phone);
        }
        self.read_in_doubt(number, care)
    }

    /// How many digits the numbers that begin with this may have, of which the plan proves that there is no
    /// other reading: no trunk prefix stands there, no form of another number begins so, and the length is
    /// one of the plan's.
    fn lengths_beyond_doubt(&self, head: u64) -> u32 {
        let mut buffer = Decimal::default();
        let digits = buffer.write(head);
        let Some((plan, national)) = self.plan_of(digits) else { return 0 };
        if plan.may_begin_with_trunk_prefix(national) {
            return 0;
        }
        let code = digits.len() - national.len();
        let is_plain = |length: &usize| {
            let is_measured =
                length.checked_sub(code).is_some_and(|rest| plan.measure(rest).is_ok());
            is_measured && !Forms::builtin().may_begin(head, *length)
        };
        (0..LENGTHS_MAX).filter(is_plain).fold(0, |lengths, length| lengths | 1 << length)
    }

    fn read_in_doubt(&self, number: u64, care: Care) -> Result<Phone, PhoneFault> {
        let number = self.today(number, care)?;
        let mut buffer = Decimal::default();
        let (plan, national) =
            self.plan_of(buffer.write(number)).ok_or(PhoneFault::UnknownCallingCode)?;
        if let Err(fault) = plan.measure(national.len()) {
            let is_taken = care == Care::Possible && Forms::builtin().is_alias(number);
            return Phone::from_digits(number).filter(|_| is_taken).ok_or(fault);
        }
        Phone::from_digits(number).ok_or(if number < 1_000_000 {
            PhoneFault::TooShort
        } else {
            PhoneFault::TooLong
        })
    }

    /// Reads a number as dialled in a region, exit codes of that region included.
    pub(super) fn read_national(
        &self,
        digits: &str,
        region: Region,
        care: Care,
    ) -> Result<Phone, PhoneFault> {
        self.read_with_library(digits, Some(region))
            .and_then(|number| self.read_international(number, care))
    }

    /// Today's form of a number, without trunk prefix: until nothing is left to drop, so that reading
    /// what was written changes nothing. An old form is taken for today's once.
    fn today(&self, number: u64, care: Care) -> Result<u64, PhoneFault> {
        let forms = Forms::builtin();
        let (mut number, mut is_renewed) = (number, false);
        for _ in 0..TRUNK_PREFIXES_MAX {
            if let Some(today) = forms.today(number, care).filter(|_| !is_renewed) {
                (number, is_renewed) = (today, true);
                continue;
            }
            let mut buffer = Decimal::default();
            let Some((plan, national)) = self.plan_of(buffer.write(number)) else {
                return Ok(number);
            };
            if !plan.has_trunk_prefix(national) {
                return Ok(number);
            }
            let shorter = self.read_with_library(&format!("+{number}"), None)?;
            if shorter == number {
                return Ok(number);
            }
            number = shorter;
        }
        Err(PhoneFault::NotPossible)
    }

    fn read_with_library(&self, text: &str, region: Option<Region>) -> Result<u64, PhoneFault> {
        let region =
            region.and_then(|region| rlibphonenumber::Region::from_code(region.as_str()).ok());
        let number = self.0.library.parse(text, region).map_err(|error| fault_of(&error))?;
        let national = get_national_significant_number_owned(&number);
        format!("{}{national}", number.country_code).parse().map_err(|_| PhoneFault::TooLong)
    }

    /// The plan that a number falls under, and its national digits.
    fn plan_of<'d>(&self, digits: &'d [u8]) -> Option<(&Plan, &'d [u8])> {
        let mut code = 0;
        (1..=CALLING_CODE_DIGITS_MAX).find_map(|length| {
            let (head, national) = digits.split_at_checked(length)?;
            code = code * 10 + u16::from(head.last()? - b'0');
            Some((self.0.plans.get(&code)?, national))
        })
    }
}

impl fmt::Debug for PhoneBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneBook({})", self.data_version())
    }
}

impl Plan {
    fn all(metadata: &[PhoneMetadata]) -> BTreeMap<u16, Self> {
        let mut by_code = BTreeMap::<u16, Vec<&PhoneMetadata>>::new();
        for territory in metadata {
            if let Ok(code) = u16::try_from(territory.country_code()) {
                by_code.entry(code).or_default().push(territory);
            }
        }
        by_code
            .into_iter()
            .map(|(code, mut territories)| {
                territories.sort_by_key(|territory| !territory.main_country_for_code());
                (code, Self::new(code, &territories))
            })
            .collect()
    }

    fn new(code: u16, territories: &[&PhoneMetadata]) -> Self {
        let main = territories.first();
        Self {
            territories: territories
                .iter()
                .map(|territory| Territory::new(code, territory))
                .collect(),
            lengths: main
                .and_then(|main| main.general_desc.as_ref())
                .map_or(0, |general| bits(&general.possible_length)),
            trunk_prefix: main
                .and_then(|main| main.national_prefix_for_parsing.as_deref())
                .map(unwrapped),
            ranges: (0..)
                .zip(territories)
                .flat_map(|(index, territory)| Range::all(1 << index, territory))
                .collect(),
            automata: OnceLock::new(),
        }
    }

    fn measure(&self, digits: usize) -> Result<(), PhoneFault> {
        if has_bit(self.lengths, digits) {
            Ok(())
        } else if !(0..digits).any(|fewer| has_bit(self.lengths, fewer)) {
            Err(PhoneFault::TooShort)
        } else if !(digits..LENGTHS_MAX).any(|more| has_bit(self.lengths, more)) {
            Err(PhoneFault::TooLong)
        } else {
            Err(PhoneFault::NotPossible)
        }
    }

    fn has_trunk_prefix(&self, national: &[u8]) -> bool {
        let input = Input::new(national).anchored(Anchored::Yes);
        self.automata().trunk_prefix.as_ref().is_some_and(|prefix| {
            let longest = prefix.try_search_fwd(&input);
            longest.is_ok_and(|end| end.is_some_and(|end| end.offset() > 0))
        })
    }

    /// Whether a national number that begins with these digits may have a trunk prefix: unless the automaton
    /// that looks for one has come to its end, and found none.
    fn may_begin_with_trunk_prefix(&self, national: &[u8]) -> bool {
        let Some(prefix) = &self.automata().trunk_prefix else { return false };
        let Some(mut state) = prefix.universal_start_state(Anchored::Yes) else { return true };
        for (place, digit) in national.iter().enumerate() {
            state = prefix.next_state(state, *digit);
            // A match is told a digit late: what is told of the first digit is a prefix of none.
            if place > 0 && prefix.is_match_state(state) {
                return true;
            }
            if prefix.is_dead_state(state) {
                return false;
            }
        }
        true
    }

    fn is_valid(&self, said: &Said) -> bool {
        self.territory_index(said).is_some_and(|index| has_bit(said.given & said.shaped, index))
    }

    fn territory(&self, said: &Said) -> Option<&Territory> {
        self.territories.get(self.territory_index(said)?)
    }

    /// The first that the number belongs to; a plan with one territory has no other choice.
    fn territory_index(&self, said: &Said) -> Option<usize> {
        let own = said.belongs | said.given & said.shaped;
        (0..self.territories.len())
            .find(|index| self.territories.len() == 1 || has_bit(own, *index))
    }

    fn said(&self, national: &[u8]) -> Said {
        let mut said = Said::default();
        let automaton = &self.automata().ranges;
        let Some(start) = automaton.universal_start_state(Anchored::Yes) else {
            return said;
        };
        let last = national.iter().fold(start, |state, digit| automaton.next_state(state, *digit));
        let end = automaton.next_eoi_state(last);
        if automaton.is_match_state(end) {
            (0..automaton.match_len(end))
                .filter_map(|index| self.ranges.get(automaton.match_pattern(end, index).as_usize()))
                .filter(|range| has_bit(range.lengths, national.len()))
                .for_each(|range| said.hear(range));
        }
        said
    }

    fn automata(&self) -> &Automata {
        self.automata.get_or_init(|| Automata {
            ranges: compile(self.ranges.iter().map(|range| range.pattern.as_str())),
            trunk_prefix: self.trunk_prefix.as_deref().map(|prefix| compile([prefix])),
        })
    }
}

impl Territory {
    fn new(code: u16, metadata: &PhoneMetadata) -> Self {
        Self {
            region: Region::parse(&metadata.id).ok(),
            example: [&metadata.mobile, &metadata.fixed_line]
                .into_iter()
                .flatten()
                .find_map(|kind| kind.example_number.as_deref())
                .and_then(|national| format!("{code}{national}").parse().ok())
                .and_then(Phone::from_digits),
        }
    }
}

impl Range {
    fn all(territory: u32, metadata: &PhoneMetadata) -> impl Iterator<Item = Self> {
        let belongs = metadata.leading_digits.iter().map(move |prefix| Self {
            territory,
            says: Says::Belongs,
            lengths: u32::MAX,
            pattern: format!("(?:{})[0-9]*", unwrapped(prefix)),
        });
        let shaped = metadata.general_desc.iter().map(|desc| (Says::Shaped, desc));
        let given = kinds(metadata).map(|desc| (Says::Given, desc));
        belongs.chain(shaped.chain(given).filter_map(move |(says, desc)| {
            Some(Self {
                territory,
                says,
                lengths: if desc.possible_length.is_empty() {
                    u32::MAX
                } else {
                    bits(&desc.possible_length)
                },
                pattern: unwrapped(desc.national_number_pattern.as_deref()?),
            })
        }))
    }
}

impl Said {
    const fn hear(&mut self, range: &Range) {
        match range.says {
            Says::Belongs => self.belongs |= range.territory,
            Says::Shaped => self.shaped |= range.territory,
            Says::Given => self.given |= range.territory,
        }
    }
}

/// Kinds of number that count as in use; emergency and short numbers do not.
fn kinds(metadata: &PhoneMetadata) -> impl Iterator<Item = &PhoneNumberDesc> {
    [
        &metadata.fixed_line,
        &metadata.mobile,
        &metadata.toll_free,
        &metadata.premium_rate,
        &metadata.shared_cost,
        &metadata.personal_number,
        &metadata.voip,
        &metadata.pager,
        &metadata.uan,
        &metadata.voicemail,
    ]
    .into_iter()
    .flatten()
}

/// The pattern itself: this metadata wraps each as `^(?:…)$`.
fn unwrapped(pattern: &str) -> String {
    pattern
        .strip_prefix("^(?:")
        .and_then(|pattern| pattern.strip_suffix(")$"))
        .unwrap_or(pattern)
        .to_owned()
}

/// An automaton that reports every pattern that matches from the start.
#[expect(clippy::expect_used, reason = "constants of the binary; a test compiles them all")]
fn compile<'p>(patterns: impl IntoIterator<Item = &'p str>) -> dense::DFA<Vec<u32>> {
    let patterns: Vec<&str> = patterns.into_iter().collect();
    dense::Builder::new()
        .configure(dense::Config::new().match_kind(MatchKind::All).start_kind(StartKind::Anchored))
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .build_many(&patterns)
        .expect("builtin patterns compile")
}

fn fault_of(error: &ParseError) -> PhoneFault {
    match error {
        ParseError::InvalidCountryCode => PhoneFault::UnknownCallingCode,
        ParseError::NotANumber(_) => PhoneFault::NotPossible,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneFault::TooShort,
        ParseError::TooLongNsn => PhoneFault::TooLong,
    }
}

fn bits(lengths: &[i32]) -> u32 {
    lengths
        .iter()
        .filter_map(|length| 1_u32.checked_shl(u32::try_from(*length).ok()?))
        .fold(0, |bits, bit| bits | bit)
}

fn has_bit(bits: u32, index: usize) -> bool {
    u32::try_from(index).is_ok_and(|index| bits.checked_shr(index).unwrap_or(0) & 1 == 1)
}

/// Room for the decimal digits of a number.
#[derive(Default)]
struct Decimal([u8; 20]);

impl Decimal {
    fn write(&mut self, mut number: u64) -> &[u8] {
        let mut start = self.0.len();
        for byte in self.0.iter_mut().rev() {
            *byte = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
            start -= 1;
            if number == 0 {
                break;
            }
        }
        self.0.get(start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told by the first digits alone is what reading says: over every calling code, each length, and
    /// digits that begin trunk prefixes.
    #[test]
    fn what_is_beyond_doubt_is_read_as_itself() {
        let book = PhoneBook::builtin();
        let mut beyond = 0_u32;
        for head in (10_000..100_000).step_by(23) {
            for (below, rest) in
                [(3, 555_u64), (4, 2_671), (5, 90_210), (6, 552_671), (7, 1_505_550)]
            {
                for digits in [rest, 0, 10_u64.pow(below) - 1] {
                    let number = head * 10_u64.pow(below) + digits;
                    let look = |head| book.lengths_beyond_doubt(head);
                    if !book.0.beyond_doubt.holds(number, look) {
                        continue;
                    }
                    beyond += 1;
                    for care in [Care::Possible, Care::Valid] {
                        let read = book.read_in_doubt(number, care).map(Phone::digits);
                        assert_eq!(read, Ok(number), "+{number}");
                    }
                }
            }
        }
        assert!(beyond > 10_000, "{beyond} numbers were beyond doubt");
    }

    #[test]
    fn old_forms_and_trunk_prefixes_are_never_beyond_doubt() {
        let book = PhoneBook::builtin();
        let holds =
            |number| book.0.beyond_doubt.holds(number, |head| book.lengths_beyond_doubt(head));
        for number in [
            4_901_711_234_567,
            4_407_911_123_456,
            553_187_650_002,
            5_215_512_345_678,
            22_545_123_456,
        ] {
            assert!(!holds(number), "+{number}");
        }
        for number in [14_155_552_671, 447_911_123_456, 919_876_543_210, 491_711_234_567] {
            assert!(holds(number), "+{number}");
        }
    }
}
