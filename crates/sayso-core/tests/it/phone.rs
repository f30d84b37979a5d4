//! Every spelling of a number is one number; what is refused is refused by name; and the automata
//! say what the library says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL as LIBRARY, PhoneNumber, PhoneNumberType,
    get_national_significant_number_owned,
};
use sayso_core::address::phone::{Phone, PhoneBook, PhoneFault, Region};

const SPELLINGS: &str = include_str!("../data/phones.tsv");
const PAIRS: &str = include_str!("../data/phone-pairs.tsv");

thread_local!(static BOOK: PhoneBook = PhoneBook::builtin());

fn book() -> PhoneBook {
    BOOK.with(PhoneBook::clone)
}

fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let (hex, rest) = part.split_once('}').unwrap();
        text.extend(char::from_u32(u32::from_str_radix(hex, 16).unwrap()));
        text + rest
    })
}

/// `+12015550123`, `TooShort`, `NotValid US`.
fn describe(result: Result<Phone, PhoneFault>) -> String {
    match result {
        Ok(phone) => phone.to_string(),
        Err(PhoneFault::NotValid { region }) => {
            region.map_or("NotValid".to_owned(), |region| format!("NotValid {region}"))
        }
        Err(fault) => format!("{fault:?}"),
    }
}

/// Ten digits behind the exit code `00`, typed where numbers have ten digits themselves: messaging programs
/// write those of North America so, but nobody who writes a Norwegian number means one of them.
#[test]
fn what_an_opt_in_is_read_as_a_refusal_is_read_as_too_behind_an_exit_code() {
    for (text, region, number) in [
        ("004722123456", "US", "+4722123456"),
        ("0047 22 12 34 56", "CA", "+4722123456"),
        ("005 15-2308/789", "AS", "+5152308789"),
    ] {
        let region = Region::parse(region).ok();
        assert_eq!(describe(Phone::parse(text, region, &book())), number, "{text}");
        assert_eq!(describe(Phone::parse_possible(text, region, &book())), number, "{text}");
    }
    let us = Region::parse("US").ok();
    let read = Phone::parse_possible("004155552671", us, &book());
    assert_eq!(describe(read), "+14155552671", "no number of another country");
}

