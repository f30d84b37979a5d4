//! Phrases: words that compare equal however they are typed, found inside other words.

use super::fold::fold;

/// The words of a text, without accents and capital letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase(Vec<Box<str>>);

impl Phrase {
    /// The words of a text.
    pub(crate) fn of(text: &str) -> Self {
        Self(fold(text).into_iter().map(|token| token.plain).collect())
    }

    /// Whether the words of `part` stand in it, one after the other; no words stand nowhere.
    pub(crate) fn contains(&self, part: &Self) -> bool {
        !part.0.is_empty() && self.0.windows(part.0.len()).any(|words| words == part.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_however_it_is_typed_and_never_inside_a_word() {
        let holds = |text: &str, part: &str| Phrase::of(text).contains(&Phrase::of(part));
        assert!(holds("Yes: send me offers by WHATSAPP!", "whatsapp"));
        assert!(holds("Correo electrónico", "electronico"));
        assert!(holds("a pop-up form", "pop up"));
        assert!(!holds("nonstop", "stop"));
        assert!(!holds("anything", ""));
        assert!(!holds("", ""));
    }
}
