//! Typing errors: a long word that nobody knows is read as the known word from which one error parts it,
//! a letter too many, too few, another, or two exchanged.
//!
//! Words up to [`LETTERS_MIN`] and scripts without letters of an alphabet are left as they are; so are
//! words that are ordinary themselves (`data/words/ordinary.tsv`), such as *massage*.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::lexicon::lines;

/// The shortest word that is mended: of a shorter one, one letter is too much of it.
const LETTERS_MIN: usize = 6;

/// The longest: no known word is longer.
const LETTERS_MAX: usize = 24;

/// Words that are mended in one text: the rest of a long text stays as it is.
pub(crate) const MENDED_MAX: usize = 12;

const ORDINARY: &str = include_str!("../../../data/words/ordinary.tsv");

static ORDINARY_WORDS: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| lines(ORDINARY).filter_map(|line| line.split('\t').next()).collect());

/// Known words, by what is left of them when a letter is left out.
#[derive(Debug, Default)]
pub(crate) struct Mending {
    words: Vec<Box<str>>,
    /// The hash of a word with one letter left out, or with none, and its place.
    cut: Vec<(u64, usize)>,
}

impl Mending {
    /// Adds a known word, in its plain form.
    pub(crate) fn add(&mut self, word: &str) {
        if !is_mendable(word) {
            return;
        }
        let place = self.words.len();
        self.words.push(word.into());
        self.cut.extend(cuts(word).map(|hash| (hash, place)));
    }

    /// Makes ready what was added.
    pub(crate) fn settle(&mut self) {
        self.cut.sort_unstable();
    }

    /// The known word that is meant by an unknown one.
    pub(crate) fn meant(&self, word: &str) -> Option<&str> {
        if !is_mendable(word) || ORDINARY_WORDS.contains(word) {
            return None;
        }
        cuts(word).find_map(|hash| {
            let first = self.cut.partition_point(|known| known.0 < hash);
            let same = self.cut.get(first..)?.iter().take_while(|known| known.0 == hash);
            let mut words = same.filter_map(|(_, place)| self.words.get(*place));
            words.find(|known| is_one_error(known, word)).map(|known| &**known)
        })
    }
}

fn is_mendable(word: &str) -> bool {
    let mut letters = 0;
    let is_alphabetic = word.chars().all(|letter| {
        letters += 1;
        letter.is_alphabetic() && letter < '\u{900}'
    });
    is_alphabetic && (LETTERS_MIN..=LETTERS_MAX).contains(&letters)
}

/// Hashes of the word, and of it without each of its letters.
fn cuts(word: &str) -> impl Iterator<Item = u64> {
    let without = word.char_indices().map(move |(at, _)| {
        hash(word.char_indices().filter(move |other| other.0 != at).map(|other| other.1))
    });
    std::iter::once(hash(word.chars())).chain(without)
}

/// *Source*: FNV-1a, 64 bits, over code points.
fn hash(letters: impl Iterator<Item = char>) -> u64 {
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, letter| {
        (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Whether one error parts two words. The first letter is rarely mistyped, and must be the same, or be
/// exchanged with the second, or be missing.
fn is_one_error(known: &str, typed: &str) -> bool {
    let known: Vec<char> = known.chars().collect();
    let typed: Vec<char> = typed.chars().collect();
    let same = known.iter().zip(&typed).take_while(|(one, other)| one == other).count();
    let rest = |word: &[char], from: usize| word.get(from..).unwrap_or_default().to_vec();
    if known.len() == typed.len() {
        let replaced = rest(&known, same + 1) == rest(&typed, same + 1) && same > 0;
        let swapped = rest(&known, same + 2) == rest(&typed, same + 2)
            && known.get(same) == typed.get(same + 1)
            && known.get(same + 1) == typed.get(same);
        return replaced || swapped;
    }
    if known.len() == typed.len() + 1 {
        return rest(&known, same + 1) == rest(&typed, same);
    }
    known.len() + 1 == typed.len() && rest(&known, same) == rest(&typed, same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(word: &str) -> Option<String> {
        let mut mending = Mending::default();
        for known in ["unsubscribe", "messages", "cancel", "stop"] {
            mending.add(known);
        }
        mending.settle();
        mending.meant(word).map(ToOwned::to_owned)
    }

    #[test]
    fn one_error_in_a_long_word_is_mended() {
        for typed in [
            "unsubcribe",
            "unsubscrbie",
            "unsubscribbe",
            "unsubscrobe",
            "nsubscribe",
            "unsubscribr",
        ] {
            assert_eq!(meant(typed).as_deref(), Some("unsubscribe"), "{typed}");
        }
        assert_eq!(meant("mesages").as_deref(), Some("messages"));
        assert_eq!(meant("cancle").as_deref(), Some("cancel"));
    }

    #[test]
    fn short_words_ordinary_words_and_two_errors_stay() {
        for typed in ["shop", "step", "sstop", "massages", "cancer", "unsbcribe", "chancellor"] {
            assert_eq!(meant(typed), None, "{typed}");
        }
    }
}