#[test]
fn every_spelling_in_the_table_reads_as_it_says() {
    let book = book();
    let mut failures = Vec::new();
    for row in SPELLINGS.lines().filter(|row| !row.starts_with('#')) {
        let [text, region, parse, possible] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {row}");
        };
        let possible = if possible == "=" { parse } else { possible };
        let (text, region) = (unescape(text), Region::parse(region).ok());
        let found = [
            describe(Phone::parse(&text, region, &book)),
            describe(Phone::parse_possible(&text, region, &book)),
        ];
        if found != [parse, possible] {
            failures.push(format!("{row}\n    is {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A spelling of the table of old and second forms, and its region.
fn spelling_of(text: &str) -> (&str, Option<Region>) {
    let region = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    region.map_or((text, None), |(text, region)| (text, Region::parse(region).ok()))
}

/// What a provider sends as digits and a person writes in groups are one text here.
fn as_delivered(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    format!("+{digits}")
}

#[test]
fn every_old_and_second_form_of_the_table_is_read_as_its_use_says() {
    let book = book();
    let mut failures = Vec::new();
    for row in PAIRS.lines().filter(|row| !row.starts_with('#')) {
        let [spelling, canonical, same_line, how] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns: {row}");
        };
        let (text, region) = spelling_of(spelling);
        let text = if region.is_some() { text.to_owned() } else { as_delivered(text) };
        let read = Phone::parse_possible(&text, region, &book);
        let canonical = Phone::parse(canonical, None, &book).unwrap();
        let is_canonical = read == Ok(canonical);
        let crosses = read.is_ok_and(|read| {
            read.other_forms().contains(&canonical) && canonical.other_forms().contains(&read)
        });
        let is_right = match how {
            "R" | "=" => is_canonical && Phone::parse(&text, region, &book) == read,
            "A" => !is_canonical && crosses,
            "N" => !is_canonical && !crosses,
            other => panic!("{other} is no use"),
        };
        if !is_right || !matches!(same_line, "yes" | "no") {
            failures.push(format!("{row}\n    is {}, crosses: {crosses}", describe(read)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn of_two_valid_readings_the_one_that_fits_is_taken() {
    let book = book();
    let germany = Region::parse("DE").ok();
    let mobile = |phone: Phone| phone.may_be_mobile(&book);
    let read = |text| Phone::parse_fitting(text, germany, &book, mobile).unwrap().to_string();
    assert_eq!(read("436601234509"), "+436601234509", "Austrian, typed with Germany chosen");
    assert_eq!(read("01512 3456789"), "+4915123456789");
    assert_eq!(read("030 123456"), "+4930123456", "a landline is what it is");
}

#[test]
fn benin_is_read_before_and_after_the_metadata_that_forgets_its_eight_digits() {
    let book = book();
    for old in ["22997123456", "22961123456", "22921301234"] {
        let today = Phone::parse(&format!("+{old}"), None, &book).unwrap();
        assert_eq!(today.to_string(), format!("+22901{}", &old[3..]));
        let old = Phone::from_digits(old.parse().unwrap()).unwrap();
        assert_eq!(today.other_forms(), [old], "what was stored is still found");
    }
}

#[test]
fn a_fault_shows_no_digit_of_the_text() {
    let book = book();
    for row in SPELLINGS.lines().filter(|row| !row.starts_with('#')) {
        let text = unescape(row.split('\t').next().unwrap());
        if let Err(fault) = Phone::parse(&text, None, &book) {
            let shown = fault.to_string().replace("64 bytes", "");
            assert!(!shown.contains(|character: char| character.is_ascii_digit()), "{shown}");
        }
    }
}

#[test]
fn every_region_has_a_valid_example() {
    let book = book();
    for code in LIBRARY.get_supported_regions() {
        let region = Region::parse(&code.as_region_str().to_lowercase()).unwrap();
        let example = PhoneFault::Empty.example(Some(region), &book);
        let calling_code = LIBRARY.get_country_code_for_region(code).unwrap();
        assert!(example.is_valid(&book), "{region} {example}");
        assert!(example.to_string().starts_with(&format!("+{calling_code}")));
    }
    let none = PhoneFault::Empty.example(None, &book);
    assert_eq!(none.to_string(), "+12015550123");
    let at_fault = PhoneFault::NotValid { region: Region::parse("GB").ok() };
    assert_eq!(at_fault.example(None, &book).to_string(), "+447400123456");
}

#[test]
fn regions_are_those_of_the_metadata() {
    let known: BTreeSet<String> =
        LIBRARY.get_supported_regions().map(|region| region.as_region_str().to_string()).collect();
    let letters = || ('A'..='Z').chain('0'..='1');
    let parsed: BTreeSet<String> = letters()
        .flat_map(|first| letters().map(move |second| format!("{first}{second}")))
        .filter(|code| Region::parse(code).is_ok())
        .collect();
    assert_eq!(parsed, known);
    for text in ["", "G", "GBR", "ZZ", "001", "AC AD", "é"] {
        assert!(Region::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_number_of_no_region_may_be_of_all_that_share_its_calling_code() {
    let regions = |digits| -> Vec<String> {
        let regions = Phone::from_digits(digits).unwrap().regions(&book());
        regions.iter().map(ToString::to_string).collect()
    };
    assert_eq!(regions(14_155_552_671), ["US"]);
    assert_eq!(regions(18_095_550_123), ["DO"]);
    let american = regions(15_550_100_001);
    assert_eq!((american.len(), american[0].as_str()), (25, "US"), "an area code that nobody has");
    assert_eq!(regions(800_1234_5678), [""; 0], "a service of the whole world");
    assert_eq!(regions(999_123_456_789), [""; 0], "no calling code");
}

#[test]
fn the_metadata_is_that_of_the_library() {
    assert_eq!(book().data_version(), "9.0.42");
}

#[test]
fn stored_digits_have_the_length_of_a_phone_number() {
    for digits in [0, 999_999, 1_000_000_000_000_000, u64::MAX] {
        assert_eq!(Phone::from_digits(digits), None);
    }
    for digits in [1_000_000, 999_999_999_999_999] {
        assert_eq!(Phone::from_digits(digits).map(Phone::digits), Some(digits));
    }
}

/// One example of every kind in every region and global service, then numbers near them.
#[test]
fn automata_and_library_agree_on_every_region() {
    let book = book();
    let mut random = Xorshift(0x5a_750);
    for example in examples() {
        for round in 0..60 {
            let text = if round == 0 { example.clone() } else { random.vary(&example) };
            assert_agrees(&text, &book);
        }
    }
}

fn examples() -> Vec<String> {
    const KINDS: [PhoneNumberType; 10] = [
        PhoneNumberType::FixedLine,
        PhoneNumberType::Mobile,
        PhoneNumberType::TollFree,
        PhoneNumberType::PremiumRate,
        PhoneNumberType::SharedCost,
        PhoneNumberType::VoIP,
        PhoneNumberType::PersonalNumber,
        PhoneNumberType::Pager,
        PhoneNumberType::UAN,
        PhoneNumberType::VoiceMail,
    ];
    let regional = LIBRARY.get_supported_regions().flat_map(|region| {
        KINDS.into_iter().filter_map(move |kind| {
            LIBRARY.get_example_number_for_type_and_region(region, kind).ok()
        })
    });
    let global = LIBRARY
        .get_supported_global_network_calling_codes()
        .filter_map(|code| LIBRARY.get_example_number_for_non_geo_entity(code).ok());
    regional.chain(global).map(|number| format!("+{}", international(&number))).collect()
}

fn international(number: &PhoneNumber) -> String {
    let national = get_national_significant_number_owned(number);
    format!("{}{national}", number.country_code)
}

/// The library drops one trunk prefix at a time, we drop all; and it knows numbers that have no
/// international form (local only, under 7 digits or over 15), which we refuse.
fn assert_agrees(text: &str, book: &PhoneBook) {
    let theirs = read_until_stable(text).filter(|number| {
        LIBRARY.is_possible_number_with_reason(number) == Ok(NumberLengthType::IsPossible)
    });
    let possible =
        theirs.as_ref().and_then(|number| Phone::from_digits(international(number).parse().ok()?));
    let read = Phone::parse_possible(text, None, book);
    if read.is_ok_and(|read| Some(read) != possible) {
        // Of an old or a second form the library knows nothing, or something else.
        let has_zeros_after_the_one = text.starts_with("+10");
        assert!(has_zeros_after_the_one || !read.unwrap().other_forms().is_empty(), "{text}");
        return;
    }
    assert_eq!(read.ok(), possible, "{text}");

    let (Some(theirs), Some(phone)) = (theirs, possible) else {
        assert!(Phone::parse(text, None, book).is_err(), "{text}");
        return;
    };
    let is_valid = LIBRARY.is_valid_number(&theirs);
    assert_eq!(Phone::parse(text, None, book).ok(), is_valid.then_some(phone), "{text}");
    assert_eq!(phone.is_valid(book), is_valid, "{text}");
    let region = LIBRARY
        .get_region_for_number(&theirs)
        .and_then(|region| Region::parse(&region.as_region_str()).ok());
    assert_eq!(phone.region(book), region, "{text}");
}

fn read_until_stable(text: &str) -> Option<PhoneNumber> {
    let number = LIBRARY.parse(text, None).ok()?;
    let again = LIBRARY.parse(format!("+{}", international(&number)), None).ok()?;
    if again == number {
        Some(number)
    } else {
        read_until_stable(&format!("+{}", international(&again)))
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0).unwrap_or_default() % bound
    }

    fn digit(&mut self) -> char {
        char::from(b"0123456789"[self.below(10)])
    }

    /// Changes some digits after the first, and at times the length.
    fn vary(&mut self, number: &str) -> String {
        let mut varied: Vec<char> = number.chars().collect();
        for _ in 0..=self.below(4) {
            let at = 2 + self.below(varied.len() - 2);
            varied[at] = self.digit();
        }
        match self.below(6) {
            0 => _ = varied.pop(),
            1 => varied.push(self.digit()),
            2 => varied.insert(2 + self.below(3), '0'),
            _ => {}
        }
        varied.into_iter().collect()
    }
}

fn any_region() -> impl Strategy<Value = Option<Region>> {
    proptest::option::of("[A-Z]{2}").prop_map(|code| Region::parse(&code?).ok())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}", region in any_region()) {
        let book = book();
        let _ = Phone::parse(&text, region, &book);
        let _ = Phone::parse_possible(&text, region, &book);
    }

    #[test]
    fn what_is_written_reads_as_itself(
        text in "(\\+|00|whatsapp:|tel:\\+|)[ (]?[0-9]{1,4}[ )-]{0,2}[0-9]{3,14}",
        region in any_region(),
    ) {
        let book = book();
        if let Ok(phone) = Phone::parse_possible(&text, region, &book) {
            let written = phone.to_string();
            prop_assert_eq!(Phone::parse_possible(&written, None, &book), Ok(phone));
            prop_assert_eq!(Phone::from_digits(phone.digits()), Some(phone));
            prop_assert_eq!(Phone::parse(&written, None, &book).is_ok(), phone.is_valid(&book));
        }
        if let Ok(phone) = Phone::parse(&text, region, &book) {
            prop_assert_eq!(Phone::parse_possible(&text, region, &book), Ok(phone));
        }
    }
}

#[test]
fn a_landline_is_told_from_a_number_that_a_mobile_phone_may_have() {
    let book = PhoneBook::builtin();
    for (text, may_be) in [
        ("+4915123456789", true),
        ("+493012345678", false),
        ("+14155552671", true),
        ("+18005550123", false),
        ("+905321234567", true),
        ("+902121234567", false),
        ("+919876543210", true),
    ] {
        let phone = Phone::parse_possible(text, None, &book).unwrap();
        assert_eq!(phone.may_be_mobile(&book), may_be, "{text}");
    }
}

#[test]
fn every_region_has_a_calling_code_that_its_example_begins_with() {
    let book = PhoneBook::builtin();
    for region in Region::all() {
        let code = region.calling_code(&book).unwrap();
        let example = region.example(&book);
        assert!(example.digits().to_string().starts_with(&code.to_string()), "{region}: {example}");
    }
}
