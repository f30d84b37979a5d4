//! `/v1/rules`: what texts from people do beside the words of every workspace (rule 20), and a dry run
//! that says what a text would do and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sayso_core::id::{RuleId, SenderId};
use sayso_core::limits;
use sayso_core::text::rule::{Draft, Matching, Rule as Checked, RuleFault};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::notice::Notice;
use sayso_core::words::statement::Statement;
use sayso_core::workspace::{Change, Rule, Workspace};
use sayso_store::configure::Plan;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::consents::request::NoticeRequest;
use crate::api::making::{Making, reused};
use crate::api::notices::{NamedAnswer, published};
use crate::api::page::{InPath, ListQuery, has_room, page};
use crate::api::revisions::{
    Edit, Edited, Given, IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader, Patch, Put, Shown,
    Tag, Tagged, revise,
};
use crate::app::App;
use crate::body::texts::{
    ChannelText, DoesText, KeywordText, PatternText, RuleIdText, ScopeText, SenderIdText,
};
use crate::body::{Asked, Faults, IdempotencyKey, Sent, json_object};
use crate::caller::{Caller, Configure, Read};
use crate::problem::{Code, Problem, ProblemBody};
use crate::views::event::NoticeView;
use sayso_plan::understanding::Line;

const LIMIT: (&str, usize) = ("RULES_PER_WORKSPACE_MAX", limits::RULES_PER_WORKSPACE_MAX);

json_object! {
    /// A rule. Exactly one of `begins`, `is` and `matches` says which texts it is for.
    #[derive(ToSchema)]
    RuleRequest {
        /// The channel by which the text comes. Required.
        channel: ChannelText,
        /// The sender to which it comes; any if absent.
        sender: SenderIdText,
        /// The text begins with these words.
        begins: KeywordText,
        /// The text is these words.
        is: KeywordText,
        /// The pattern is found in the text, which is in small letters and without punctuation.
        matches: PatternText,
        /// What it does. Required.
        does: DoesText,
        /// To what; everything on its own channel if absent. Another channel is that of the same number, and an opt-in there needs a notice that names it.
        permissions: Vec<RulePermissionRequest>,
        /// The words that the person was shown. Required for an opt-in.
        notice: NoticeRequest,
        /// What is answered. To an opt-out it is the one confirmation: no marketing in it.
        #[schema(example = "Thank you! You will get our offers. Reply STOP to leave.")]
        reply: String,
    }
}

json_object! {
    /// A permission.
    #[derive(ToSchema)]
    RulePermissionRequest {
        /// The channel. Required.
        channel: ChannelText,
        /// What is covered; `all` if absent.
        scope: ScopeText,
    }
}

json_object! {
    /// A text that might come.
    #[derive(ToSchema)]
    DryRunRequest {
        /// The channel by which it would come. Required.
        channel: ChannelText,
        /// The sender to which it would come.
        sender: SenderIdText,
        /// The text. Required.
        #[schema(example = "OFFERS please")]
        text: String,
        /// Whether the sender's question waits for the person's answer; it does not if absent.
        question_open: bool,
    }
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rule)]
pub(crate) struct RuleAnswer {
    /// Its id.
    #[schema(example = "rul_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The channel by which the text comes.
    #[schema(example = "sms")]
    channel: &'static str,
    /// The sender to which it comes; absent if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The words with which the text begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "OFFERS")]
    begins: Option<String>,
    /// The words that the text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    /// The pattern that is found in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<String>,
    /// `opt_in` or `opt_out`.
    #[schema(example = "opt_in")]
    does: &'static str,
    /// To what.
    permissions: Vec<NamedAnswer>,
    /// The words that the person was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeView>,
    /// What is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    /// When it was made; of two rules with keywords of one length the older wins.
    created_at: String,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// A page of rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RulesPage {
    /// The rules.
    rules: Vec<RuleAnswer>,
    /// Where the next page begins; `null` on the last.
    next: Option<String>,
}

