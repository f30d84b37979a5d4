//! What a text does to consent: it is read against the words of every workspace, then matched with the
//! workspace's rules (rules 18 to 20). Pure, so that a dry run and a message from a person cannot differ.

use sayso_core::id::SenderId;
use sayso_core::policy::{Judgment, Policies, Way};
use sayso_core::state::capture::{covered_by, permissions_of, read_in_doubt};
use sayso_core::text::rule::{Does, Keyword, Rule, Why, choose};
use sayso_core::text::wording::{Because, Conversation, Heard, Question, Reading, read};
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::notice::{Notice, NoticeRef};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::{OptInQuestion, Workspace};

use self::vocabulary::{Searched, Vocabulary, living_rules};

pub mod vocabulary;

/// Where a text comes in.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// What it calls itself and its topics.
    pub vocabulary: &'a Vocabulary,
    /// The channel.
    pub channel: Channel,
    /// Our side, if it is known.
    pub sender: Option<SenderId>,
    /// The question that waits for the person's answer.
    pub open: Option<&'a OptInQuestion>,
}

/// How a text was understood.
#[derive(Clone, Copy, Debug)]
pub struct Understanding<'a> {
    /// How it was read.
    pub heard: Heard,
    /// The rule it follows.
    pub rule: Option<&'a Rule>,
    /// Why it follows this rule, or none.
    pub why: Why,
}

