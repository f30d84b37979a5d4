//! Offers: what people see where they may say yes, and the linter that says what it lacks.
//!
//! An offer is a form, an entry page, a question or a notice, told as what it shows. The linter holds it
//! against what every opt-in needs, against the policies of its channels and against country packs. It
//! says what is missing, who demands it, and what to write instead.
//!
//! Absent on purpose: any word on whether an offer is lawful. A finding is a thing to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::policy::clause::{Grounds, clauses, heading, lines};
use crate::policy::demand::{Demand, Demanded, FindingCode, Flaw, Severity, Shown};
use crate::policy::pack::{DoubleOptIn, Pack, PackName};
use crate::policy::{Policies, Way};
use crate::text::wording::Phrase;
use crate::words::channel::{Category, Channel};
use crate::words::statement::Level;

const EVERY: &str = include_str!("../../data/policies/sayso.tsv");
const PHRASES: &str = include_str!("../../data/policies/shown.tsv");

/// What people see where they may say yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How the yes is collected; absent where it is not known yet, as for a notice by itself.
    pub way: Option<Way>,
    /// The channels that the yes is for.
    pub channels: BTreeSet<Channel>,
    /// What the messages are for; of several the one that needs most consent.
    pub category: Category,
    /// The level that the opt-in reaches: `confirmed` with double opt-in.
    pub level: Level,
    /// The channels that the words name. [`Shown::Channel`] in `shows` means all.
    pub named: BTreeSet<Channel>,
    /// What it shows.
    pub shows: BTreeSet<Shown>,
    /// What it does wrong.
    pub flaws: BTreeSet<Flaw>,
}

/// Something that an offer lacks or does wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: FindingCode,
    /// The worst that somebody says of it.
    pub severity: Severity,
    /// The channels that it concerns.
    pub channels: BTreeSet<Channel>,
    /// Who says so.
    pub demanded_by: Vec<DemandedBy>,
}

/// Who demands something of an offer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DemandedBy {
    /// `sayso`, a policy's name or a country pack's.
    pub name: &'static str,
    /// Which version of it.
    pub version: Box<str>,
    /// How bad it is there.
    pub severity: Severity,
    /// What that rests on; absent for a policy of the workspace's own.
    pub grounds: Option<Grounds>,
}

/// What every opt-in needs, by whatever policy.
#[derive(Debug)]
pub struct Every {
    /// Its version.
    pub version: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it demands.
    pub demands: Vec<Demand>,
}

impl FindingCode {
    /// What is wrong, and what to write or do instead.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::BusinessMissing => {
                "Name the business that will write: \"Ada's Shop will send you…\"."
            }
            Self::ChannelMissing => {
                "Name each channel the yes is for: \"…by WhatsApp\", \"…by text message\"."
            }
            Self::MarkMissing => "Put the channel's name and logo beside the box.",
            Self::KindsMissing => {
                "Say what kinds of messages come: \"order updates\", \"offers and news\"."
            }
            Self::FrequencyMissing => "Say how often: \"up to 4 messages a month\".",
            Self::FeesMissing => "Say what it may cost: \"Message and data rates may apply\".",
            Self::NumberNotEditable => "Show the number in a field that the person can change.",
            Self::WayOutMissing => "Say how to stop: \"Reply STOP at any time\".",
            Self::ContactMissing => {
                "Give a way to reach you: an address, a phone number, a mail address."
            }
            Self::TermsMissing => "Link the terms.",
            Self::PrivacyMissing => "Link the privacy notice.",
            Self::NoConditionMissing => {
                "Say that it is no condition: \"Consent is not a condition of purchase\"."
            }
            Self::PreTicked => "Leave the box empty: the person ticks it.",
            Self::Bundled => "Ask for the messages by a box of their own, apart from the terms.",
            Self::Condition => "Let people buy and sign up without saying yes to messages.",
            Self::NoAct => {
                "Ask a question that the person answers: opening a link or saving a number is no yes."
            }
            Self::WayNotAdmitted => {
                "Collect the yes in a way that the policy of the channel admits; it is kept as pending otherwise."
            }
            Self::LevelTooLow => {
                "Ask for a higher level, as by double opt-in: less is kept as pending by the policy of the channel."
            }
            Self::DoubleOptIn => {
                "Turn on double opt-in: let the person confirm through the address itself."
            }
        }
    }
}

