//! Telephone numbers: every spelling a provider, a form or a person uses, read into one normal
//! form.
//!
//! The normal form is the E.164 number as an integer. A spelling is read once (`spelling`); what
//! the plans no longer know is read as today's number (`forms`); the numbering plans (`plan`) then
//! say which digits are a trunk prefix, how long a number may be and whether it is in use. Lengths and ranges are judged by automata compiled from the metadata
//! of libphonenumber; only numbers that carry a trunk prefix, and national ones, go through the
//! library itself. Both read the same file, so they cannot disagree by version.
//!
//! Absent on purpose: formatting for people, kinds of number (mobile, fixed), and extensions.

use std::fmt;

use thiserror::Error;

use self::forms::Forms;
use self::spelling::Placing;

mod beyond_doubt;
mod forms;
mod plan;
mod spelling;

pub use forms::FORMS_VERSION;
pub use plan::{BUILTIN_VERSION, PhoneBook};

/// The longest text read as a phone number; a `tel:` URI with every separator is half as long.
///
/// *Units*: bytes of UTF-8.
pub const PHONE_TEXT_BYTES_MAX: usize = 64;

/// How many first digits there are by which forms of numbers are found.
pub const PHONE_HEADS: usize = forms::HEADS;

/// A telephone number in its normal form.
///
/// *Shape*: country calling code and national number, 7 to 15 digits without a leading zero,
/// below 10¹⁵ and so within 50 bits. `Display` writes a plus and the digits, `+12015550123`.
///
/// *Source*: ITU-T E.164 (11/2010), section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(u64);

/// By what numbers are read: the versions of the metadata and of the old and second forms.
///
/// *Shape*: `9.0.42, forms 2026.11.30`.
pub fn reading_version() -> String {
    format!("{BUILTIN_VERSION}, forms {FORMS_VERSION}")
}

/// A country or territory with a numbering plan.
///
/// *Shape*: two capital letters of ISO 3166-1 alpha-2, or one of the reserved codes that the phone
/// metadata uses (`AC`, `TA`, `XK`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; 2]);

/// A text that names no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no two-letter country code")]
pub struct RegionFault;

/// Why a text is no phone number. Never shows the text: faults are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PhoneFault {
    /// Empty, or white space only.
    #[error("is empty")]
    Empty,
    /// More than [`PHONE_TEXT_BYTES_MAX`] bytes.
    #[error("is longer than {PHONE_TEXT_BYTES_MAX} bytes")]
    TextTooLong,
    /// Punctuation only.
    #[error("has no digits")]
    NoDigits,
    /// Words, or letters that stand for digits (`1-800-FLOWERS`).
    #[error("has letters, a phone number has digits only")]
    Letters,
    /// A character that is neither a digit nor a separator.
    #[error("has a character that is neither a digit nor a separator")]
    Symbol,
    /// A number behind a switchboard; it cannot be sent to.
    #[error("has an extension, which cannot receive messages")]
    Extension,
    /// A national number, and nobody said of which country.
    #[error(
        "is a national number without a country: write it with a plus and its country code, or name its `region`"
    )]
    NeedsRegion,
    /// Digits without a plus that are no international number in use, and nobody said of which
    /// country they are.
    #[error(
        "isn't an international number in use, and has no country: write it with a plus and its country code, or name its `region`"
    )]
    Unplaced,
    /// What a spreadsheet made of a number: `62812345678.0`, `9.19E+11`.
    #[error("was spoilt by a spreadsheet, its digits are lost: format the column as text")]
    Spoilt,
    /// No country has this calling code.
    #[error("begins with no known country calling code")]
    UnknownCallingCode,
    /// Fewer digits than any number of its country, or than 7.
    #[error("has too few digits")]
    TooShort,
    /// More digits than any number of its country, or than 15.
    #[error("has too many digits")]
    TooLong,
    /// A number of digits between the shortest and the longest of its country that none has.
    #[error("has a number of digits that no phone number of its country has")]
    NotPossible,
    /// In no range that its numbering plan gives out.
    #[error("is not in use in {}", .region.as_ref().map_or("its numbering plan", Region::as_str))]
    NotValid {
        /// The region it would belong to, where its first digits tell.
        region: Option<Region>,
    },
}