impl<'a> Line<'a> {
    /// Understands a text.
    pub fn understand(&self, text: &str) -> Understanding<'a> {
        self.follow(text, self.read(text), None)
    }

    /// Which rule a text follows that was read as `heard`, and was `searched` beforehand or is now.
    pub fn follow(
        &self,
        text: &str,
        heard: Heard,
        searched: Option<&Searched>,
    ) -> Understanding<'a> {
        let living = living_rules(self.workspace);
        let found = || match searched {
            Some(Searched(found)) => found.clone(),
            None => self.vocabulary.patterns.search(text),
        };
        let choice = choose(living, text, (self.channel, self.sender), heard, found);
        Understanding { heard, rule: choice.rule, why: choice.why }
    }

    /// Reads words against what the workspace calls itself and its topics, and the words of the answers
    /// to an open question.
    pub fn read(&self, text: &str) -> Heard {
        let Vocabulary { names, codes, offered, patterns: _ } = self.vocabulary;
        let question = if self.open.is_some() { Question::Open } else { Question::None };
        let conversation = Conversation { channel: self.channel, names, codes, question, offered };
        let heard = read(text, &conversation);
        match (heard.reading, self.open) {
            // The words of every workspace come first.
            (Reading::Nothing, Some(open)) => answer(text, open).unwrap_or(heard),
            _ => heard,
        }
    }

    /// What a text that was understood so says about permissions: `start` without the `pending` that
    /// goes with it for somebody who never opted in.
    pub fn statements(&self, understood: &Understanding<'_>) -> Vec<(Permission, Statement)> {
        let on = |scope| Permission::Messages(self.channel, scope);
        let mut said = match understood.heard.reading {
            Reading::Stop { topic: None } => vec![(on(Scope::All), Statement::OptOut)],
            Reading::Stop { topic: Some(topic) } => {
                vec![(on(Scope::Topic(topic)), Statement::OptOut)]
            }
            Reading::No => self.declined(),
            Reading::Yes => self.agreed(),
            Reading::Start => vec![(on(Scope::All), Statement::Start)],
            Reading::Unclear => vec![(on(Scope::All), Statement::Hold)],
            Reading::Help | Reading::Nothing => Vec::new(),
        };
        said.extend(understood.rule.into_iter().flat_map(|rule| self.ruled(rule)));
        said
    }

    /// What the policies of their channels say of statements (rule 6): an answer to the question and a
    /// keyword were collected in this channel's thread. Where none of the opt-ins to messages is admitted,
    /// the one to processing that came with them is not recorded either.
    pub fn judged(
        &self,
        understood: Option<&Understanding<'_>>,
        said: Vec<(Permission, Statement)>,
        policies: &Policies,
    ) -> Vec<(Permission, Judgment)> {
        let is_answer = understood.is_some_and(|it| it.heard.reading == Reading::Yes);
        let thread = if is_answer { Way::ThreadQuestion } else { Way::ThreadKeyword };
        let judge = |(about, statement)| {
            let way = match about {
                Permission::Messages(on, _) => Way::in_thread(self.channel, on, thread),
                Permission::Processing => thread,
            };
            (about, policies.judge(about, statement, way))
        };
        let mut judged: Vec<(Permission, Judgment)> = said.into_iter().map(judge).collect();
        let is_doubted = judged.iter().any(|(_, it)| it.doubt.is_some());
        let is_admitted = |it: &Judgment| it.judged_by.is_some() && it.doubt.is_none();
        if is_doubted && !judged.iter().any(|(_, it)| is_admitted(it)) {
            judged.retain(|(about, it)| {
                *about != Permission::Processing || it.statement.is_refusal()
            });
        }
        judged
    }

    /// The words that were shown to the person who said this.
    pub fn notice(&self, understood: &Understanding<'a>) -> Option<&'a NoticeRef> {
        match understood.heard.reading {
            Reading::Yes | Reading::No => self.open.map(|open| &open.notice),
            Reading::Stop { .. }
            | Reading::Start
            | Reading::Help
            | Reading::Unclear
            | Reading::Nothing => understood.rule.and_then(|rule| rule.says().notice.as_ref()),
        }
    }

    /// A yes to the question: everything that its notice names, `confirmed` where it was answered
    /// through the address itself.
    fn agreed(&self) -> Vec<(Permission, Statement)> {
        let notice = self.open.and_then(|open| self.workspace.notice(&open.notice));
        let named = notice.into_iter().flat_map(|notice| &notice.names);
        let covered = named.flat_map(|permission| covered_by(*permission));
        let mut said = Vec::new();
        for permission in covered {
            let settled = match permission {
                Permission::Messages(channel, scope) => {
                    let here = channel == self.channel;
                    let level = if here { Statement::Confirmed } else { Statement::Single };
                    self.settled((channel, scope), level)
                }
                Permission::Processing => (Permission::Processing, Statement::Confirmed),
            };
            if !said.contains(&settled) {
                said.push(settled);
            }
        }
        said
    }

    /// A no to the question: nothing that its notice names, or without a question nothing at all.
    fn declined(&self) -> Vec<(Permission, Statement)> {
        let notice = self.open.and_then(|open| self.workspace.notice(&open.notice));
        let named = notice.into_iter().flat_map(|notice| &notice.names);
        let messages = named.filter(|permission| match permission {
            Permission::Messages(..) => true,
            Permission::Processing => false,
        });
        let mut said: Vec<_> =
            messages.map(|permission| (*permission, Statement::OptOut)).collect();
        if said.is_empty() {
            let all = Permission::Messages(self.channel, Scope::All);
            said.push((all, Statement::OptOut));
        }
        said
    }

    /// What a rule says.
    fn ruled(&self, rule: &Rule) -> Vec<(Permission, Statement)> {
        let rule = rule.says();
        let statement = match rule.does {
            Does::OptIn => Statement::Single,
            Does::OptOut => Statement::OptOut,
        };
        let notice: Option<&Notice> =
            rule.notice.as_ref().and_then(|notice| self.workspace.notice(notice));
        let mut said = Vec::with_capacity(rule.permissions.len() + 1);
        for place in &rule.permissions {
            let (permission, statement) = self.settled(*place, statement);
            let covered: Vec<Permission> = match rule.does {
                Does::OptIn => covered_by(permission).collect(),
                Does::OptOut => vec![permission],
            };
            let said_of = |about| permissions_of(about, statement, notice);
            for permission in covered.into_iter().flat_map(said_of) {
                if !said.contains(&(permission, statement)) {
                    said.push((permission, statement));
                }
            }
        }
        said
    }

    /// A statement about a place, read in doubt where its sender or topic lives no longer (rule 5).
    pub fn settled(
        &self,
        (channel, scope): (Channel, Scope),
        statement: Statement,
    ) -> (Permission, Statement) {
        let (statement, scope) = if self.workspace.is_living(scope) {
            (statement, scope)
        } else {
            read_in_doubt(statement, scope)
        };
        (Permission::Messages(channel, scope), statement)
    }
}

/// Whether a text is one of the two answers, in the question's own words.
fn answer(text: &str, open: &OptInQuestion) -> Option<Heard> {
    let says = |words: &str| Keyword::parse(words).is_ok_and(|words| words.is_said_by(text));
    let reading = if says(&open.no) {
        Reading::No
    } else if says(&open.yes) {
        Reading::Yes
    } else {
        return None;
    };
    Some(Heard { reading, because: Because::WholeText })
}