/// What a text would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DryRunAnswer {
    /// `stop`, `stop_topic`, `start`, `help`, `yes`, `no`, `unclear` or `nothing`.
    #[schema(example = "nothing")]
    reading: &'static str,
    /// Why it is read so.
    #[schema(example = "ordinary")]
    because: &'static str,
    /// The rule that it follows, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "rul_01jd6m9k3te5b8r5v3x5y6z7w8")]
    rule: Option<String>,
    /// Why it follows this rule, or none: `built_in_word`, `in_doubt`, `only_match`, `longest_keyword`, `oldest` or `no_match`.
    #[schema(example = "only_match")]
    why: &'static str,
    /// What would be recorded.
    statements: Vec<StatementView>,
}

/// A statement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementView {
    /// About what.
    #[serde(flatten)]
    about: NamedAnswer,
    /// What would be said: `opt_out`, `hold`, `pending`, `start`, `single` or `confirmed`.
    #[schema(example = "single")]
    statement: &'static str,
}

/// Lists the rules, deleted ones included: events may name them.
#[utoipa::path(
    get, path = "/v1/rules", tag = "Rules", operation_id = "list_rules",
    params(ListQuery),
    responses((status = 200, description = "A page of rules, the oldest first.", body = RulesPage)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn list(
    caller: Caller<Read>,
    asked: Asked<ListQuery>,
) -> Result<Json<RulesPage>, Problem> {
    let (rules, next) = page(&caller.workspace().rules, asked, |_, rule| RuleAnswer::of(rule))?;
    Ok(Json(RulesPage { rules, next }))
}

/// Makes a rule.
#[utoipa::path(
    post, path = "/v1/rules", tag = "Rules", operation_id = "create_rule",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of this request one rule; 1 to 255 visible ASCII characters.")),
    request_body(content = RuleRequest, description = "The rule."),
    responses(
        (status = 201, description = "The rule.", body = RuleAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 409, description = "The workspace has as many rules as it may, or the idempotency key made another; `detail` says which.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    key: IdempotencyKey,
    given: Given,
) -> Result<Tagged<RuleAnswer>, Problem> {
    let making = Making::begin(&app, &caller, key, "rule");
    let now = app.now();
    let plan = |known: &Workspace| {
        let made = making.find(&known.rules, RuleId::as_bytes);
        let (id, created_at) = made.map_or_else(
            || (RuleId::from_bytes(making.id()), now),
            |(id, made)| (id, made.says.says().created_at),
        );
        let says = checked(given.read()?, known, id, created_at)?;
        let rule = Rule { says, deleted_at: None };
        match made {
            Some((id, made)) if *made != rule => return Err(reused(&id)),
            Some((id, _)) => return Ok(Plan::Stands(id)),
            None => has_room(known.rules.len(), LIMIT)?,
        }
        Ok(Plan::Changes(Change::Rule(id, rule), id))
    };
    let (workspace, id) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id).map(Tagged::created)
}

/// Reads a rule.
#[utoipa::path(
    get, path = "/v1/rules/{id}", tag = "Rules", operation_id = "get_rule",
    params(("id" = String, Path, description = "The id of the rule."), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The rule.", body = RuleAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 304, description = "It is as you have it."),
        (status = 404, description = "There is no such rule.", body = ProblemBody),
    ),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    caller: Caller<Read>,
    InPath(RuleIdText(id)): InPath<RuleIdText>,
    condition: IfNoneMatch,
) -> Result<Tagged<RuleAnswer>, Problem> {
    answer(caller.workspace(), id).map(|answer| answer.unless_known(&condition))
}