/// The value of a decimal digit of any script.
pub(crate) fn decimal_digit(character: char) -> Option<u64> {
    spelling::digit(character)
}

/// How well a number must be known to be one (rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Its plan gives it out.
    Valid,
    /// It has a length that its plan has.
    Possible,
}

/// What a text can be read as, the likelier first. A number among them has a possible length.
struct Readings {
    likely: Result<Phone, PhoneFault>,
    other: Option<Result<Phone, PhoneFault>>,
}

impl Phone {
    /// Parses a number that must be valid: in a range its numbering plan gives out. For opt-ins
    /// (rule 1).
    ///
    /// *Shape*: `+12015550123`; the same digits without plus (Meta, Gupshup, dotdigital) or after
    /// `00`; after `whatsapp:` (Twilio) or `tel:` (RFC 3966); with spaces, dashes, dots, slashes,
    /// parentheses and a trunk prefix (`+44 (0)20 …`); in the decimal digits of any script. With a
    /// region also as dialled there.
    ///
    /// Digits without plus and with a region are, in this order and where valid: an international
    /// number of that region; a national number; an international number of another region. So
    /// `4915123456789` in Germany is the mobile number that WhatsApp means, though `04915…` is a
    /// town. Without a region they are the international number, if that is valid. What is written
    /// as national (`(646) 355-0134`, `030/123456`, `07400 123456`) is never read as international.
    ///
    /// An old form of a number is read as today's: `5215512345678`, `553188887777` (see
    /// [`Phone::other_forms`]).
    ///
    /// # Errors
    /// [`PhoneFault`]; [`PhoneFault::NotValid`] only from here.
    ///
    /// ```
    /// use sayso_core::address::phone::{Phone, PhoneBook, Region};
    ///
    /// let book = PhoneBook::builtin();
    /// let london = Phone::parse("+44 20 7183 8750", None, &book)?;
    /// let britain = Region::parse("GB").ok();
    /// assert_eq!(Phone::parse("020 7183 8750", britain, &book)?, london);
    /// assert_eq!(london.to_string(), "+442071838750");
    /// # Ok::<(), sayso_core::address::phone::PhoneFault>(())
    /// ```
    pub fn parse(text: &str, region: Option<Region>, book: &PhoneBook) -> Result<Self, PhoneFault> {
        Self::parse_fitting(text, region, book, |_| true)
    }

    /// Parses as [`Phone::parse`], and where a text can be read as several valid numbers takes the
    /// first that fits, if one does: `436601234509` typed with Germany chosen is an Austrian mobile
    /// phone rather than a German landline.
    ///
    /// # Errors
    /// [`PhoneFault`].
    pub fn parse_fitting(
        text: &str,
        region: Option<Region>,
        book: &PhoneBook,
        fits: impl Fn(Self) -> bool,
    ) -> Result<Self, PhoneFault> {
        let readings = Readings::of(text, region, book, Care::Valid)?;
        let mut valid = readings.valid(book);
        let Some(first) = valid.next() else { return Err(readings.fault(book)) };
        Ok(if fits(first) { first } else { valid.find(|other| fits(*other)).unwrap_or(first) })
    }

    /// Parses a number that need only be possible: of a length its country has. For opt-outs, which
    /// are accepted in doubt (rules 1 and 5), and for questions. Whatever [`Phone::parse`] accepts
    /// reads the same here. Digits without a plus and without a region must be valid here too: else
    /// they would be a stranger's as often as not.
    ///
    /// # Errors
    /// [`PhoneFault`].
    pub fn parse_possible(
        text: &str,
        region: Option<Region>,
        book: &PhoneBook,
    ) -> Result<Self, PhoneFault> {
        // First as an opt-in is read: a form that is read for refusals alone says less than a valid number.
        if let Some(valid) = Readings::of(text, region, book, Care::Valid)?.valid(book).next() {
            return Ok(valid);
        }
        let readings = Readings::of(text, region, book, Care::Possible)?;
        let first = readings.valid(book).next();
        first.map_or_else(|| readings.likely, Ok)
    }

