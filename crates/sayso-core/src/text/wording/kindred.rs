//! Kindred words: a word that nobody knows, and that begins as known ones do, may be another form of one
//! of them: *scrivessero* beside *scrivete*. No language file holds every form of its verbs.
//!
//! That is a guess. It is asked only of a text that says nothing otherwise, and can do no more than leave
//! it in doubt.

/// Letters that two forms of a word share at least, from the first on.
const SHARED_MIN: usize = 4;

/// Letters that either form has beyond those at most.
const ENDING_MAX: usize = 3;

/// Kindred words that are looked at for one word.
const KINDRED_MAX: usize = 8;

/// Known words, in order.
#[derive(Debug, Default)]
pub(crate) struct Kindred {
    words: Vec<Box<str>>,
}

impl Kindred {
    /// Adds a known word, in its plain form.
    pub(crate) fn add(&mut self, word: &str) {
        if word.chars().count() >= SHARED_MIN && word.chars().all(is_lettered) {
            self.words.push(word.into());
        }
    }

    /// Makes ready what was added.
    pub(crate) fn settle(&mut self) {
        self.words.sort_unstable();
        self.words.dedup();
    }

    /// The known words that share the most letters with an unknown one.
    pub(crate) fn of(&self, word: &str) -> &[Box<str>] {
        let letters = word.chars().count();
        if letters <= SHARED_MIN || !word.chars().all(is_lettered) {
            return &[];
        }
        let shortest = SHARED_MIN.max(letters.saturating_sub(ENDING_MAX));
        for shared in (shortest..=letters).rev() {
            let end = word.char_indices().nth(shared).map_or(word.len(), |(at, _)| at);
            let beginning = word.get(..end).unwrap_or(word);
            let first = self.words.partition_point(|known| **known < *beginning);
            let from = self.words.get(first..).unwrap_or_default();
            let near = from.iter().take(KINDRED_MAX).take_while(|known| {
                known.starts_with(beginning) && known.chars().count() <= shared + ENDING_MAX
            });
            let found = near.count();
            if found > 0 {
                return from.get(..found).unwrap_or_default();
            }
        }
        &[]
    }
}

/// A letter of an alphabet whose words end in many ways.
fn is_lettered(letter: char) -> bool {
    letter.is_alphabetic() && letter < '\u{900}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: &str) -> Vec<String> {
        let mut kindred = Kindred::default();
        for known in ["scrivete", "scrivere", "stop", "mensaje", "paren", "send"] {
            kindred.add(known);
        }
        kindred.settle();
        kindred.of(word).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn forms_of_one_word_are_kindred() {
        assert_eq!(of("scrivono"), ["scrivere", "scrivete"]);
        assert_eq!(of("mensajito"), ["mensaje"]);
        assert_eq!(of("párenle".replace('á', "a").as_str()), ["paren"]);
    }

    #[test]
    fn short_words_and_long_endings_are_none() {
        for word in ["stop", "step", "parade", "senator", "scrivanie domestiche"] {
            assert!(of(word).is_empty(), "{word}: {:?}", of(word));
        }
    }
}
