//! How a message is heard: its words, and the other places where a refusal may stand. Pure.
//!
//! Of all that a message says, what refuses counts. Words that may be somebody else's, or were lost on
//! their way, are doubt, and a person decides.

use sayso_channels::inbound::{KeywordKind, Place, Written, Wrote};
use sayso_core::text::wording::{Because, Heard, Reading};

use super::question::{NO_BUTTON, YES_BUTTON};
use sayso_plan::understanding::vocabulary::Searched;
use sayso_plan::understanding::{Line, Understanding};

/// How a person's words are understood; `None` where there are none, or none that count where they were
/// written.
pub(super) fn understand<'a>(
    line: &Line<'a>,
    wrote: &Wrote,
    searched: Option<&Searched>,
) -> Option<Understanding<'a>> {
    let text = text_of(wrote).unwrap_or_default();
    let heard = in_place(heard(line, wrote)?, wrote.place)?;
    Some(line.follow(text, heard, searched))
}

/// The words of a message, wherever they stand.
pub(super) fn text_of(wrote: &Wrote) -> Option<&str> {
    match &wrote.content {
        Written::Text(text) => Some(text),
        Written::Answer { payload, title } => Some(title.as_deref().unwrap_or(payload)),
        Written::Other { caption, .. } => caption.as_deref(),
        Written::Contact { .. } | Written::Lost { .. } => None,
    }
}

/// What is kept of a message as its text, so that whoever reviews it sees what was read.
pub(super) fn shown(wrote: &Wrote) -> String {
    if let Written::Lost { kind } = &wrote.content {
        return format!("[{kind}: the provider did not pass on what was said]");
    }
    let words = text_of(wrote).into_iter().chain(wrote.asides.iter().map(String::as_str));
    words.collect::<Vec<_>>().join(" / ")
}

/// Of our reading and the provider's the refusing one wins. What its START is to the person, their words
/// say: it ends its own block by it (rule 19).
fn heard(line: &Line<'_>, wrote: &Wrote) -> Option<Heard> {
    let own = own(line, wrote);
    match wrote.handled_by_provider {
        None | Some(KeywordKind::Start) => own,
        Some(kind @ (KeywordKind::Stop | KeywordKind::Help)) => {
            let theirs = if kind == KeywordKind::Stop { STOP } else { HELP };
            Some(own.filter(|own| may_refuse(own.reading)).unwrap_or(theirs))
        }
    }
}

/// What a provider took words for, and acted on.
const STOP: Heard = Heard { reading: Reading::Stop { topic: None }, because: Because::WholeText };
const HELP: Heard = Heard { reading: Reading::Help, because: Because::WholeText };

/// What may be a refusal, and is no words that we could read.
const DOUBTFUL: Heard = Heard { reading: Reading::Unclear, because: Because::Doubtful };

/// How we read a message.
fn own(line: &Line<'_>, wrote: &Wrote) -> Option<Heard> {
    let said = pressed(line, wrote).or_else(|| text_of(wrote).map(|text| line.read(text)));
    if said.is_some_and(|said| said.reading.is_refusal()) {
        return said;
    }
    let is_lost = matches!(wrote.content, Written::Lost { .. });
    let is_beside = || wrote.asides.iter().any(|words| stops(line, words).is_some());
    let hidden = sent_back(line, wrote, said);
    hidden.or_else(|| (is_lost || is_beside()).then_some(DOUBTFUL)).or(said)
}

/// The answer of a button of ours. A no is a no whenever it is pressed; a yes while the question waits.
fn pressed(line: &Line<'_>, wrote: &Wrote) -> Option<Heard> {
    let Written::Answer { payload, .. } = &wrote.content else { return None };
    let reading = match payload.as_str() {
        NO_BUTTON => Reading::No,
        YES_BUTTON if line.open.is_some() => Reading::Yes,
        _ => return None,
    };
    Some(Heard { reading, because: Because::WholeText })
}

/// A refusal in what a button was given to send back, whatever the words on it: `STOP`, `opt_out`; doubt
/// where a stop word stands among others. None where the words on it plainly mean something else.
fn sent_back(line: &Line<'_>, wrote: &Wrote, said: Option<Heard>) -> Option<Heard> {
    let Written::Answer { payload, .. } = &wrote.content else { return None };
    if said.is_some_and(|said| said.because == Because::OtherMeaning) {
        return None;
    }
    let spaced = payload.replace(['_', '-', ':', '.', '/'], " ");
    let joined = payload.replace(['_', '-'], "");
    let refusal = [payload, &spaced, &joined].into_iter().find_map(|words| stops(line, words));
    let doubt = || Some(line.read(&spaced)).filter(|it| it.because == Because::StopWord);
    refusal.or_else(|| doubt().map(|_| DOUBTFUL))
}

/// Words that stop something.
fn stops(line: &Line<'_>, words: &str) -> Option<Heard> {
    let heard = line.read(words);
    matches!(heard.reading, Reading::Stop { .. }).then_some(heard)
}

/// What counts of words by where they were written: elsewhere than to us only a refusal does, and from
/// the past only as doubt.
fn in_place(heard: Heard, place: Place) -> Option<Heard> {
    match place {
        Place::Chat => Some(heard),
        Place::Aside => may_refuse(heard.reading).then_some(heard),
        Place::Past => heard.reading.is_refusal().then_some(DOUBTFUL),
    }
}

/// Whether a text refuses, or may.
const fn may_refuse(reading: Reading) -> bool {
    reading.is_refusal() || matches!(reading, Reading::Unclear)
}