    /// Reads the digits of an international number, as [`Phone::parse_possible`] reads them after a
    /// plus.
    ///
    /// # Errors
    /// [`PhoneFault`].
    pub fn read_possible(digits: u64, book: &PhoneBook) -> Result<Self, PhoneFault> {
        book.read_international(digits, Care::Possible)
    }

    /// The other forms of the line with this number: old ones, and second ones that are in use beside
    /// it. What is refused under one of them is refused under this; an opt-in never crosses. Nearly
    /// every number has none.
    pub fn other_forms(self) -> Vec<Self> {
        let others = Forms::builtin().others(self.0);
        others.into_iter().filter_map(Self::from_digits).collect()
    }

    /// Whether it may be an old or second form itself, told by its first digits and their number: false is
    /// certain. Of two forms of a line at least one may, so who knows no such number knows no line twice.
    pub fn may_be_form(self) -> bool {
        Forms::builtin().may_be_form(self.0)
    }

    /// Its first digits, by which [forms](Self::other_forms) are found.
    ///
    /// *Shape*: below [`PHONE_HEADS`].
    pub fn head(self) -> usize {
        forms::head(self.0)
    }

    /// Those of its other forms that are read as this number, and so are it beyond doubt.
    pub fn old_forms(self) -> Vec<Self> {
        Forms::builtin().old(self.0).into_iter().filter_map(Self::from_digits).collect()
    }

    /// The number with these digits, for values that were parsed before they were stored.
    pub const fn from_digits(digits: u64) -> Option<Self> {
        match digits {
            1_000_000..1_000_000_000_000_000 => Some(Self(digits)),
            _ => None,
        }
    }

    /// The digits, country calling code first.
    pub const fn digits(self) -> u64 {
        self.0
    }

    /// Whether its numbering plan gives it out.
    pub fn is_valid(self, book: &PhoneBook) -> bool {
        book.is_valid(self)
    }

    /// Whether a mobile phone may have it: not where its plan gives it to landlines, free calls or
    /// services alone. In doubt it may.
    pub fn may_be_mobile(self, book: &PhoneBook) -> bool {
        book.may_be_mobile(self)
    }

    /// The region it belongs to; none for satellite and other global services, and where several
    /// regions share a calling code and the number is of neither.
    pub fn region(self, book: &PhoneBook) -> Option<Region> {
        book.region(self)
    }

