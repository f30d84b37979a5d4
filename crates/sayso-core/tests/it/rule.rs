//! Which rule a text follows, and which rules are refused.

#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::prelude::*;
use sayso_core::id::{NoticeId, RuleId, SenderId};
use sayso_core::limits;
use sayso_core::text::rule::{
    Does, Draft, Found, Keyword, Matching, Pattern, Patterns, Rule, RuleFault, Why, choose,
};
use sayso_core::text::wording::{Codes, Conversation, Names, Offered, Question, read};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::notice::{Language, Notice};

fn keyword(text: &str) -> Keyword {
    Keyword::parse(text).unwrap()
}

fn begins(text: &str) -> Matching {
    Matching::Begins(keyword(text))
}

fn is(text: &str) -> Matching {
    Matching::Is(keyword(text))
}

fn matches(text: &str) -> Matching {
    Matching::Matches(Pattern::parse(text).unwrap())
}

fn notice(names: Vec<Permission>) -> Notice {
    Notice {
        id: NoticeId::from_bytes([1; 16]),
        version: 1,
        language: Language::parse("en").unwrap(),
        text: "We send offers.".into(),
        names,
    }
}

fn draft(number: u8, matching: Matching, does: Does) -> Draft {
    Draft {
        id: RuleId::from_bytes([number; 16]),
        channel: Channel::Sms,
        sender: None,
        matching,
        does,
        permissions: vec![(Channel::Sms, Scope::All)],
        notice: (does == Does::OptIn).then(|| notice(Vec::new()).reference()),
        reply: None,
        created_at: Timestamp::from_micros(i64::from(number)),
    }
}

fn opts_in(number: u8, matching: Matching) -> Rule {
    Rule::new(draft(number, matching, Does::OptIn), None).unwrap()
}

/// The number of the chosen rule, and why.
fn chosen(rules: &[Rule], text: &str) -> (Option<u8>, Why) {
    let (names, codes) = (Names::default(), Codes::default());
    let conversation = Conversation {
        channel: Channel::Sms,
        names: &names,
        codes: &codes,
        question: Question::None,
        offered: &Offered::default(),
    };
    let found = || Patterns::of(rules).search(text);
    let choice = choose(rules, text, (Channel::Sms, None), read(text, &conversation), found);
    (choice.rule.map(|rule| rule.says().id.as_bytes()[0]), choice.why)
}

#[test]
fn words_are_compared_folded_and_at_word_borders() {
    let rules = [opts_in(1, begins("Offers"))];
    for text in ["OFFERS", "offers please", "ｏｆｆｅｒｓ", " «Offers»!", "Öffers now"] {
        assert_eq!(chosen(&rules, text), (Some(1), Why::OnlyMatch), "{text}");
    }
    for text in ["offersnow", "my offers", "offer", ""] {
        assert_eq!(chosen(&rules, text), (None, Why::NoMatch), "{text}");
    }
    let rules = [opts_in(1, is("winter deals"))];
    assert_eq!(chosen(&rules, "Winter, deals!"), (Some(1), Why::OnlyMatch));
    assert_eq!(chosen(&rules, "winter deals please"), (None, Why::NoMatch));
}

#[test]
fn a_pattern_is_searched_in_the_folded_text() {
    let rules = [opts_in(1, matches("^(WINTER|summer) deals?$"))];
    assert_eq!(chosen(&rules, "Summer  DEAL!"), (Some(1), Why::OnlyMatch));
    assert_eq!(chosen(&rules, "my summer deal"), (None, Why::NoMatch));
}

#[test]
fn the_longest_keyword_then_the_oldest_rule_is_chosen() {
    let rules = [
        opts_in(3, begins("offers")),
        opts_in(2, begins("offers shoes")),
        opts_in(1, matches("shoes")),
    ];
    assert_eq!(chosen(&rules, "offers shoes"), (Some(2), Why::LongestKeyword));
    assert_eq!(chosen(&rules, "offers hats"), (Some(3), Why::OnlyMatch));
    assert_eq!(chosen(&rules, "shoes"), (Some(1), Why::OnlyMatch));
    let rules = [opts_in(3, begins("offers")), opts_in(2, is("offers"))];
    assert_eq!(chosen(&rules, "offers"), (Some(2), Why::Oldest));
}

