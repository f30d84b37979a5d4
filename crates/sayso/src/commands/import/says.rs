//! What the cell of a flag says about consent: yes, no, or nothing; and when, where the flag is a date.

use sayso_core::text::list_word::ListWord;
use sayso_core::time::list::ListTimes;

/// What a flag says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// Yes.
    Yes,
    /// No, perhaps at a date that the flag itself holds; with what was in doubt.
    No {
        /// The date.
        date: Option<String>,
        /// What was in doubt.
        remark: Option<String>,
    },
    /// Neither; with what is to be told.
    Nothing(Option<String>),
}

/// What a yes in a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polarity {
    /// Consent.
    Straight,
    /// A refusal: the column says who left.
    Inverse,
}

impl Flag {
    const NO: Self = Self::No { date: None, remark: None };

    /// Reads a cell; an error says why it says neither yes nor no.
    pub(super) fn read(
        name: &str,
        cell: &str,
        polarity: Polarity,
        times: ListTimes,
    ) -> Result<Self, String> {
        let invalid = || {
            format!("{name} is {cell:?}: that the address takes nothing says neither yes nor no")
        };
        match (ListWord::parse(cell), polarity) {
            (Some(ListWord::Invalid), _) => Ok(Self::Nothing(Some(invalid()))),
            (Some(ListWord::Silent), _)
            | (Some(ListWord::False | ListWord::OptedIn), Polarity::Inverse) => {
                Ok(Self::Nothing(None))
            }
            (Some(ListWord::OptedOut), _)
            | (Some(ListWord::False), Polarity::Straight)
            | (Some(ListWord::True), Polarity::Inverse) => Ok(Self::NO),
            (Some(ListWord::True | ListWord::OptedIn), Polarity::Straight) => Ok(Self::Yes),
            (None, Polarity::Straight) if ListWord::refuses_in_doubt(cell) => {
                Ok(Self::in_doubt(name, cell))
            }
            (None, Polarity::Straight) => {
                Err(format!("{name} is {cell:?}, which is neither yes nor no; write yes or no"))
            }
            // A column of those who left holds when, how or why they did: whoever is named in it left.
            (None, Polarity::Inverse) if times.read(cell).is_ok() => {
                Ok(Self::No { date: Some(cell.to_owned()), remark: None })
            }
            (None, Polarity::Inverse) => Ok(Self::in_doubt(name, cell)),
        }
    }

    fn in_doubt(name: &str, cell: &str) -> Self {
        let remark = Some(format!("{name} is {cell:?}: read as no"));
        Self::No { date: None, remark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str, polarity: Polarity) -> Result<Flag, String> {
        Flag::read("sms_optin", cell, polarity, ListTimes::default())
    }

    #[test]
    fn b_a_flag_may_say_the_contrary() {
        for cell in ["yes", "TRUE", "1", "x", "✓", "opted_out", "per phone call"] {
            assert!(matches!(read(cell, Polarity::Inverse), Ok(Flag::No { .. })), "{cell}");
        }
        let dated = read("2025-06-07 08:09:10", Polarity::Inverse).unwrap();
        assert!(matches!(dated, Flag::No { date: Some(_), remark: None }));
        for cell in ["no", "0", "FALSCH", "subscribed", "-", "n/a"] {
            let said = read(cell, Polarity::Inverse).unwrap();
            assert_eq!(said, Flag::Nothing(None), "{cell}: who has not left has not agreed");
        }
    }

    #[test]
    fn b_a_refusal_is_never_answered_with_a_good_value_yes() {
        let fault = read("perhaps", Polarity::Straight).unwrap_err();
        assert!(fault.contains("neither yes nor no") && !fault.contains("good value"), "{fault}");
        let doubt = read("no thanks", Polarity::Straight).unwrap();
        assert!(matches!(doubt, Flag::No { remark: Some(_), .. }));
        assert!(matches!(read("bounced", Polarity::Straight), Ok(Flag::Nothing(Some(_)))));
    }
}