impl Every {
    /// What every opt-in needs.
    pub fn opt_in() -> &'static Self {
        static EVERY_OPT_IN: LazyLock<Every> = LazyLock::new(|| Every {
            version: heading(EVERY, "version").unwrap_or_default(),
            title: heading(EVERY, "name").unwrap_or_default(),
            demands: clauses(EVERY).filter_map(|clause| Demand::of(&clause)).collect(),
        });
        &EVERY_OPT_IN
    }
}

impl Offer {
    /// The channels for which a demand is not met.
    fn lacks(&self, demand: &Demand) -> BTreeSet<Channel> {
        let mut concerned: BTreeSet<Channel> =
            self.channels.intersection(&demand.channels).copied().collect();
        let is_met = match demand.of {
            Demanded::Show(shown) => self.shows.contains(&shown),
            Demanded::Avoid(flaw) => !self.flaws.contains(&flaw),
        };
        if is_met {
            concerned.clear();
        } else if demand.of == Demanded::Show(Shown::Channel) {
            concerned.retain(|channel| !self.named.contains(channel));
        }
        concerned
    }

    /// An offer of these channels that shows nothing yet.
    pub fn new(channels: BTreeSet<Channel>, category: Category) -> Self {
        Self {
            way: None,
            channels,
            category,
            level: Level::Single,
            named: BTreeSet::new(),
            shows: BTreeSet::new(),
            flaws: BTreeSet::new(),
        }
    }

    /// Takes in what the words show that the person reads before they answer: the business by one of its
    /// `names`, the kinds of messages by one of the `topics`, and the rest by phrases in the languages that
    /// `data/policies/shown.tsv` has. What it does not find may be there all the same.
    pub fn read<'a>(
        &mut self,
        words: &str,
        names: impl IntoIterator<Item = &'a str>,
        topics: impl IntoIterator<Item = &'a str>,
    ) {
        let words = Phrase::of(words);
        let says = |phrase: &str| words.contains(&Phrase::of(phrase));
        if names.into_iter().any(says) {
            self.shows.insert(Shown::Business);
        }
        if topics.into_iter().any(says) {
            self.shows.insert(Shown::Kinds);
        }
        for (shown, channel, phrase) in known_phrases() {
            if words.contains(phrase) {
                match channel {
                    Some(channel) => self.named.insert(*channel),
                    None => self.shows.insert(*shown),
                };
            }
        }
    }
}

type KnownPhrase = (Shown, Option<Channel>, Phrase);

fn known_phrases() -> &'static [KnownPhrase] {
    static KNOWN: LazyLock<Vec<KnownPhrase>> = LazyLock::new(|| {
        let read = |line: &'static str| {
            let mut columns = line.split('\t');
            let shown = Shown::parse(columns.next()?).ok()?;
            let channel = Channel::parse(columns.next()?).ok();
            Some((shown, channel, Phrase::of(columns.next()?)))
        };
        lines(PHRASES).filter_map(read).collect()
    });
    &KNOWN
}

/// What an offer lacks or does wrong, by what every opt-in needs, the policies of its channels and these
/// packs; the worst first. What packs demand of marketing they only advise for anything else.
pub fn lint(
    offer: &Offer,
    policies: &Policies,
    packs: impl IntoIterator<Item = PackName>,
) -> Vec<Finding> {
    let mut found = Found::default();
    let every = Every::opt_in();
    for demand in &every.demands {
        found.hold(offer, demand, ("sayso", every.version), demand.severity);
    }
    for channel in &offer.channels {
        found.hold_against_policy(offer, policies, *channel);
    }
    for pack in packs {
        found.hold_against_pack(offer, Pack::named(pack));
    }
    found.into_findings()
}

#[derive(Default)]
struct Found(BTreeMap<FindingCode, (BTreeSet<Channel>, Vec<DemandedBy>)>);

