//! Folding: what people write, as words that compare equal however they were typed.
//!
//! NFKC and case folding first (a fullwidth or capital letter is the letter), with every i of Turkish
//! one i; then format characters, variation selectors and apostrophes vanish, and what is no letter,
//! mark or digit parts words. Scripts without spaces (Han, kana, Thai, Lao, Khmer, Burmese) give a word
//! for each character with its signs, so that a phrase is found inside a sentence.
//!
//! Every word has two forms. The *exact* one keeps accents; the *plain* one drops the diacritics of
//! alphabets that are often typed without them, makes one letter of three or more in a row, and writes
//! digits of any script, and letters that people exchange, one way. A vowel sign of Devanagari or a
//! voiced kana is no diacritic and stays.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

/// Single letters in a row that are read as one word: `S.T.O.P`.
const SPELLED_LETTERS_MIN: usize = 3;

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// With its accents.
    pub(crate) exact: Box<str>,
    /// Without them.
    pub(crate) plain: Box<str>,
    /// What parts it from the word before.
    pub(crate) before: Before,
    /// Whether a question mark follows it.
    pub(crate) asks: bool,
}

/// What stands before a word; the stronger of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Before {
    /// A space, a hyphen, a symbol, or nothing.
    Space,
    /// A comma or other punctuation.
    Pause,
    /// The end of a line, or an emoji.
    Line,
    /// The end of a sentence.
    Sentence,
}

/// The words of a text.
pub(crate) fn fold(text: &str) -> Vec<Token> {
    let mut words = Words::default();
    let mut dots = 0_u8;
    let folded = folded(text);
    let mut characters = folded.chars().peekable();
    let mut last = ' ';
    while let Some(character) = characters.next() {
        dots = if character == '.' { dots.saturating_add(1) } else { 0 };
        match character {
            character if is_apostrophe(character) => {}
            character if is_unspaced(character) => words.whole(character),
            character if is_of_word(character) => words.push(character),
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => words.part(Before::Line),
            '.' if dots < 2 => words.part(Before::Sentence),
            '.' => words.part_again(Before::Pause),
            '?' | '\u{61f}' | '\u{37e}' => words.ask(),
            character if is_end(character) => words.part(Before::Sentence),
            '\u{2013}' | '\u{2014}' => words.part(Before::Pause),
            '-' if last == ' ' && characters.peek() == Some(&' ') => words.part(Before::Pause),
            character if is_pause(character) => words.part(Before::Pause),
            character if is_sign(character) => words.part(Before::Line),
            _ => words.part(Before::Space),
        }
        last = character;
    }
    join_spelled(words.finish())
}

/// What ends a sentence, beside the dot.
const fn is_end(character: char) -> bool {
    matches!(
        character,
        '!' | '\u{a1}'
            | '\u{bf}'
            | '\u{3002}'
            | '\u{964}'
            | '\u{965}'
            | '\u{6d4}'
            | '\u{1362}'
            | '\u{104b}'
            | '\u{17d4}'
    )
}

/// An emoji, or a sign like one.
fn is_sign(character: char) -> bool {
    character > '\u{2000}'
        && CodePointMapData::<GeneralCategory>::new().get(character) == GeneralCategory::OtherSymbol
}

/// The words joined by single spaces, in their exact form.
pub(crate) fn exact_text(tokens: &[Token]) -> String {
    tokens.iter().map(|token| &*token.exact).collect::<Vec<_>>().join(" ")
}

/// The words joined by single spaces, in their plain form.
pub(crate) fn plain_text(tokens: &[Token]) -> String {
    tokens.iter().map(|token| &*token.plain).collect::<Vec<_>>().join(" ")
}

/// Words as they are found.
#[derive(Default)]
struct Words {
    done: Vec<Found>,
    current: String,
    before: Option<Before>,
}

/// A word as it was found.
struct Found {
    word: String,
    before: Before,
    asks: bool,
}

impl Words {
    fn push(&mut self, character: char) {
        if is_mark(character) {
            self.mark(character);
            return;
        }
        let turns = self
            .current
            .chars()
            .next_back()
            .is_some_and(|last| !is_mark(last) && last.is_numeric() != character.is_numeric());
        if turns {
            self.close();
        }
        self.current.push(character);
    }

    /// A mark belongs to the letter before it; without one it says nothing.
    fn mark(&mut self, mark: char) {
        if !self.current.is_empty() {
            self.current.push(mark);
        } else if self.before.is_none()
            && let Some(last) = self.done.last_mut()
            && last.word.chars().all(|it| is_unspaced(it) || is_mark(it))
        {
            last.word.push(mark);
        }
    }

    /// A question mark ends the sentence.
    fn ask(&mut self) {
        self.part(Before::Sentence);
        if let Some(last) = self.done.last_mut() {
            last.asks = true;
        }
    }

    fn whole(&mut self, character: char) {
        self.close();
        self.current.push(character);
        self.close();
    }

