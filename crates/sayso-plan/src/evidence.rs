//! The names under which Sayso keeps evidence of its own.
//!
//! A caller names the evidence that it sends as it likes. What Sayso adds stands beside it, under names with
//! the prefix `sayso:`, so that neither is taken for the other. All of them are here. Some names had no prefix
//! once: events that were written then are read as they are ([`find`]).

use sayso_core::words::doubt::DOUBT_FIELD;
use sayso_core::words::source::{Evidence, EvidenceText};

/// The name of a piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name(&'static str);

/// What every name begins with.
const PREFIX: &str = "sayso:";

/// Why an opt-in is pending.
pub const DOUBT: Name = Name(DOUBT_FIELD);
/// By which policy, in which version, an opt-in was judged.
pub const POLICY: Name = Name("sayso:policy");
/// What relation with the person implies consent.
pub const BASIS: Name = Name("sayso:basis");

/// What a person wrote.
pub const TEXT: Name = Name("sayso:text");
/// The message's id at the provider.
pub const MESSAGE_ID: Name = Name("sayso:message_id");
/// How the text was read.
pub const READING: Name = Name("sayso:reading");
/// Why it was read so.
pub const BECAUSE: Name = Name("sayso:because");
/// The keyword rule that matched.
pub const RULE: Name = Name("sayso:rule");
/// The sentence that a refusal was read from.
pub const READ_FROM: Name = Name("sayso:read_from");
/// The event that a review decided on.
pub const REVIEW_OF: Name = Name("sayso:review_of");

/// The form that was sent.
pub const FORM: Name = Name("sayso:form");
/// The version of it that was shown.
pub const FORM_VERSION: Name = Name("sayso:form_version");
/// What was ticked together.
pub const TICKED: Name = Name("sayso:ticked");
/// The double opt-in that was answered.
pub const DOUBLE_OPT_IN: Name = Name("sayso:double_opt_in");
/// The pending event that an answer confirms.
pub const PENDING_EVENT: Name = Name("sayso:pending_event");

/// The entry point whose page was opened.
pub const ENTRY_POINT: Name = Name("sayso:entry_point");
/// The version of it that was shown.
pub const ENTRY_POINT_VERSION: Name = Name("sayso:entry_point_version");
/// The reference that led from the page to the chat.
pub const REFERENCE: Name = Name("sayso:reference");
/// When the page was sent.
pub const PAGE_SENT_AT: Name = Name("sayso:page_sent_at");

/// How the link was made that somebody came by.
pub const LINK: Name = Name("sayso:link");
/// On which day.
pub const LINK_MADE_ON: Name = Name("sayso:link_made_on");
/// The API key that it was handed to.
pub const LINK_KEY: Name = Name("sayso:link_key");

impl Name {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Evidence under names of ours; what says nothing is left out, and so is a value that is no evidence.
pub fn fields<T: AsRef<str>>(
    told: impl IntoIterator<Item = (Name, T)>,
) -> impl Iterator<Item = (EvidenceText, EvidenceText)> {
    told.into_iter().filter_map(|(name, value)| {
        Some((EvidenceText::parse(name.0).ok()?, EvidenceText::parse(value.as_ref()).ok()?))
    })
}

/// What is kept under a name, or was before names had a prefix.
pub fn find(evidence: &Evidence, name: Name) -> Option<&str> {
    let before = name.0.strip_prefix(PREFIX).unwrap_or(name.0);
    let named = |name: &str| {
        let mut fields = evidence.fields.iter();
        fields.find(|(field, _)| field.as_str() == name).map(|(_, text)| text.as_str())
    };
    named(name.0).or_else(|| named(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_found_by_its_name_and_by_the_one_it_had_before() {
        for written in ["sayso:text", "text"] {
            let name = EvidenceText::parse(written).unwrap();
            let kept = [(name, EvidenceText::parse("STOP").unwrap())].into();
            let evidence = Evidence { fields: kept, ..Evidence::default() };
            assert_eq!(find(&evidence, TEXT), Some("STOP"), "{written}");
            assert_eq!(find(&evidence, RULE), None);
        }
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let kept: Vec<_> = fields([(TEXT, "STOP"), (RULE, "")]).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0.as_str(), "sayso:text");
    }
}
