//! What people write is read as a reasonable person reads it, however it was typed.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sayso_core::limits;
use sayso_core::text::wording::{
    Because, Code, CodeFault, Codes, Conversation, Kind, Names, Offered, Question, Reading, expand,
    read, words,
};
use sayso_core::words::channel::Channel;

use crate::support::corpus::{READINGS, cases};

const STOP: Reading = Reading::Stop { topic: None };

fn reading(text: &str) -> Reading {
    let (names, codes) = (Names::default(), Codes::default());
    let conversation = Conversation {
        channel: Channel::Sms,
        names: &names,
        codes: &codes,
        question: Question::None,
        offered: &Offered::default(),
    };
    read(text, &conversation).reading
}

fn words_of(kind: Kind) -> Vec<String> {
    words().filter(|word| word.kind == kind).flat_map(|word| expand(word.phrase)).collect()
}

#[test]
fn the_corpus_is_read_as_a_reasonable_person_reads_it() {
    let mut faults = Vec::new();
    let mut count = 0;
    for case in cases() {
        count += 1;
        assert!(READINGS.contains(&case.expected), "{case:?}");
        let heard = case.heard();
        let got = heard.reading.as_str();
        let known = case.note.strip_prefix("misread as ");
        let known = known.map(|note| note.split([':', ',']).next().unwrap_or_default());
        if known.unwrap_or(case.expected) != got || known == Some(case.expected) {
            faults.push(format!(
                "{} {:?} [{}] expected {} got {got} because {}",
                case.language, case.text, case.context, case.expected, heard.because
            ));
        }
        let refuses = ["stop", "stop_topic", "no"].contains(&case.expected);
        let lost = ["nothing", "start", "yes", "help"].contains(&got);
        assert!(!(refuses && lost && known.is_some()), "a lost refusal may not be known: {case:?}");
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 400);
}

#[test]
fn every_language_has_cases_of_every_reading_that_matters() {
    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    cases().for_each(|case| seen.entry(case.language).or_default().push(case.expected));
    let first: Vec<&str> = seen.keys().copied().collect();
    assert!(first.len() >= 14);
    for language in first {
        for expected in ["stop", "unclear", "nothing", "yes", "no", "help", "start"] {
            assert!(
                seen.get(language).is_some_and(|of| of.contains(&expected)),
                "{language} has no case of {expected}"
            );
        }
    }
}

#[test]
fn every_stop_word_of_the_data_stops() {
    for kind in [Kind::Stop, Kind::StopFirst, Kind::StopAlone] {
        for text in words_of(kind) {
            assert_eq!(reading(&text), STOP, "{text}");
        }
    }
}

#[test]
fn every_start_and_help_word_of_the_data_acts_alone() {
    for text in words_of(Kind::Start) {
        assert_eq!(reading(&text), Reading::Start, "{text}");
    }
    for text in words_of(Kind::Help) {
        assert_eq!(reading(&text), Reading::Help, "{text}");
    }
}

/// A few of them are sentences of which the grammar knows that nothing is refused.
#[test]
fn every_doubtful_phrase_of_the_data_holds_or_refuses() {
    let (names, codes, offered) = (Names::default(), Codes::default(), Offered::default());
    let conversation = Conversation {
        channel: Channel::Sms,
        names: &names,
        codes: &codes,
        question: Question::None,
        offered: &offered,
    };
    for kind in [Kind::Doubt, Kind::DoubtAlone, Kind::No] {
        for text in words_of(kind) {
            let heard = read(&text, &conversation);
            let known = [Reading::Unclear, STOP].contains(&heard.reading);
            assert!(known || heard.because == Because::OtherMeaning, "{text}: {}", heard.because);
        }
    }
}

#[test]
fn a_text_beyond_the_limit_is_a_refusal_or_unclear() {
    let long = "what time do you open? ".repeat(limits::READ_BYTES_MAX / 20);
    assert_eq!(reading(&long), Reading::Unclear);
    assert_eq!(reading(&format!("stop texting me. {long}")), STOP);
    assert_eq!(reading(&format!("start {}", " ".repeat(limits::READ_BYTES_MAX))), Reading::Unclear);
    let short = " ".repeat(limits::READ_BYTES_MAX - 4);
    assert_eq!(reading(&format!("stop{short}")), STOP);
}

