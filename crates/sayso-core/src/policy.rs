//! Policies: where an opt-in may be collected, channel by channel, and how well it must be evidenced
//! (rule 6).
//!
//! An opt-in by act is judged once, when it is captured; what the policy of its channel does not admit is
//! `pending`, and no later policy promotes it. The presets are files in `data/policies`.
//!
//! Absent on purpose: reports. What a source believes was not collected here.

pub mod clause;
pub mod demand;
pub mod offer;
pub mod pack;
pub mod placeholder;
pub mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::policy::clause::{Grounds, clauses, heading, lines};
use crate::policy::demand::{Demand, Demanded, Severity, Shown};
use crate::text::wording::Phrase;
use crate::words::channel::{Channel, Permission, words};
use crate::words::doubt::Doubt;
use crate::words::source::Road;
use crate::words::statement::{Level, Statement};

const METHODS: &str = include_str!("../data/policies/methods.tsv");

words! {
    /// How an opt-in is collected.
    Way {
        /// A form or a box on a site or in an app.
        Form = "form", 1;
        /// The page before a chat that a QR code, a link or a widget leads to.
        EntryPage = "entry_page", 2;
        /// The person's preference centre.
        PreferenceCentre = "preference_centre", 3;
        /// A message on another channel.
        OtherChannel = "other_channel", 4;
        /// An answer to a question in the channel's own thread.
        ThreadQuestion = "thread_question", 5;
        /// A text that the person wrote in the channel's own thread.
        ThreadKeyword = "thread_keyword", 6;
        /// The platform's own way to sign up.
        Platform = "platform", 7;
        /// A phone call.
        Call = "call", 8;
        /// On paper, or face to face.
        InPerson = "in_person", 9;
        /// In a way that is not told in words known here.
        Other = "other", 10;
    }
}

words! {
    /// A policy that comes with Sayso.
    Preset {
        /// WhatsApp's rules until 8 July 2020: in another channel only.
        Meta2020Strict = "meta-2020-strict", 1;
        /// WhatsApp's rules from 9 July 2020: anywhere, with WhatsApp and the business named.
        Meta2020July = "meta-2020-07", 2;
        /// WhatsApp's rules from November 2024: a general opt-in to the business named.
        Meta2024November = "meta-2024-11", 3;
    }
}

/// What a policy admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How an opt-in may be collected; never in no way.
    pub ways: BTreeSet<Way>,
    /// What must be shown where it is collected.
    pub shows: BTreeSet<Shown>,
    /// The least level that counts.
    pub least_level: Level,
}

/// Where opt-in may be collected on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One that comes with Sayso.
    Preset(Preset),
    /// The workspace's own.
    Custom(Terms),
}

/// The policies of a workspace. A channel without one admits every opt-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies(BTreeMap<Channel, Policy>);

/// A preset with all that its file says.
#[derive(Debug)]
pub struct PresetFile {
    /// Which it is.
    pub preset: Preset,
    /// Its version.
    pub version: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What it admits.
    pub terms: Terms,
    /// The ways, with where that comes from.
    pub ways: Vec<(Way, Grounds)>,
    /// What it demands of an offer.
    pub demands: Vec<Demand>,
}

/// What became of an opt-in that was held against a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgment {
    /// What is recorded: what was said, or `pending`.
    pub statement: Statement,
    /// Why it is pending.
    pub doubt: Option<Doubt>,
    /// The policy and its version, where one was asked.
    ///
    /// *Shape:* `meta-2024-11/1`; for a policy of the workspace's own `custom/` and 8 hexadecimal digits of
    /// the SHA-256 of what it admits.
    pub judged_by: Option<String>,
}

impl Way {
    /// How an opt-in was collected that words tell on one channel and that is for another, or for the same.
    pub fn in_thread(told_on: Channel, agreed_to: Channel, thread: Self) -> Self {
        if told_on == agreed_to { thread } else { Self::OtherChannel }
    }

    /// How an opt-in was collected that came in by this road: what the road tells, or else the method.
    pub fn of_road(road: Road, method: &str, agreed_to: Channel) -> Self {
        match road {
            Road::Form => Self::Form,
            Road::EntryPoint => Self::EntryPage,
            Road::PreferenceCentre => Self::PreferenceCentre,
            Road::Inbound | Road::Sentence => Self::ThreadKeyword,
            Road::Provider => Self::Platform,
            Road::Api
            | Road::Tag
            | Road::Import
            | Road::OneClick
            | Road::Link
            | Road::Operator
            | Road::System => Self::of_method(method, agreed_to),
        }
    }