impl Found {
    fn hold(
        &mut self,
        offer: &Offer,
        demand: &Demand,
        by: (&'static str, &str),
        severity: Severity,
    ) {
        let unmet = offer.lacks(demand);
        self.add(demand.code(), unmet, by, (severity, demand.grounds));
    }

    fn add(
        &mut self,
        code: FindingCode,
        channels: BTreeSet<Channel>,
        (name, version): (&'static str, &str),
        (severity, grounds): (Severity, Option<Grounds>),
    ) {
        if channels.is_empty() {
            return;
        }
        let (concerned, by) = self.0.entry(code).or_default();
        concerned.extend(channels);
        let demanded = DemandedBy { name, version: version.into(), severity, grounds };
        if !by.contains(&demanded) {
            by.push(demanded);
        }
    }

    fn hold_against_policy(&mut self, offer: &Offer, policies: &Policies, channel: Channel) {
        let Some(policy) = policies.of(channel) else { return };
        let (name, version) = (policy.name(), policy.version());
        let by = (name, version.as_str());
        for mut demand in policy.demands() {
            demand.channels = [channel].into();
            let severity = demand.severity;
            self.hold(offer, &demand, by, severity);
        }
        let terms = policy.terms();
        if offer.way.is_some_and(|way| !terms.ways.contains(&way)) {
            let code = FindingCode::WayNotAdmitted;
            self.add(code, [channel].into(), by, (Severity::Error, None));
        }
        if offer.level < terms.least_level {
            self.add(FindingCode::LevelTooLow, [channel].into(), by, (Severity::Error, None));
        }
    }

    fn hold_against_pack(&mut self, offer: &Offer, pack: &'static Pack) {
        let is_marketing = offer.category == Category::Marketing;
        let eased = |severity| if is_marketing { severity } else { Severity::Warning };
        let by = (pack.name.as_str(), pack.version);
        for demand in &pack.demands {
            self.hold(offer, demand, by, eased(demand.severity));
        }
        for double in &pack.double_opt_in {
            let severity = match double.is {
                DoubleOptIn::Required => eased(Severity::Error),
                DoubleOptIn::Advised => Severity::Warning,
            };
            let concerned: BTreeSet<Channel> =
                offer.channels.intersection(&double.channels).copied().collect();
            if offer.level < Level::Confirmed {
                self.add(FindingCode::DoubleOptIn, concerned, by, (severity, Some(double.grounds)));
            }
        }
    }

    fn into_findings(self) -> Vec<Finding> {
        let finding = |(code, (channels, mut demanded_by)): (_, (_, Vec<DemandedBy>))| {
            demanded_by.sort_by_key(|by| by.severity);
            let severity = demanded_by.iter().map(|by| by.severity).min();
            Some(Finding { code, severity: severity?, channels, demanded_by })
        };
        let mut findings: Vec<Finding> = self.0.into_iter().filter_map(finding).collect();
        findings.sort_by_key(|finding| (finding.severity, finding.code));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::clause::assert_whole;
    use crate::policy::{Policy, Preset};

    fn codes(findings: &[Finding]) -> Vec<String> {
        let told = |it: &Finding| format!("{} {}", it.severity, it.code);
        findings.iter().map(told).collect()
    }

    fn strict() -> Policies {
        Policies::new([(Channel::WhatsApp, Policy::Preset(Preset::Meta2020Strict))].into())
    }

    fn on(channels: &[Channel]) -> Offer {
        Offer::new(channels.iter().copied().collect(), Category::Marketing)
    }

    #[test]
    fn what_every_opt_in_needs_is_whole_and_so_are_the_phrases() {
        assert_whole(EVERY, &["show", "flaw"], &["version", "name"]);
        assert_eq!(Every::opt_in().demands.len(), clauses(EVERY).count());
        assert_eq!(known_phrases().len(), lines(PHRASES).count());
        for (shown, channel, _) in known_phrases() {
            assert_eq!(*shown == Shown::Channel, channel.is_some(), "{shown}");
        }
    }

    #[test]
    fn an_offer_that_shows_everything_has_no_findings_by_any_policy_or_pack() {
        let mut offer = on(&[Channel::WhatsApp, Channel::Sms]);
        offer.shows = Shown::ALL.iter().copied().collect();
        offer.way = Some(Way::Form);
        offer.level = Level::Confirmed;
        assert_eq!(lint(&offer, &strict(), PackName::ALL.iter().copied()), []);
    }

    #[test]
    fn an_empty_offer_lacks_what_its_policy_demands_the_worst_first() {
        let offer = Offer { way: Some(Way::ThreadQuestion), ..on(&[Channel::WhatsApp]) };
        let found = lint(&offer, &strict(), []);
        let expected = [
            "error business_missing",
            "error channel_missing",
            "error mark_missing",
            "error kinds_missing",
            "error number_not_editable",
            "error way_not_admitted",
            "warning way_out_missing",
        ];
        assert_eq!(codes(&found), expected);
        let by: Vec<_> = found[0].demanded_by.iter().map(|by| (by.name, by.severity)).collect();
        assert_eq!(by, [("meta-2020-strict", Severity::Error), ("sayso", Severity::Warning)]);
        assert!(found[0].demanded_by[0].grounds.unwrap().references().count() > 0);
    }

    #[test]
    fn the_policy_of_today_asks_for_less() {
        let offer = Offer { way: Some(Way::ThreadQuestion), ..on(&[Channel::WhatsApp]) };
        let found = lint(&offer, &Policies::default(), []);
        assert_eq!(codes(&found)[0], "error business_missing");
        assert!(found[1..].iter().all(|it| it.severity == Severity::Warning), "{found:?}");
    }

    #[test]
    fn a_ticked_box_and_a_bare_link_are_errors_by_any_policy() {
        let mut offer = on(&[Channel::Email]);
        offer.shows = Shown::ALL.iter().copied().collect();
        offer.flaws = [Flaw::PreTicked, Flaw::NoAct, Flaw::Bundled].into();
        let found = codes(&lint(&offer, &Policies::default(), []));
        assert_eq!(found, ["error pre_ticked", "error no_act", "warning bundled"]);
        let found = codes(&lint(&offer, &Policies::default(), [PackName::Eu]));
        assert!(found.contains(&"error bundled".to_owned()), "{found:?}");
    }

    #[test]
    fn a_channel_that_the_words_do_not_name_is_named_by_the_finding() {
        let mut offer = on(&[Channel::Sms, Channel::Email]);
        offer.read("Yes, send me offers by text message", [], []);
        let found = lint(&offer, &Policies::default(), [PackName::Uk]);
        let missing = found.iter().find(|it| it.code == FindingCode::ChannelMissing).unwrap();
        assert_eq!(missing.channels, [Channel::Email].into());
        assert_eq!(missing.severity, Severity::Error);
    }

    #[test]
    fn a_pack_only_advises_where_no_marketing_is_asked_for() {
        let offer = Offer { category: Category::Utility, ..on(&[Channel::Sms]) };
        let found = lint(&offer, &Policies::default(), [PackName::Us, PackName::In]);
        assert!(found.iter().all(|it| it.severity == Severity::Warning), "{found:?}");
        let marketing = lint(&on(&[Channel::Sms]), &Policies::default(), [PackName::In]);
        let double = marketing.iter().find(|it| it.code == FindingCode::DoubleOptIn).unwrap();
        assert_eq!(double.severity, Severity::Error, "required there");
    }

    #[test]
    fn words_show_the_business_the_channel_the_kinds_and_the_way_out() {
        let mut offer = on(&[Channel::WhatsApp]);
        let words = "Yes, ADA'S SHOP may send me winter offers on WhatsApp, up to 4 a month. \
            Reply STOP to end. Message and data rates may apply. Consent is not a condition of \
            purchase. Terms and privacy: shop.example";
        offer.read(words, ["Ada's Shop", ""], ["Winter offers"]);
        let shown = [
            Shown::Business,
            Shown::Kinds,
            Shown::Frequency,
            Shown::Fees,
            Shown::WayOut,
            Shown::Terms,
            Shown::Privacy,
            Shown::NoCondition,
        ];
        assert_eq!(offer.shows, shown.into());
        assert_eq!(offer.named, [Channel::WhatsApp].into());
        let mut silent = on(&[Channel::WhatsApp]);
        silent.read("Nonstop fun!", ["Ada's Shop"], []);
        assert_eq!((silent.shows.len(), silent.named.len()), (0, 0));
        for (words, shown) in [("Dilediğiniz zaman iptal edin", true), ("أرسل إيقاف", true)]
        {
            let mut offer = on(&[Channel::Sms]);
            offer.read(words, [], []);
            assert_eq!(offer.shows.contains(&Shown::WayOut), shown, "{words}");
        }
    }
}