    /// The regions it may belong to: its own, or, where its first digits do not tell, all that share
    /// its calling code; none for satellite and other global services.
    pub fn regions(self, book: &PhoneBook) -> Vec<Region> {
        book.regions(self)
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl PhoneFault {
    /// A number that would have been right, of the region that is asked for or at fault.
    pub fn example(self, region: Option<Region>, book: &PhoneBook) -> Phone {
        let at_fault = match self {
            Self::NotValid { region } => region,
            Self::Empty
            | Self::TextTooLong
            | Self::NoDigits
            | Self::Letters
            | Self::Symbol
            | Self::Extension
            | Self::NeedsRegion
            | Self::Unplaced
            | Self::Spoilt
            | Self::UnknownCallingCode
            | Self::TooShort
            | Self::TooLong
            | Self::NotPossible => None,
        };
        region.or(at_fault).map_or(EXAMPLE, |region| book.example(region))
    }
}

impl Region {
    /// Parses a region; lower case is accepted.
    ///
    /// # Errors
    /// [`RegionFault`].
    pub fn parse(text: &str) -> Result<Self, RegionFault> {
        let code = text.to_ascii_uppercase();
        let letters = code.as_bytes().try_into().map_err(|_| RegionFault)?;
        REGIONS
            .split_ascii_whitespace()
            .any(|known| known == code)
            .then_some(Self(letters))
            .ok_or(RegionFault)
    }

    /// All of them, in the order of their letters.
    pub fn all() -> impl Iterator<Item = Self> {
        let letters = |code: &str| code.as_bytes().try_into().ok();
        REGIONS.split_ascii_whitespace().filter_map(letters).map(Self)
    }

    /// What numbers of it begin with, after the plus; none if no plan has it.
    pub fn calling_code(self, book: &PhoneBook) -> Option<u16> {
        book.calling_code(self)
    }

    /// How a mobile number is written where it is dialed, with a `#` for each digit after its trunk prefix:
    /// for the eye alone, and most numbers of most regions look so.
    ///
    /// *Shape*: `(###) ###-####`, `0#### ######`. *Source*: libphonenumber, national format.
    pub fn shape(self, book: &PhoneBook) -> Option<String> {
        book.shape(self)
    }

    /// A number of it that nobody uses, or that at least is valid.
    pub fn example(self, book: &PhoneBook) -> Phone {
        book.example(self)
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Readings {
    fn of(
        text: &str,
        region: Option<Region>,
        book: &PhoneBook,
        care: Care,
    ) -> Result<Self, PhoneFault> {
        let spelling = spelling::read(text)?;
        let placing = spelling.placing(|code| book.is_calling_code(code));
        let international = || {
            let read = spelling.international().and_then(|it| book.read_international(it, care));
            if read.is_ok_and(|phone| phone.is_valid(book)) {
                return read;
            }
            // "+48 (0)512 345 678", where nobody dials a zero.
            let other = spelling.without_trunk().map(|it| book.read_international(it, care));
            let other = other.and_then(Result::ok).filter(|phone| phone.is_valid(book));
            other.map_or(read, Ok)
        };
        let national = |region| book.read_national(&spelling.national(), region, care);
        Ok(match (placing, region) {
            (Placing::International, _) => Self::one(international()),
            (Placing::National, Some(region)) => Self::one(national(region)),
            (Placing::National | Placing::LikelyNational, None) => {
                Self::one(Err(PhoneFault::NeedsRegion))
            }
            (Placing::Open, None) => Self::one(in_use(international(), book)),
            (Placing::Open | Placing::LikelyNational, Some(region)) => {
                let international = in_use(international(), book);
                match international {
                    Ok(phone) if phone.region(book) == Some(region) => Self::one(Ok(phone)),
                    Ok(_) | Err(_) => Self { likely: national(region), other: Some(international) },
                }
            }
        })
    }

    const fn one(likely: Result<Phone, PhoneFault>) -> Self {
        Self { likely, other: None }
    }

    /// The valid ones.
    fn valid(&self, book: &PhoneBook) -> impl Iterator<Item = Phone> {
        let all = [Some(self.likely), self.other].into_iter().flatten().flatten();
        all.filter(|phone| phone.is_valid(book))
    }

    /// Why none is valid.
    fn fault(&self, book: &PhoneBook) -> PhoneFault {
        match self.likely {
            Ok(phone) => PhoneFault::NotValid { region: phone.region(book) },
            Err(fault) => fault,
        }
    }
}

/// Digits without a plus are an international number only if one has it (rule 1).
fn in_use(international: Result<Phone, PhoneFault>, book: &PhoneBook) -> Result<Phone, PhoneFault> {
    match international {
        Ok(phone) if phone.is_valid(book) => Ok(phone),
        Ok(_)
        | Err(PhoneFault::UnknownCallingCode | PhoneFault::TooShort | PhoneFault::NotPossible) => {
            Err(PhoneFault::Unplaced)
        }
        Err(fault) => Err(fault),
    }
}

/// Of the range that North America keeps for films and documents.
const EXAMPLE: Phone = Phone(12_015_550_123);

/// The regions of the metadata; a test compares.
const REGIONS: &str = "\
    AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO \
    BQ BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK \
    DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ \
    GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM \
    KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH \
    PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR \
    SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC \
    VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";