    /// The way that a method means, in words as callers write them: `checkbox`, `SMS keyword`. A method
    /// that may mean the thread of the channel itself means that; one without a known word means
    /// [`Way::Other`].
    pub fn of_method(method: &str, agreed_to: Channel) -> Self {
        let method = Phrase::of(method);
        let told_on: BTreeSet<Channel> = Channel::ALL
            .iter()
            .copied()
            .filter(|channel| *channel != Channel::Voice && *channel != Channel::Push)
            .filter(|channel| method.contains(&Phrase::of(channel.as_str())))
            .collect();
        let meant: BTreeSet<Self> =
            known_methods().iter().filter(|it| method.contains(&it.1)).map(|it| it.0).collect();
        let is_elsewhere = !told_on.is_empty() && !told_on.contains(&agreed_to);
        let thread = [Self::ThreadQuestion, Self::ThreadKeyword, Self::Platform];
        let in_thread = thread.into_iter().find(|way| meant.contains(way));
        match (in_thread, meant.first()) {
            (Some(_), _) | (None, None) if is_elsewhere => Self::OtherChannel,
            (Some(way), _) => way,
            (None, Some(way)) => *way,
            (None, None) if !told_on.is_empty() => Self::ThreadKeyword,
            (None, None) => Self::Other,
        }
    }
}

fn known_methods() -> &'static [(Way, Phrase)] {
    static KNOWN: LazyLock<Vec<(Way, Phrase)>> = LazyLock::new(|| {
        let read = |line: &'static str| {
            let (way, phrase) = line.split_once('\t')?;
            Some((Way::parse(way).ok()?, Phrase::of(phrase)))
        };
        lines(METHODS).filter_map(read).collect()
    });
    &KNOWN
}

impl Preset {
    /// Its file.
    pub fn file(self) -> &'static PresetFile {
        static STRICT: LazyLock<PresetFile> = LazyLock::new(|| {
            PresetFile::read(
                Preset::Meta2020Strict,
                include_str!("../data/policies/meta-2020-strict.tsv"),
            )
        });
        static JULY: LazyLock<PresetFile> = LazyLock::new(|| {
            PresetFile::read(
                Preset::Meta2020July,
                include_str!("../data/policies/meta-2020-07.tsv"),
            )
        });
        static NOVEMBER: LazyLock<PresetFile> = LazyLock::new(|| {
            let text = include_str!("../data/policies/meta-2024-11.tsv");
            PresetFile::read(Preset::Meta2024November, text)
        });
        match self {
            Self::Meta2020Strict => &STRICT,
            Self::Meta2020July => &JULY,
            Self::Meta2024November => &NOVEMBER,
        }
    }
}

impl PresetFile {
    fn read(preset: Preset, text: &'static str) -> Self {
        let way = |what: &str, grounds| Some((Way::parse(what).ok()?, grounds));
        let ways: Vec<(Way, Grounds)> = clauses(text)
            .filter(|clause| clause.kind == "way")
            .filter_map(|clause| way(clause.what, clause.grounds))
            .collect();
        let demands: Vec<Demand> = clauses(text).filter_map(|clause| Demand::of(&clause)).collect();
        let shows = demands.iter().filter_map(|demand| match (demand.of, demand.severity) {
            (Demanded::Show(shown), Severity::Error) => Some(shown),
            (Demanded::Show(_), Severity::Warning) | (Demanded::Avoid(_), _) => None,
        });
        let level = heading(text, "level").and_then(|word| Level::parse(word).ok());
        Self {
            preset,
            version: heading(text, "version").unwrap_or_default(),
            title: heading(text, "name").unwrap_or_default(),
            terms: Terms {
                ways: ways.iter().map(|(way, _)| *way).collect(),
                shows: shows.collect(),
                // A file without a level would admit the most that can be asked for.
                least_level: level.unwrap_or(Level::Confirmed),
            },
            ways,
            demands,
        }
    }
}

impl Policy {
    /// What it admits.
    pub fn terms(&self) -> &Terms {
        match self {
            Self::Preset(preset) => &preset.file().terms,
            Self::Custom(terms) => terms,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Preset(preset) => preset.as_str(),
            Self::Custom(_) => "custom",
        }
    }

    /// Its version: that of the preset's file, or, of the workspace's own, what tells it from another one.
    pub fn version(&self) -> String {
        match self {
            Self::Preset(preset) => preset.file().version.to_owned(),
            Self::Custom(terms) => terms.fingerprint(),
        }
    }

    /// What it demands of an offer on its channel.
    pub(crate) fn demands(&self) -> Vec<Demand> {
        match self {
            Self::Preset(preset) => preset.file().demands.clone(),
            Self::Custom(terms) => {
                let demand = |shown: &Shown| Demand {
                    of: Demanded::Show(*shown),
                    severity: Severity::Error,
                    channels: BTreeSet::new(),
                    grounds: None,
                };
                terms.shows.iter().map(demand).collect()
            }
        }
    }
}