    fn close(&mut self) {
        if !self.current.is_empty() {
            let before = self.before.take().unwrap_or(Before::Space);
            let word = std::mem::take(&mut self.current);
            self.done.push(Found { word, before, asks: false });
        }
    }

    fn part(&mut self, before: Before) {
        self.close();
        self.before = self.before.max(Some(before));
    }

    /// The second of several dots: they trail off, which ends no sentence.
    fn part_again(&mut self, before: Before) {
        self.close();
        self.before = Some(before);
    }

    fn finish(mut self) -> Vec<Found> {
        self.close();
        self.done
    }
}

/// NFKC, case folding, NFKC; every i one i; without what is invisible.
fn folded(text: &str) -> String {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let visible: String = text.chars().filter(|character| !is_invisible(*character)).collect();
    let lower = nfkc.normalize(&visible);
    let lower = CaseMapper::new().fold_string(&lower).into_owned();
    let lower = lower.replace("i\u{307}", "i").replace('\u{131}', "i");
    nfkc.normalize(&lower).into_owned()
}

fn group_has(group: GeneralCategoryGroup, character: char) -> bool {
    group.contains(CodePointMapData::<GeneralCategory>::new().get(character))
}

/// Format and control characters, variation selectors, enclosing marks, and signs that
/// normalization would turn into letters or spaces.
fn is_invisible(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    (category == GeneralCategory::Control && !character.is_whitespace())
        || category == GeneralCategory::Format
        || category == GeneralCategory::EnclosingMark
        || matches!(
            character,
            '\u{34f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{b4}' | '\u{2120}' | '\u{2122}'
        )
}

/// Apostrophes vanish, so that `don't` is one word with or without them. Single quotation marks look
/// the same and vanish too.
fn is_apostrophe(character: char) -> bool {
    matches!(
        character,
        '\'' | '`'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201b}'
            | '\u{2bc}'
            | '\u{2032}'
            | '\u{2b9}'
            | '\u{640}'
    )
}

fn is_mark(character: char) -> bool {
    group_has(GeneralCategoryGroup::Mark, character)
}

fn is_of_word(character: char) -> bool {
    character.is_numeric()
        || group_has(GeneralCategoryGroup::Letter, character)
        || is_mark(character)
}

fn is_pause(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    GeneralCategoryGroup::Punctuation.contains(category)
        && category != GeneralCategory::DashPunctuation
        && category != GeneralCategory::ConnectorPunctuation
}

/// Han, kana, Thai, Lao, Burmese, Khmer: scripts that put no space between words.
pub(super) fn is_unspaced(character: char) -> bool {
    matches!(
        character,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
            | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{20000}'..='\u{3ffff}' | '\u{e01}'..='\u{e30}' | '\u{e32}'..='\u{e33}' | '\u{e40}'..='\u{e46}'
            | '\u{e81}'..='\u{eb0}' | '\u{eb2}'..='\u{eb3}' | '\u{ebd}'..='\u{ec6}' | '\u{1000}'..='\u{102a}'
            | '\u{103f}' | '\u{1780}'..='\u{17b3}'
    )
}

/// Letters that stand alone, several in a row, are one word spelled out.
fn join_spelled(words: Vec<Found>) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(words.len());
    let mut letters: Vec<Found> = Vec::new();
    for found in words {
        if is_one_letter(&found.word) {
            letters.push(found);
        } else {
            settle(&mut letters, &mut tokens);
            tokens.push(Token::of(found));
        }
    }
    settle(&mut letters, &mut tokens);
    tokens
}

fn is_one_letter(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() && !is_unspaced(first))
        && letters.next().is_none()
}

fn settle(letters: &mut Vec<Found>, tokens: &mut Vec<Token>) {
    match letters.first() {
        Some(first) if letters.len() >= SPELLED_LETTERS_MIN => {
            let before = first.before;
            let asks = letters.last().is_some_and(|last| last.asks);
            let word: String = letters.drain(..).map(|found| found.word).collect();
            tokens.push(Token::of(Found { word, before, asks }));
        }
        Some(_) | None => tokens.extend(letters.drain(..).map(Token::of)),
    }
}

impl Token {
    fn of(found: Found) -> Self {
        let Found { word, before, asks } = found;
        Self { plain: plain(&word).into(), exact: word.into(), before, asks }
    }

    /// Whether it is digits only.
    pub(crate) fn is_number(&self) -> bool {
        self.exact.chars().all(char::is_numeric)
    }
}

/// The word without diacritics, and with drawn-out letters said once.
fn plain(word: &str) -> String {
    let bare = if word.is_ascii() {
        word.to_owned()
    } else {
        let parts = DecomposingNormalizerBorrowed::new_nfd().normalize(word).into_owned();
        let bare: String = parts.chars().filter(|part| !is_diacritic(*part)).map(base).collect();
        ComposingNormalizerBorrowed::new_nfc().normalize(&bare).into_owned()
    };
    squeeze(&bare)
}