#[test]
fn built_in_words_beat_every_rule() {
    let out = Rule::new(draft(1, matches("."), Does::OptOut), None).unwrap();
    for text in ["STOP", "start", "help", "unsubscribe me please", "dejen de enviarme mensajes"] {
        assert_eq!(chosen(std::slice::from_ref(&out), text), (None, Why::BuiltInWord), "{text}");
    }
}

#[test]
fn a_text_in_doubt_opts_nobody_in() {
    let rules = [opts_in(1, matches("maybe"))];
    assert_eq!(chosen(&rules, "stop maybe"), (None, Why::InDoubt));
    let rules = [Rule::new(draft(2, matches("maybe"), Does::OptOut), None).unwrap()];
    assert_eq!(chosen(&rules, "stop maybe"), (Some(2), Why::OnlyMatch));
}

#[test]
fn a_rule_counts_on_its_channel_and_sender_only() {
    let (ours, theirs) = (SenderId::from_bytes([1; 16]), SenderId::from_bytes([2; 16]));
    let mine = Draft { sender: Some(ours), ..draft(1, is("offers"), Does::OptIn) };
    let rules = [Rule::new(mine, None).unwrap()];
    let (names, codes) = (Names::default(), Codes::default());
    let (channel, question) = (Channel::Sms, Question::None);
    let conversation = Conversation {
        channel,
        names: &names,
        codes: &codes,
        question,
        offered: &Offered::default(),
    };
    let heard = read("offers", &conversation);
    let found = |channel, sender| {
        choose(&rules, "offers", (channel, sender), heard, Found::default).rule.is_some()
    };
    assert!(found(Channel::Sms, Some(ours)));
    assert!(!found(Channel::Sms, Some(theirs)));
    assert!(!found(Channel::Sms, None));
    assert!(!found(Channel::WhatsApp, Some(ours)));
}

#[test]
fn no_rule_opts_in_by_a_stop_word() {
    let fault = |matching| Rule::new(draft(1, matching, Does::OptIn), None).err();
    let taken = |word: &str| Some(RuleFault::TakesStopWord(word.into()));
    assert_eq!(fault(is("STOP")), taken("stop"));
    assert_eq!(fault(begins("Stop offers")), taken("stop"));
    assert_eq!(fault(begins("ARRÊT promo")), taken("arret"));
    assert_eq!(fault(begins("iptal et")), taken("iptal et"));
    assert!(matches!(fault(matches("sto")), Some(RuleFault::TakesStopWord(_))));
    assert_eq!(fault(begins("stopwatch")), None);
    assert!(Rule::new(draft(1, is("stop"), Does::OptOut), None).is_ok());
}

#[test]
fn another_channel_is_opted_in_only_where_the_notice_names_it() {
    let wanted = Draft {
        permissions: vec![(Channel::Sms, Scope::All), (Channel::WhatsApp, Scope::All)],
        ..draft(1, is("offers"), Does::OptIn)
    };
    let unnamed = notice(vec![Permission::Messages(Channel::Sms, Scope::All)]);
    let named = notice(vec![Permission::Messages(Channel::WhatsApp, Scope::All)]);
    let fault = |notice| Rule::new(wanted.clone(), notice).err();
    assert_eq!(fault(None), Some(RuleFault::NotNamed(Channel::WhatsApp)));
    assert_eq!(fault(Some(&unnamed)), Some(RuleFault::NotNamed(Channel::WhatsApp)));
    assert_eq!(fault(Some(&named)), None);
    let out = Draft { does: Does::OptOut, ..wanted.clone() };
    assert!(Rule::new(out, None).is_ok());
    let silent = Draft { notice: None, ..wanted.clone() };
    assert_eq!(Rule::new(silent, Some(&named)).err(), Some(RuleFault::NoNotice));
}