impl Terms {
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for way in &self.ways {
            hash.update([1, way.code()]);
        }
        for shown in &self.shows {
            hash.update([2, shown.code()]);
        }
        hash.update([3, self.least_level.code()]);
        let [first, second, third, fourth, ..] = <[u8; 32]>::from(hash.finalize());
        format!("{:08x}", u32::from_be_bytes([first, second, third, fourth]))
    }
}

impl Policies {
    /// These policies, and on WhatsApp its rules of today where none is named.
    pub const fn new(named: BTreeMap<Channel, Policy>) -> Self {
        Self(named)
    }

    /// Those that are named.
    pub const fn named(&self) -> &BTreeMap<Channel, Policy> {
        &self.0
    }

    /// The policy of a channel, if it has one.
    pub fn of(&self, channel: Channel) -> Option<&Policy> {
        static OF_WHATSAPP: Policy = Policy::Preset(Preset::Meta2024November);
        let unnamed = (channel == Channel::WhatsApp).then_some(&OF_WHATSAPP);
        self.0.get(&channel).or(unnamed)
    }

    /// Whether opt-in may be collected on a channel in this way.
    pub fn admits(&self, channel: Channel, way: Way) -> bool {
        self.of(channel).is_none_or(|policy| policy.terms().ways.contains(&way))
    }

