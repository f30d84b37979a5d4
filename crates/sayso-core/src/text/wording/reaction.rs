//! Reactions: the texts that phones send when somebody reacts to a message of ours with a heart or a
//! thumb. They quote our message, often with its "Reply STOP", and refuse nothing.
//!
//! They are known by shape first: a quotation to the end of the text, or to a few words before it, with
//! a few words before it that are one of the heads (`data/words/reactions.tsv`), or an emoji.

use std::sync::LazyLock;

use super::fold::{exact_text, fold};
use super::lexicon::{expand, lines, three};

/// Bytes before or behind the quotation: the longest words of a reaction, in any script.
const AROUND_BYTES_MAX: usize = 160;

const REACTIONS: &str = include_str!("../../../data/words/reactions.tsv");

/// Marks that open a quotation, and those that close it.
const PAIRS: [(char, &[char]); 9] = [
    ('\u{201c}', &['\u{201d}', '\u{201c}']),
    ('"', &['"']),
    ('\u{201e}', &['\u{201c}', '\u{201d}']),
    ('\u{201d}', &['\u{201d}']),
    ('\u{ab}', &['\u{bb}']),
    ('\u{bb}', &['\u{ab}', '\u{bb}']),
    ('\u{300c}', &['\u{300d}']),
    ('\u{300e}', &['\u{300f}']),
    ('\u{2018}', &['\u{2019}']),
];

/// The words of a reaction, folded: those before the quotation, those behind it, and whether they are
/// one only beside an emoji.
static HEADS: LazyLock<Vec<(String, String, Needs)>> = LazyLock::new(|| {
    let folded = |text: &str| exact_text(&fold(text));
    let needs = |kind: &str| if kind == "emoji" { Needs::Emoji } else { Needs::Nothing };
    lines(REACTIONS)
        .filter_map(three)
        .flat_map(|(kind, words, _)| expand(words).into_iter().map(move |it| (kind, it)))
        .map(|(kind, words)| {
            let (head, tail) = words.split_once('…').unwrap_or((&words, ""));
            (folded(head), folded(tail), needs(kind))
        })
        .collect()
});

/// What words need beside them to be those of a reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Emoji,
}

/// Whether a text stands for a reaction.
pub(super) fn is_reaction(text: &str) -> bool {
    if is_framed(text) {
        return true;
    }
    let text = text.trim_matches(|it: char| it.is_whitespace() || is_joiner(it));
    let Some((head, tail)) = around_quote(text) else { return is_of_picture(text) };
    if head.len() > AROUND_BYTES_MAX || tail.len() > AROUND_BYTES_MAX {
        return false;
    }
    let (before, behind) = (exact_text(&fold(head)), exact_text(&fold(tail)));
    let emoji = head.chars().chain(tail.chars()).any(is_pictured);
    HEADS.iter().any(|(head, tail, needs)| {
        before == *head && behind == *tail && (emoji || *needs == Needs::Nothing)
    })
}

/// The frame that one program of phones puts around a reaction.
///
/// *Source*: Google Messages: a hair space before everything and around the quotation, and zero-width
/// spaces around the emoji.
fn is_framed(text: &str) -> bool {
    let quote = text.strip_prefix('\u{200a}').and_then(|rest| rest.strip_suffix('\u{200a}'));
    quote.is_some_and(|inside| {
        inside.contains(['\u{200b}', '\u{200c}']) && inside.contains('\u{200a}')
    })
}

/// `Loved an image`.
fn is_of_picture(text: &str) -> bool {
    let words = exact_text(&fold(text));
    let things =
        ["an image", "a movie", "an attachment", "a photo", "a sticker", "an audio message"];
    things.iter().any(|thing| {
        words.strip_suffix(thing).is_some_and(|head| {
            let head = head.trim_end();
            ["liked", "loved", "disliked", "laughed at", "emphasized", "emphasised", "questioned"]
                .contains(&head)
        })
    })
}

/// What stands before and behind the one quotation of a text.
fn around_quote(text: &str) -> Option<(&str, &str)> {
    let (from, opening) =
        text.char_indices().find(|(_, it)| PAIRS.iter().any(|pair| pair.0 == *it))?;
    let (_, closing) = PAIRS.iter().find(|pair| pair.0 == opening)?;
    let head = text.get(..from)?;
    let rest = text.get(from + opening.len_utf8()..)?;
    let end = rest.rfind(*closing)?;
    let inside = rest.get(..end)?;
    let tail = rest.get(end..)?;
    let tail = tail.get(tail.chars().next()?.len_utf8()..)?;
    let is_apart = !(head.trim().is_empty() && tail.trim().is_empty());
    (is_apart && !inside.trim().is_empty()).then_some((head, tail))
}

fn is_joiner(it: char) -> bool {
    matches!(it, '\u{200a}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether it is an emoji.
fn is_pictured(it: char) -> bool {
    matches!(it, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{203c}' | '\u{2049}')
}
