//! The slots of all languages, ready to be found in a text, and how sure each language is.

use std::sync::LazyLock;

use super::fold::{Token, fold};
use super::kindred::Kindred;
use super::lexicon::{FILES, Kind, expand, lines, three, words};
use super::slot::{SHORT_LETTERS_MAX, Slot, Slots};
use super::trie::{Entry, Piece, Trie};
use super::typing::Mending;

/// The slots of all languages.
pub(crate) static SPEECH: LazyLock<Speech> = LazyLock::new(Speech::of_the_data);

/// What makes a word worth mending when it is mistyped.
const MENDED: Slots = Slots::of(&[
    Slot::Leave,
    Slot::Cease,
    Slot::End,
    Slot::Remove,
    Slot::Send,
    Slot::Write,
    Slot::Reach,
    Slot::Get,
    Slot::Msg,
    Slot::Want,
    Slot::Key,
    Slot::Consent,
]);

/// The slots of all languages.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    /// By what they are written.
    pub(crate) trie: Trie,
    /// Words that mistyped ones are mended to.
    pub(crate) mending: Mending,
    /// Words whose other forms may be meant.
    pub(crate) kindred: Kindred,
}

impl Speech {
    fn of_the_data() -> Self {
        let mut speech = Self::default();
        for (language, (_, _, _, text)) in (0_u8..).zip(FILES.iter().copied()) {
            for line in lines(text) {
                let Some((kind, alternatives, _)) = three(line) else { continue };
                let Some(slots) = Slots::parse(kind) else { continue };
                for alternative in parted(alternatives) {
                    for phrase in expand(alternative) {
                        speech.add(language, slots, &phrase);
                    }
                }
            }
        }
        speech.add_keywords();
        speech.mending.settle();
        speech.kindred.settle();
        speech
    }

    /// Stop words are slots too, so that a sentence may speak of them.
    fn add_keywords(&mut self) {
        let key = Slots::of(&[Slot::Key]);
        for word in words().filter(|word| word.kind == Kind::Stop) {
            let files = (0_u8..).zip(FILES.iter());
            let found = files.map(|(at, file)| (at, file.0)).find(|it| it.1 == word.language);
            let Some((language, _)) = found else { continue };
            for phrase in expand(word.phrase) {
                let tokens = fold(&phrase);
                let is_unspaced = !phrase.contains(' ') && tokens.len() > 1;
                if tokens.len() == 1 || is_unspaced {
                    self.add(language, key, &phrase);
                }
            }
        }
    }

    fn add(&mut self, language: u8, slots: Slots, phrase: &str) {
        let (is_marked, phrase) =
            phrase.strip_prefix('=').map_or((false, phrase), |rest| (true, rest));
        let umlauts = FILES.get(usize::from(language)).is_some_and(|file| file.0 == "de");
        let by_accents = FILES.get(usize::from(language)).is_some_and(|file| file.0 == "vi");
        let other = phrase.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
        let also = (umlauts && other != phrase).then_some(other);
        for phrase in [Some(phrase.to_owned()), also].into_iter().flatten() {
            let pieces = pieces(&phrase);
            let letters: usize = pieces.iter().map(Piece::letters).sum();
            let is_weak =
                is_marked || (letters <= SHORT_LETTERS_MAX && pieces.iter().all(Piece::is_ascii));
            let exact = by_accents.then(|| exact_of(&phrase)).filter(|exact| !exact.is_ascii());
            let entry = Entry { language, slots, is_weak, exact };
            if let [Piece::Whole(word)] = &*pieces
                && slots.any(MENDED)
                && !slots.any(Slots::of(&[Slot::Neg]))
                && !is_marked
            {
                self.mending.add(word);
            }
            if let [Piece::Whole(word) | Piece::Open(word)] = &*pieces
                && slots.any(MENDED)
                && !is_marked
            {
                self.kindred.add(word);
            }
            self.trie.insert(&pieces, entry);
        }
    }
}

/// The alternatives of a line: parted by `|` outside parentheses.
fn parted(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_usize, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The words of an entry.
fn pieces(phrase: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for word in phrase.split(' ') {
        if word == "…" {
            pieces.push(Piece::Gap);
            continue;
        }
        let is_open = word.ends_with('~');
        let tokens = fold(word.trim_end_matches('~'));
        let last = tokens.len().saturating_sub(1);
        // Scripts without spaces have a token for each letter: no ending is open there. In "3ayz~" one is.
        let unspaced = tokens.len() > 1 && !tokens.iter().all(|token| token.plain.is_ascii());
        for (at, token) in tokens.into_iter().enumerate() {
            let text = token.plain;
            let open = is_open && at == last && !unspaced;
            pieces.push(if open { Piece::Open(text) } else { Piece::Whole(text) });
        }
    }
    pieces
}

fn exact_of(phrase: &str) -> Box<str> {
    let tokens: Vec<Token> = fold(phrase);
    super::exact_text(&tokens).into()
}

impl Piece {
    fn letters(&self) -> usize {
        match self {
            Self::Whole(text) | Self::Open(text) => text.chars().count(),
            Self::Gap => 0,
        }
    }

    fn is_ascii(&self) -> bool {
        match self {
            Self::Whole(text) | Self::Open(text) => text.chars().all(|it| it < '\u{e00}'),
            Self::Gap => true,
        }
    }
}