    /// Judges a statement that was collected in this way (rule 6). A refusal, a question and START are as
    /// they were said; so is the permission to process, which belongs to no channel.
    pub fn judge(&self, permission: Permission, statement: Statement, way: Way) -> Judgment {
        let as_said = Judgment { statement, doubt: None, judged_by: None };
        let Permission::Messages(channel, _) = permission else { return as_said };
        let level = match statement {
            Statement::Single | Statement::Term(_) | Statement::Yes => Level::Single,
            Statement::Confirmed => Level::Confirmed,
            Statement::Implied(_) => Level::Implied,
            Statement::OptOut
            | Statement::Hold
            | Statement::Pending
            | Statement::Start
            | Statement::No => return as_said,
        };
        let Some(policy) = self.of(channel) else { return as_said };
        let judged_by = Some(format!("{}/{}", policy.name(), policy.version()));
        let terms = policy.terms();
        // Nobody collected what a relation implies.
        let is_collected = level > Level::Implied;
        let is_admitted =
            level >= terms.least_level && (!is_collected || terms.ways.contains(&way));
        if is_admitted {
            Judgment { judged_by, ..as_said }
        } else {
            let doubt = Some(Doubt::NotAdmitted);
            Judgment { statement: Statement::Pending, doubt, judged_by }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::clause::assert_whole;
    use crate::time::Timestamp;
    use crate::words::channel::Scope;

    const ON_WHATSAPP: Permission = Permission::Messages(Channel::WhatsApp, Scope::All);

    fn strict() -> Policies {
        Policies::new([(Channel::WhatsApp, Policy::Preset(Preset::Meta2020Strict))].into())
    }

    #[test]
    fn the_files_of_the_presets_are_whole() {
        for text in [
            include_str!("../data/policies/meta-2020-strict.tsv"),
            include_str!("../data/policies/meta-2020-07.tsv"),
            include_str!("../data/policies/meta-2024-11.tsv"),
        ] {
            assert_whole(text, &["way", "show"], &["version", "name", "level"]);
            let ways = clauses(text).filter(|clause| clause.kind == "way");
            assert!(ways.map(|clause| Way::parse(clause.what)).all(|way| way.is_ok()));
        }
        for preset in Preset::ALL {
            let file = preset.file();
            assert_eq!((file.version, file.terms.least_level), ("1", Level::Single), "{preset}");
            assert!(!file.title.is_empty() && !file.ways.is_empty(), "{preset}");
        }
        assert_eq!(known_methods().len(), lines(METHODS).count());
    }

    #[test]
    fn the_strict_policy_admits_nothing_from_inside_the_channel() {
        let file = Preset::Meta2020Strict.file();
        let admitted = [
            Way::Form,
            Way::EntryPage,
            Way::PreferenceCentre,
            Way::OtherChannel,
            Way::Call,
            Way::InPerson,
        ];
        assert_eq!(file.terms.ways, admitted.into());
        for later in [Preset::Meta2020July, Preset::Meta2024November] {
            assert_eq!(later.file().terms.ways, Way::ALL.iter().copied().collect(), "{later}");
        }
        let shown =
            [Shown::Business, Shown::Channel, Shown::Mark, Shown::Kinds, Shown::NumberEditable];
        assert_eq!(file.terms.shows, shown.into());
        let july = [Shown::Business, Shown::Channel].into();
        assert_eq!(Preset::Meta2020July.file().terms.shows, july);
        assert_eq!(Preset::Meta2024November.file().terms.shows, [Shown::Business].into());
    }

    #[test]
    fn an_opt_in_that_is_not_admitted_is_pending_and_names_the_policy() {
        let judged = strict().judge(ON_WHATSAPP, Statement::Confirmed, Way::ThreadQuestion);
        let doubted = Judgment {
            statement: Statement::Pending,
            doubt: Some(Doubt::NotAdmitted),
            judged_by: Some("meta-2020-strict/1".to_owned()),
        };
        assert_eq!(judged, doubted);
        let judged = strict().judge(ON_WHATSAPP, Statement::Single, Way::Form);
        assert_eq!((judged.statement, judged.doubt), (Statement::Single, None));
        assert_eq!(judged.judged_by.as_deref(), Some("meta-2020-strict/1"));
    }

    #[test]
    fn no_policy_touches_a_refusal_a_question_or_start() {
        for statement in [
            Statement::OptOut,
            Statement::Hold,
            Statement::No,
            Statement::Start,
            Statement::Pending,
        ] {
            for way in Way::ALL {
                let judged = strict().judge(ON_WHATSAPP, statement, *way);
                assert_eq!(judged, Judgment { statement, doubt: None, judged_by: None });
            }
        }
        let judged = strict().judge(Permission::Processing, Statement::Single, Way::Other);
        assert_eq!(judged.judged_by, None);
    }

    #[test]
    fn whatsapp_has_its_rules_of_today_where_none_is_named_and_other_channels_have_none() {
        let none = Policies::default();
        let later = Timestamp::DISTANT_FUTURE;
        for way in Way::ALL {
            let judged = none.judge(ON_WHATSAPP, Statement::Single, *way);
            assert_eq!(judged.statement, Statement::Single, "{way}");
            assert_eq!(judged.judged_by.as_deref(), Some("meta-2024-11/1"));
            let sms = Permission::Messages(Channel::Sms, Scope::All);
            let judged = none.judge(sms, Statement::Implied(later), *way);
            assert_eq!((judged.doubt, judged.judged_by), (None, None));
        }
        let implied = none.judge(ON_WHATSAPP, Statement::Implied(later), Way::Other);
        assert_eq!(implied.statement, Statement::Pending, "a relation is no opt-in permission");
    }

    #[test]
    fn a_policy_of_ones_own_asks_for_its_ways_and_its_level_and_is_told_from_another() {
        let terms = |level| Terms {
            ways: [Way::Form].into(),
            shows: [Shown::Fees].into(),
            least_level: level,
        };
        let of = |level| Policies::new([(Channel::Sms, Policy::Custom(terms(level)))].into());
        let on_sms = Permission::Messages(Channel::Sms, Scope::All);
        let judge = |level, statement, way| of(level).judge(on_sms, statement, way);
        let judged = judge(Level::Confirmed, Statement::Single, Way::Form);
        assert_eq!(judged.statement, Statement::Pending);
        let confirmed = judge(Level::Confirmed, Statement::Confirmed, Way::Form);
        assert_eq!(confirmed.statement, Statement::Confirmed);
        assert_eq!(
            judge(Level::Implied, Statement::Single, Way::Call).statement,
            Statement::Pending
        );
        let end = Timestamp::DISTANT_FUTURE;
        let implied = judge(Level::Implied, Statement::Implied(end), Way::Call);
        assert_eq!(implied.statement, Statement::Implied(end), "nobody collected it");
        assert_ne!(implied.judged_by, confirmed.judged_by);
        assert_eq!(implied.judged_by.unwrap().len(), "custom/".len() + 8);
    }

    #[test]
    fn a_method_means_the_way_that_its_words_tell() {
        for (method, way) in [
            ("checkbox", Way::Form),
            ("Web form (checkout)", Way::Form),
            ("WhatsApp checkbox on the website", Way::Form),
            ("paper form", Way::Form),
            ("signed letter", Way::InPerson),
            ("phone call", Way::Call),
            ("IVR", Way::Call),
            ("SMS keyword", Way::OtherChannel),
            ("sms", Way::OtherChannel),
            ("reply to an e-mail", Way::ThreadKeyword),
            ("email reply", Way::OtherChannel),
            ("keyword", Way::ThreadKeyword),
            ("WhatsApp", Way::ThreadKeyword),
            ("WhatsApp thread", Way::ThreadKeyword),
            ("automated question", Way::ThreadQuestion),
            ("in-app sign-up", Way::Platform),
            ("QR code", Way::EntryPage),
            ("preference center", Way::PreferenceCentre),
            ("magic", Way::Other),
            ("", Way::Other),
        ] {
            assert_eq!(Way::of_method(method, Channel::WhatsApp), way, "{method}");
        }
        assert_eq!(Way::of_method("SMS keyword", Channel::Sms), Way::ThreadKeyword);
        assert_eq!(Way::of_road(Road::Form, "keyword", Channel::Sms), Way::Form);
    }
}