#[test]
fn a_code_that_means_something_in_a_refusal_is_refused() {
    let fault = |text: &str| Code::parse(text).err();
    assert_eq!(fault("OFFERS"), None);
    assert_eq!(fault("all"), Some(CodeFault::Taken));
    assert_eq!(fault("Stop"), Some(CodeFault::Taken));
    assert_eq!(fault("please"), Some(CodeFault::Taken));
    assert_eq!(fault(" 🙂 "), Some(CodeFault::Empty));
    assert_eq!(fault(&"ab".repeat(limits::TOPIC_CODE_BYTES_MAX / 2)), None);
    assert_eq!(fault(&"x".repeat(limits::TOPIC_CODE_BYTES_MAX + 1)), Some(CodeFault::TooLong));
}

#[test]
fn the_reason_says_what_was_seen() {
    let names = Names::of(["ACME"]);
    let codes = Codes::default();
    let because = |text: &str| {
        let conversation = Conversation {
            channel: Channel::Sms,
            names: &names,
            codes: &codes,
            question: Question::None,
            offered: &Offered::default(),
        };
        read(text, &conversation).because
    };
    assert_eq!(because("STOP"), Because::WholeText);
    assert_eq!(because("stop please"), Because::Courtesy);
    assert_eq!(because("stop acme"), Because::OwnName);
    assert_eq!(because("You again. Stop. Goodness me"), Because::Sentence);
    assert_eq!(because("kindly stop texting me, I am busy"), Because::ClearPhrase);
    assert_eq!(because("stop maybe"), Because::StopWord);
    assert_eq!(because("is this spam"), Because::Doubtful);
    assert_eq!(because("please don't stop"), Because::OtherMeaning);
    assert_eq!(because("a nice shop"), Because::Ordinary);
}

/// Texts of the corpus and of any kind.
fn anything() -> impl Strategy<Value = String> {
    let known: Vec<String> = cases().map(|case| case.text).collect();
    prop_oneof![
        select(known.clone()),
        ".{0,60}",
        (select(known), "\\PC{0,12}").prop_map(|(text, noise)| format!("{text} {noise}")),
    ]
}

fn fullwidth(text: &str) -> String {
    let wide = |letter: char| match letter {
        '!'..='~' => char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter),
        other => other,
    };
    text.chars().map(wide).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_a_reading(text in anything()) {
        prop_assert!(READINGS.contains(&reading(&text).as_str()));
    }

    #[test]
    fn case_width_and_what_stands_around_change_nothing(
        at in 0_usize..2_000,
        before in select(vec!["", " ", "\t", "\u{200b}", "🙂 ", "« "]),
        after in select(vec!["", " ", "!", "!!!", " 🙏", "\u{200e}", " »", "\n"]),
    ) {
        let seen = |text: &str| !text.contains(['>', '\n', '\u{201c}', '"']) && !text.contains("://");
        let all: Vec<_> = cases().filter(|case| seen(&case.text)).collect();
        let Some(case) = all.get(at % all.len()) else { return Ok(()) };
        let read = case.heard().reading;
        for text in [
            case.text.to_uppercase(),
            case.text.to_lowercase(),
            fullwidth(&case.text),
            format!("{before}{}{after}", case.text),
        ] {
            prop_assert_eq!(case.heard_as(&text).reading, read, "{:?}", text);
        }
    }

    #[test]
    fn a_stop_word_with_courtesy_still_stops(
        word in select(words_of(Kind::Stop)),
        before in vec(select(words_of(Kind::Courtesy)), 0..3),
        after in vec(select(words_of(Kind::Courtesy)), 0..3),
    ) {
        let text = format!("{}, {word}, {}", before.join(", "), after.join(", "));
        prop_assert_eq!(reading(&text), STOP, "{:?}", text);
    }

    #[test]
    fn a_stop_word_with_emoji_still_stops(
        word in select([words_of(Kind::Stop), words_of(Kind::StopFirst), words_of(Kind::StopAlone)].concat()),
        emoji in vec(select(vec!["🛑", "👍🏽", "❤\u{fe0f}", "👩\u{200d}👧", "🇩🇪", "😡"]), 0..4),
        apart in select(vec!["", " "]),
    ) {
        let signs = emoji.join(apart);
        for text in [format!("{word}{apart}{signs}"), format!("{signs}{apart}{word}")] {
            prop_assert_eq!(reading(&text), STOP, "{:?}", text);
        }
    }
}