/// Marks that are often left out: of Latin, Greek and Cyrillic letters, Arabic and Hebrew vowel
/// points and hamzas, and the dot of Devanagari.
fn is_diacritic(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{93c}'
    )
}

/// Letters with a stroke that no decomposition takes off; Arabic, Ethiopic and Devanagari letters that
/// people exchange; and the digits of every script.
fn base(character: char) -> char {
    if let Some(digit) = digit(character) {
        return digit;
    }
    match character {
        'ک' => 'ك',
        '\u{1210}'..='\u{1217}' => moved(character, '\u{1210}', '\u{1200}'),
        '\u{1280}'..='\u{1287}' => moved(character, '\u{1280}', '\u{1200}'),
        '\u{1220}'..='\u{1227}' => moved(character, '\u{1220}', '\u{1230}'),
        '\u{12d0}'..='\u{12d7}' => moved(character, '\u{12d0}', '\u{12a0}'),
        '\u{1340}'..='\u{1347}' => moved(character, '\u{1340}', '\u{1338}'),
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ى' | 'ی' => 'ي',
        'ة' | 'ہ' | 'ھ' | 'ە' => 'ه',
        '\u{901}' => '\u{902}',
        other => other,
    }
}

/// The letter at the same place of another row.
fn moved(letter: char, from: char, to: char) -> char {
    let place = u32::from(letter).saturating_sub(u32::from(from));
    char::from_u32(u32::from(to).saturating_add(place)).unwrap_or(letter)
}

/// The zeros of scripts whose digits people type.
const ZEROS: [char; 14] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{1040}',
];

fn digit(character: char) -> Option<char> {
    ZEROS.iter().find_map(|zero| {
        let value = u32::from(character).checked_sub(u32::from(*zero))?;
        if value < 10 { char::from_digit(value, 10) } else { None }
    })
}

fn squeeze(word: &str) -> String {
    let mut squeezed = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut times = 1_usize;
        while letters.next_if_eq(&letter).is_some() {
            times += 1;
        }
        let kept = if times >= 3 && letter.is_alphabetic() { 1 } else { times };
        squeezed.extend(std::iter::repeat_n(letter, kept));
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> String {
        exact_text(&fold(text))
    }

    fn plainly(text: &str) -> String {
        plain_text(&fold(text))
    }

    #[test]
    fn letters_are_one_letter_in_every_width_and_case() {
        for text in [
            "STOP",
            "ｓｔｏｐ",
            "𝐒𝐭𝐨𝐩",
            "s\u{200b}t\u{ad}op",
            " «Stop»! ",
            "S.T.O.P.",
            "S T O P",
            "'stop'",
        ] {
            assert_eq!(exact(text), "stop", "{text}");
        }
    }

    #[test]
    fn every_i_of_turkish_is_one_i() {
        for text in ["İPTAL", "IPTAL", "iptal", "ıptal", "I\u{307}PTAL"] {
            assert_eq!(exact(text), "iptal", "{text}");
        }
    }

    #[test]
    fn accents_stay_in_the_exact_form_and_go_in_the_plain_one() {
        assert_eq!((exact("ARRÊT"), plainly("ARRÊT")), ("arrêt".into(), "arret".into()));
        assert_eq!(exact("ARRE\u{302}T"), "arrêt");
        assert_eq!(plainly("إيقاف"), plainly("ايقاف"));
        assert_eq!(plainly("ещё"), "еще");
        assert_eq!(plainly("बंद करो"), "बंद करो");
        assert_eq!(plainly("配信をストップ"), "配 信 を ス ト ッ プ");
    }

    #[test]
    fn drawn_out_letters_count_once_and_digits_as_they_are() {
        assert_eq!(plainly("Stoooop"), "stop");
        assert_eq!(plainly("stopp 1112"), "stopp 1112");
        assert_eq!(plainly("STOP12345"), "stop 12345");
    }

    #[test]
    fn what_parts_words_is_remembered() {
        let before = |text: &str| fold(text).get(1).map(|token| token.before);
        assert_eq!(before("stop by"), Some(Before::Space));
        assert_eq!(before("non-stop"), Some(Before::Space));
        assert_eq!(before("no, stop"), Some(Before::Pause));
        assert_eq!(before("stop... by"), Some(Before::Pause));
        assert_eq!(before("stop\nAda"), Some(Before::Line));
        assert_eq!(before("stop. Ada"), Some(Before::Sentence));
        assert_eq!(before("stop! Ada"), Some(Before::Sentence));
        assert_eq!(before("stop - Ada"), Some(Before::Pause));
        assert_eq!(before("stop \u{1f621} Ada"), Some(Before::Line));
    }

    #[test]
    fn scripts_without_spaces_part_at_every_letter_and_keep_their_signs() {
        assert_eq!(exact("ยกเลิก"), "ย ก เ ลิ ก");
        assert_eq!(plainly("ลงทะเบียน ๑๑"), "ล ง ท ะ เ บี ย น 11");
        assert_eq!(plainly("لغو۱۱"), "لغو 11");
    }
}
