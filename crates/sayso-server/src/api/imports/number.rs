//! Of which country the numbers of a list are (rule 1).
//!
//! Digits without a plus belong to the region that the row, the list or the workspace names. Without
//! any, about half of the numbers of one country can be read as numbers of others (46 % of American
//! ones, 43 % of Indian ones): strangers would be refused for, or written to. So a list of whose such
//! numbers a good part is valid nowhere is a list of one country, and none of them is taken until
//! somebody says of which.

use sayso_core::address::Address;
use sayso_core::address::phone::{Phone, PhoneBook, Region};
use sayso_plan::draft::{Draft, Subject};

use crate::problem::{Code, FieldError};

/// Whether a number says of which country it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelled {
    /// It does, or its row, list or workspace does.
    Placed,
    /// Nobody does.
    Unplaced,
}

/// The number that a row was understood to be about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Understood {
    /// The number.
    pub(crate) phone: Phone,
    /// How it was spelled.
    pub(crate) spelled: Spelled,
}

/// How the numbers of a request that nobody places can be read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unplaced {
    readable: usize,
    unreadable: usize,
}

/// Fewer numbers that are valid nowhere say nothing of a list.
const UNREADABLE_MIN: usize = 2;
/// One in this many that is valid nowhere makes a national list: of one country's numbers half are, and
/// of international ones hardly any.
const UNREADABLE_SHARE: usize = 4;

impl Spelled {
    /// How a text is spelled where no region is known.
    pub(crate) fn of(text: &str) -> Self {
        let digits_or_plus = |letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '＋');
        let begun = text.find(digits_or_plus).and_then(|at| text.get(at..)).unwrap_or_default();
        let is_international = begun.starts_with(['+', '＋']) || begun.starts_with("00");
        if is_international { Self::Placed } else { Self::Unplaced }
    }
}

impl Understood {
    /// The number of a planned event.
    pub(crate) fn of(draft: Option<&Draft>, spelled: Spelled) -> Option<Self> {
        match &draft?.subject {
            Subject::Address(Address::Phone(phone)) => Some(Self { phone: *phone, spelled }),
            Subject::Address(
                Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_),
            )
            | Subject::Hash(_)
            | Subject::Key(_) => None,
        }
    }

    /// The country of the number.
    pub(crate) fn region(&self, book: &PhoneBook) -> Option<Region> {
        self.phone.region(book)
    }

    /// What to say of a number that nobody placed.
    pub(crate) fn remark(&self, region: Option<Region>) -> Option<String> {
        let region = region.filter(|_| self.spelled == Spelled::Unplaced)?;
        Some(format!(
            "/phone has no + and no `region`, and was read as a number of {region}: name the `region` if it is none"
        ))
    }
}

impl Unplaced {
    /// Counts a number that nobody places.
    pub(crate) fn count(&mut self, text: &str, book: &PhoneBook) {
        match Phone::parse(text, None, book) {
            Ok(_) => self.readable += 1,
            Err(_) => self.unreadable += 1,
        }
    }

    /// Whether they are of one country, and nobody said of which.
    pub(crate) fn are_national(self) -> bool {
        let all = self.unreadable + self.readable;
        self.unreadable >= UNREADABLE_MIN && self.unreadable * UNREADABLE_SHARE >= all
    }
}

/// Whether a text has as many digits as the shortest number has: fewer are of no country.
pub(crate) fn is_long(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 7
}

/// Says in the fault of a number that its region is missing.
pub(crate) fn name_region(errors: &mut [FieldError]) {
    let of_phone =
        |error: &&mut FieldError| error.pointer == "/phone" && error.code == Code::InvalidPhone;
    let lacks_it = |error: &&mut FieldError| !error.fault.contains("`region`");
    for error in errors.iter_mut().filter(of_phone).filter(lacks_it) {
        error.fault.push_str("; a number without + needs its `region`");
    }
}

/// Why no number of a national list is taken.
pub(crate) fn national() -> FieldError {
    FieldError {
        pointer: "/region".to_owned(),
        code: Code::MissingField,
        fault: "is missing: many of the numbers without + are valid in no country, so this is a list of one country"
            .to_owned(),
        example: Some("US".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_placed_by_a_plus_or_its_dialed_form() {
        for text in
            ["+14155550123", "whatsapp:+14155550123", " (+1) 415", "0014155550123", "tel:+1"]
        {
            assert_eq!(Spelled::of(text), Spelled::Placed, "{text}");
        }
        for text in ["14155550123", "(415) 555-0123", "0171 5550123", ""] {
            assert_eq!(Spelled::of(text), Spelled::Unplaced, "{text}");
        }
    }
}
