//! What people write, and what workspaces and lists write about it.

use std::sync::LazyLock;

use sayso_core::gate::hours::OpenHours;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{RuleId, TopicId};
use sayso_core::text::list_word::ListWord;
use sayso_core::text::rule::{
    Does, Draft, Found, Keyword, Matching, Pattern, Patterns, Rule, choose,
};
use sayso_core::text::wording::{
    Code, Codes, Conversation, Names, Offered, Question, edited, read,
};
use sayso_core::time::list::{DateOrder, ListTimes};
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::words::channel::{Channel, Scope};

use crate::halves;

static NAMES: LazyLock<Names> = LazyLock::new(|| Names::of(["Harbour Shop"]));

static CODES: LazyLock<Codes> = LazyLock::new(|| {
    let code = Code::parse("DEALS").expect("a code");
    Codes::of([(&code, TopicId::from_bytes([1; 16]))])
});

/// Any text that a person writes: a byte for the channel and the question, a line of what our messages
/// offered, then the text.
pub(crate) fn words(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let (offered, text) = halves(rest);
    let (offered, text) = (String::from_utf8_lossy(offered), String::from_utf8_lossy(text));
    let ours = Offered::of([&*offered]);
    let conversation = Conversation {
        channel: Channel::ALL[usize::from(choice / 2) % Channel::ALL.len()],
        names: &NAMES,
        codes: &CODES,
        question: if choice.is_multiple_of(2) { Question::None } else { Question::Open },
        offered: &ours,
    };
    let heard = read(&text, &conversation);
    assert!(!heard.is_from_a_sentence() || heard.reading.is_refusal());
    if !offered.is_empty() {
        let _ = edited(&text, &offered);
    }
}

/// Any word, and any pattern, of a workspace's rule, and any text that they are looked for in: a line each.
pub(crate) fn rules(bytes: &[u8]) {
    let (keyword, rest) = halves(bytes);
    let (pattern, text) = halves(rest);
    let [keyword, pattern, text] = [keyword, pattern, text].map(String::from_utf8_lossy);
    let mut all = Vec::new();
    if let Ok(keyword) = Keyword::parse(&keyword) {
        assert!(keyword.is_said_by(keyword.as_str()), "a keyword says itself");
        all.push(rule(1, Matching::Is(keyword.clone())));
        all.push(rule(2, Matching::Begins(keyword)));
    }
    if let Ok(pattern) = Pattern::parse(&pattern) {
        assert_eq!(Pattern::parse(pattern.as_str()).as_ref(), Ok(&pattern));
        // Whether it takes a stop word is asked of every one that there is, which takes its time.
        if text.is_empty() && all.is_empty() {
            let opting_in = draft(3, Matching::Matches(pattern.clone()), Does::OptIn);
            assert!(Rule::new(opting_in, None).is_err(), "no opt-in without a notice");
        }
        all.push(rule(3, Matching::Matches(pattern)));
    }
    if let Ok(pattern) = Pattern::parse(&keyword) {
        all.push(rule(4, Matching::Matches(pattern)));
    }
    let rules: Vec<&Rule> = all.iter().flatten().collect();
    let together = Patterns::of(rules.iter().copied());
    let found = together.search(&text);
    let alone = Found::one_by_one(rules.iter().copied(), &text);
    assert_eq!(found, alone, "patterns find the same together and alone");
    let conversation = Conversation {
        channel: Channel::Sms,
        names: &Names::of([]),
        codes: &Codes::default(),
        question: Question::None,
        offered: &Offered::default(),
    };
    let heard = read(&text, &conversation);
    let _ = choose(rules, &text, (Channel::Sms, None), heard, || found);
}

fn rule(id: u8, matching: Matching) -> Option<Rule> {
    Rule::new(draft(id, matching, Does::OptOut), None).ok()
}

fn draft(id: u8, matching: Matching, does: Does) -> Draft {
    Draft {
        id: RuleId::from_bytes([id; 16]),
        channel: Channel::Sms,
        sender: None,
        matching,
        does,
        permissions: vec![(Channel::Sms, Scope::All)],
        notice: None,
        reply: None,
        created_at: Timestamp::from_micros(0),
    }
}

/// Any cell of a list: as yes or no, as a time in each order, as hours, and as a claimed time.
pub(crate) fn cells(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (ListWord::parse(&text), ListWord::refuses_in_doubt(&text));
    let zones = [None, Zone::parse("America/New_York").ok(), Zone::parse("Pacific/Apia").ok()];
    let orders = [
        None,
        Some(DateOrder::MonthDayYear),
        Some(DateOrder::DayMonthYear),
        Some(DateOrder::YearMonthDay),
    ];
    for order in orders {
        for zone in zones {
            if let Ok(time) = (ListTimes { order, zone }).read(&text) {
                assert!(time.claimed.first() <= time.claimed.last(), "{text} runs backwards");
            }
        }
    }
    if let Ok(claimed) = ClaimedTime::parse(&text) {
        assert!(claimed.first() <= claimed.last(), "{text} runs backwards");
    }
    if let Ok(at) = Timestamp::parse(&text) {
        assert_eq!(Timestamp::parse(&at.to_string()), Ok(at), "printed, and read again");
    }
    if let Some(hours) = OpenHours::parse(&text) {
        assert!(hours.week().filter_map(|(_, hours)| hours).all(|(from, to)| from < to));
        assert_eq!(OpenHours::parse(&hours.to_string()), Some(hours), "printed, and read again");
    }
    if let Ok(zone) = Zone::parse(&text) {
        assert_eq!(Zone::parse(zone.as_str()), Ok(zone));
    }
    if let Ok(scope) = Scope::parse(&text) {
        assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
    }
}