#[test]
fn what_is_too_long_or_broken_is_refused_with_its_fault() {
    let word = |length| Keyword::parse(&"ab".repeat(length / 2)).err();
    assert_eq!(word(limits::KEYWORD_BYTES_MAX), None);
    assert_eq!(word(limits::KEYWORD_BYTES_MAX + 2), Some(RuleFault::KeywordTooLong));
    assert_eq!(Keyword::parse("🙂").err(), Some(RuleFault::KeywordEmpty));
    let pattern = |text: &str| Pattern::parse(text).err();
    assert_eq!(pattern("a(b"), Some(RuleFault::Pattern("unclosed group".into())));
    assert_eq!(pattern(""), Some(RuleFault::PatternMatchesAll));
    assert_eq!(pattern("a*"), Some(RuleFault::PatternMatchesAll));
    assert_eq!(pattern("(a{1000}){1000}"), Some(RuleFault::PatternTooLarge));
    assert_eq!(pattern(&"a".repeat(limits::PATTERN_BYTES_MAX)), None);
    assert_eq!(
        pattern(&"a".repeat(limits::PATTERN_BYTES_MAX + 1)),
        Some(RuleFault::PatternTooLarge)
    );
    let replying = |reply: String| {
        let wanted = Draft { reply: Some(reply.into()), ..draft(1, is("a"), Does::OptOut) };
        Rule::new(wanted, None).err()
    };
    assert_eq!(replying("x".repeat(limits::REPLY_BYTES_MAX)), None);
    assert_eq!(replying("x".repeat(limits::REPLY_BYTES_MAX + 1)), Some(RuleFault::ReplyTooLong));
    assert_eq!(replying(" ".into()), Some(RuleFault::ReplyEmpty));
    let nothing = Draft { permissions: Vec::new(), ..draft(1, is("a"), Does::OptOut) };
    assert_eq!(Rule::new(nothing, None).err(), Some(RuleFault::NoPermission));
}

/// The pieces that patterns are made of here, of which some are found often and some are costly.
fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-cé ]{1,4}",
        Just("\\w+".to_owned()),
        Just(".".to_owned()),
        Just("[^a]".to_owned()),
        Just("(ab|b+c?|\\d{2,3})".to_owned()),
        Just("^".to_owned()),
        Just("$".to_owned()),
        Just("(?-u:\\b)".to_owned()),
        Just("(?m)^a".to_owned()),
        Just("a.{0,6}b".to_owned()),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn ruled(number: usize, matching: Matching) -> Rule {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let draft = Draft { id: RuleId::from_bytes(id), ..draft(1, matching, Does::OptOut) };
    Rule::new(draft, None).unwrap()
}

/// The rules that these patterns make, without those that are refused.
fn ruled_by<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Vec<Rule> {
    let patterns = patterns.into_iter().filter_map(|text| Pattern::parse(text).ok());
    patterns.enumerate().map(|(at, pattern)| ruled(at, Matching::Matches(pattern))).collect()
}

proptest! {
    #[test]
    fn patterns_are_found_together_as_they_are_found_alone(
        patterns in prop::collection::vec(pattern(), 0..40),
        texts in prop::collection::vec("[a-dÉé0-9 \\n.!]{0,60}|.{0,40}", 1..6),
    ) {
        let rules = ruled_by(&patterns);
        let together = Patterns::of(&rules);
        for text in &texts {
            prop_assert_eq!(together.search(text), Found::one_by_one(&rules, text), "{:?}", text);
        }
    }
}

#[test]
fn a_text_that_needs_more_states_than_there_is_room_for_is_searched_all_the_same() {
    let patterns: Vec<String> =
        (0..200).map(|at| format!("a.{{{at},{}}}b{at}x", at + 12)).collect();
    let rules = ruled_by(&patterns);
    assert!(rules.len() > 100, "{}", rules.len());
    let together = Patterns::of(&rules);
    let mut number = 1_u32;
    let mut letter = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ["a", "b", "7x", " ", "1", "é"][usize::try_from(number >> 24).unwrap() % 6]
    };
    for _ in 0..2 {
        let text: String = (0..2_000).map(|_| letter()).collect();
        assert_eq!(together.search(&text), Found::one_by_one(&rules, &text));
    }
}

#[test]
fn patterns_are_made_anew_when_a_rule_changes_and_only_then() {
    let texts = ["offers", "deals"].map(str::to_owned);
    let rules = ruled_by(&texts);
    let patterns = Patterns::of(&rules);
    assert!(patterns.are_of(&rules) && !patterns.are_of(&rules[..1]));
    assert!(!patterns.are_of(&ruled_by(["offers", "deal"].map(str::to_owned).iter())));
    assert!(!patterns.is_ready() && Patterns::of(&[]).is_ready());
    patterns.make_ready();
    assert!(patterns.is_ready() && patterns.len() == 2);
    let found = patterns.search("Offers!");
    assert!(found.has(rules[0].says().id) && !found.has(rules[1].says().id));
}