/// Changes a rule, from the next text on.
#[utoipa::path(
    put, path = "/v1/rules/{id}", tag = "Rules", operation_id = "update_rule",
    params(("id" = String, Path, description = "The id of the rule."), IfMatchHeader),
    request_body(content = RuleRequest, description = "The whole rule as it is to be."),
    responses(
        (status = 200, description = "The rule.", body = RuleAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such rule.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<RuleIdText>,
    Put(edit): Put,
) -> Result<Tagged<RuleAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Changes what is named of a rule, from the next text on.
///
/// A JSON merge patch (RFC 7396): members that are absent stay, `null` takes a member away.
#[utoipa::path(
    patch, path = "/v1/rules/{id}", tag = "Rules", operation_id = "patch_rule",
    params(("id" = String, Path, description = "The id of the rule."), IfMatchHeader),
    request_body(content = RuleRequest, content_type = "application/merge-patch+json", description = "What is to be different."),
    responses(
        (status = 200, description = "The rule.", body = RuleAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such rule.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    id: InPath<RuleIdText>,
    Patch(edit): Patch,
) -> Result<Tagged<RuleAnswer>, Problem> {
    change(&app, &caller, id, &edit).await
}

/// Deletes a rule. What people said by it stays; no refusal is lost.
#[utoipa::path(
    delete, path = "/v1/rules/{id}", tag = "Rules", operation_id = "delete_rule",
    params(("id" = String, Path, description = "The id of the rule."), IfMatchHeader),
    responses(
        (status = 200, description = "The deleted rule.", body = RuleAnswer, headers(("ETag" = String, description = "The tag of this state, for `If-Match`."))),
        (status = 404, description = "There is no such rule.", body = ProblemBody),
        (status = 412, description = "It was changed since the state that the request rests on.", body = ProblemBody),
    ),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    InPath(RuleIdText(id)): InPath<RuleIdText>,
    condition: IfMatch,
) -> Result<Tagged<RuleAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let rule = find(known, id)?;
        if rule.deleted_at.is_none() {
            condition.check(&tag(known, id, rule))?;
        }
        let deleted_at = Some(rule.deleted_at.unwrap_or_else(|| app.now()));
        Ok(Plan::Changes(Change::Rule(id, Rule { deleted_at, ..rule.clone() }), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id)
}

/// What answers show besides what a client sets.
const SHOWN: Shown = Shown {
    fixed: &["id", "created_at", "deleted_at"],
    told: &["permissions.*.permission", "notice.text_sha256"],
    comes_back: false,
};

async fn change(
    app: &App,
    caller: &Caller<Configure>,
    InPath(RuleIdText(id)): InPath<RuleIdText>,
    edit: &Edit,
) -> Result<Tagged<RuleAnswer>, Problem> {
    let plan = |known: &Workspace| {
        let rule = find(known, id)?;
        let Edited { sent, basis } = edit.read(&RuleAnswer::of(rule), &SHOWN)?;
        let changed = if basis.is_same {
            rule.clone()
        } else {
            let says = checked(sent, known, id, rule.says.says().created_at)?;
            Rule { says, deleted_at: rule.deleted_at }
        };
        edit.admit(&tag(known, id, rule), &basis, changed == *rule)?;
        Ok(Plan::Changes(Change::Rule(id, changed), ()))
    };
    let (workspace, ()) = revise(app.store(), caller.workspace().id, plan).await?;
    answer(&workspace, id)
}

/// Says what a text would do, and why. Nothing is recorded, nobody is answered.
#[utoipa::path(
    post, path = "/v1/rules/dry-run", tag = "Rules", operation_id = "dry_run_rules",
    request_body(content = DryRunRequest, description = "The text, and where it would come in."),
    responses((status = 200, description = "What would be recorded.", body = DryRunAnswer)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn dry_run(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    sent: Sent<DryRunRequest>,
) -> Result<Json<DryRunAnswer>, Problem> {
    let Sent { request, mut faults } = sent;
    let workspace = caller.workspace();
    let channel = request.channel.map(|ChannelText(channel)| channel);
    let channel = faults.require("/channel", channel, "sms");
    let text = faults.require("/text", request.text, "OFFERS please");
    let sender = sender(request.sender, channel, workspace, &mut faults);
    let asks = sender.and_then(|id| workspace.senders.get(&id)?.question.as_ref());
    let is_open = request.question_open.unwrap_or_default();
    if is_open && asks.is_none() {
        let fault = "is true, and the sender asks no question; name a sender that does";
        faults.note("/question_open", Code::InvalidValue, fault);
    }
    let (channel, text) = faults.settle(channel.zip(text))?;
    let vocabulary = app.vocabularies().ready(workspace).await;
    let searched = app.vocabularies().search(&vocabulary, &text).await;
    let open = asks.filter(|_| is_open);
    let line = Line { workspace, vocabulary: &vocabulary, channel, sender, open };
    let understood = line.follow(&text, line.read(&text), searched.as_ref());
    let policies = workspace.settings.at(app.now()).policies;
    let judged = line.judged(Some(&understood), line.statements(&understood), &policies);
    let statements = judged.into_iter().map(|(about, judgment)| (about, judgment.statement));
    Ok(Json(DryRunAnswer {
        reading: understood.heard.reading.as_str(),
        because: understood.heard.because.as_str(),
        rule: understood.rule.map(|rule| rule.says().id.to_string()),
        why: understood.why.as_str(),
        statements: statements.map(StatementView::of).collect(),
    }))
}

fn find(known: &Workspace, id: RuleId) -> Result<&Rule, Problem> {
    known.rules.get(&id).ok_or_else(|| Problem::new(Code::NotFound))
}

fn tag(known: &Workspace, id: RuleId, rule: &Rule) -> Tag {
    Tag::of(&known.secret, 0, &[Change::Rule(id, rule.clone())])
}

fn answer(known: &Workspace, id: RuleId) -> Result<Tagged<RuleAnswer>, Problem> {
    let rule = find(known, id)?;
    Ok(Tagged::new(tag(known, id, rule), RuleAnswer::of(rule)))
}

/// The rule that a request asks for, checked.
fn checked(
    sent: Sent<RuleRequest>,
    workspace: &Workspace,
    id: RuleId,
    created_at: Timestamp,
) -> Result<Checked, Problem> {
    let Sent { request, mut faults } = sent;
    let channel = request.channel.map(|ChannelText(channel)| channel);
    let channel = faults.require("/channel", channel, "sms");
    let sender = sender(request.sender, channel, workspace, &mut faults);
    let matching = matching((request.begins, request.is, request.matches), &mut faults);
    let does = request.does.map(|DoesText(does)| does);
    let does = faults.require("/does", does, "opt_in");
    let permissions = match request.permissions {
        None => channel.into_iter().map(|channel| (channel, Scope::All)).collect(),
        Some(named) => permissions(named, workspace, &mut faults),
    };
    let notice = request.notice.and_then(|sent| published(sent, "/notice", workspace, &mut faults));
    let reply = request.reply.map(|text| text.trim().into());
    let known = channel.zip(matching).zip(does);
    let ((channel, matching), does) = faults.settle(known)?;
    let notice_ref = notice.map(Notice::reference);
    let draft = Draft {
        id,
        channel,
        sender,
        matching,
        does,
        permissions,
        notice: notice_ref,
        reply,
        created_at,
    };
    Checked::new(draft, notice).map_err(|fault| refused(&fault))
}

/// The one way in which a rule compares texts.
fn matching(
    (begins, is, matches): (Option<KeywordText>, Option<KeywordText>, Option<PatternText>),
    faults: &mut Faults,
) -> Option<Matching> {
    let begins = begins.map(|KeywordText(keyword)| Matching::Begins(keyword));
    let is = is.map(|KeywordText(keyword)| Matching::Is(keyword));
    let matches = matches.map(|PatternText(pattern)| Matching::Matches(pattern));
    let mut named = [begins, is, matches].into_iter().flatten();
    let (first, second) = (named.next(), named.next());
    if second.is_some() {
        let fault = "is one of begins, is and matches; send one of them, and null for the others";
        faults.note("", Code::InvalidValue, fault);
        return None;
    }
    if first.is_none() && !faults.is_wrong_at(&["/begins", "/is", "/matches"]) {
        faults.note_with_example(
            "/begins",
            Code::MissingField,
            "is missing, and is and matches are too",
            "OFFERS",
        );
    }
    first
}

fn permissions(
    named: Vec<RulePermissionRequest>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Vec<(Channel, Scope)> {
    let mut permissions = Vec::with_capacity(named.len());
    for (place, named) in named.into_iter().enumerate() {
        let channel = named.channel.map(|ChannelText(channel)| channel);
        let channel = faults.require(&format!("/permissions/{place}/channel"), channel, "sms");
        let scope = named.scope.map_or(Scope::All, |ScopeText(scope)| scope);
        if !workspace.is_living(scope) {
            let fault = "names no living sender or topic";
            let code = match scope {
                Scope::Sender(_) => Code::UnknownSender,
                Scope::All | Scope::Category(_) | Scope::Topic(_) => Code::UnknownTopic,
            };
            faults.note(format!("/permissions/{place}/scope"), code, fault);
        }
        permissions.extend(channel.map(|channel| (channel, scope)));
    }
    if permissions.len() > limits::RULE_PERMISSIONS_MAX {
        let fault = format!("has more than {} items", limits::RULE_PERMISSIONS_MAX);
        faults.note("/permissions", Code::InvalidValue, fault);
    }
    permissions
}

/// The living sender that a request names.
fn sender(
    named: Option<SenderIdText>,
    channel: Option<Channel>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<SenderId> {
    let SenderIdText(id) = named?;
    let known = workspace.senders.get(&id).filter(|sender| sender.deleted_at.is_none());
    let is_there = known.is_some_and(|sender| channel.is_none_or(|on| on == sender.channel));
    if !is_there {
        faults.note("/sender", Code::UnknownSender, "is no living sender of the channel");
    }
    Some(id)
}

/// What is wrong with a rule, at its field.
fn refused(fault: &RuleFault) -> Problem {
    let mut faults = Faults::default();
    let (at, code) = match fault {
        RuleFault::KeywordEmpty | RuleFault::KeywordTooLong | RuleFault::TakesStopWord(_) => {
            ("", Code::InvalidValue)
        }
        RuleFault::PatternMatchesAll | RuleFault::PatternTooLarge | RuleFault::Pattern(_) => {
            ("/matches", Code::InvalidValue)
        }
        RuleFault::NoPermission => ("/permissions", Code::MissingField),
        RuleFault::NoNotice => ("/notice", Code::MissingField),
        RuleFault::NotNamed(_) => ("/notice", Code::NoticeDoesNotCover),
        RuleFault::ReplyEmpty | RuleFault::ReplyTooLong => ("/reply", Code::InvalidValue),
    };
    faults.note(at, code, fault);
    faults.into_problem()
}

impl RuleAnswer {
    fn of(rule: &Rule) -> Self {
        let says = rule.says.says();
        let (begins, is, matches) = match &says.matching {
            Matching::Begins(keyword) => (Some(keyword.as_str().to_owned()), None, None),
            Matching::Is(keyword) => (None, Some(keyword.as_str().to_owned()), None),
            Matching::Matches(pattern) => (None, None, Some(pattern.as_str().to_owned())),
        };
        let permissions = says.permissions.iter();
        let permissions = permissions
            .map(|(channel, scope)| NamedAnswer::of(&Permission::Messages(*channel, *scope)));
        Self {
            id: says.id.to_string(),
            channel: says.channel.as_str(),
            sender: says.sender.map(|id| id.to_string()),
            begins,
            is,
            matches,
            does: says.does.as_str(),
            permissions: permissions.collect(),
            notice: says.notice.as_ref().map(NoticeView::of),
            reply: says.reply.as_deref().map(str::to_owned),
            created_at: says.created_at.to_string(),
            deleted_at: rule.deleted_at.map(|at| at.to_string()),
        }
    }
}

impl StatementView {
    fn of((permission, statement): (Permission, Statement)) -> Self {
        Self { about: NamedAnswer::of(&permission), statement: statement.slot().as_str() }
    }
}
