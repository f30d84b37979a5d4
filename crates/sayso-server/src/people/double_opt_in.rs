//! `/c/{token}`: an address answers a double opt-in question (rules 14, 22 and 23).
//!
//! Opening a link, or the page for a code, changes nothing: scanners and previews open links. A POST
//! confirms. The page for a code is there for whoever signed up, also where no message went, and says the
//! same of every code that is not right.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use sayso_core::id::DoubleOptInId;
use sayso_core::limits;
use sayso_core::proof::double_opt_in::{Answer, AnswerBy, Code as SixDigits, UnverifiedToken};
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::form::Theme;
use sayso_core::words::source::EvidenceText;
use sayso_core::workspace::{Form, Workspace};
use sayso_pages::double_opt_in::{About, Answered, CODE, CodeFault, CodePage, NEXT, Question};
use sayso_pages::form::FormLook;
use sayso_pages::language::Language;
use sayso_pages::page::{Document, Frame};
use sayso_store::double_opt_in::{Answering, StoredDoubleOptIn};

use super::link_end::LinkEnd;
use super::pages::respond;
use super::visitor::{Fields, answer, language_of};
use crate::answer_time::Whole;
use crate::app::{App, Peer};
use crate::double_opt_in::{Confirmation, Put, is_living, token};
use crate::observe::DoubleOptInEnd;
use crate::problem::{Code, Problem};

/// The parameter that says that a page is shown inside another one.
const EMBED: &str = "embed";
/// How many codes one sign-up asks for at the most: a phone's and an email address's.
const CODES_MAX: usize = 2;

/// Somebody who comes to answer.
struct Answerer {
    workspace: Arc<Workspace>,
    id: DoubleOptInId,
    /// Absent once it is forgotten: ten days after, or with its person.
    stored: Option<StoredDoubleOptIn>,
    language: Language,
    frame: Frame,
    ip: IpAddr,
    user_agent: Option<EvidenceText>,
}

/// Shows what is to be confirmed, or asks for the code. Changes nothing.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let shown = async {
        app.take_network(&parts)?;
        let answerer = Answerer::find(&app, &token, &parts).await?;
        Ok(answerer.show(&app))
    };
    answer(shown.await, &parts.headers)
}

/// Takes the answer.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let counted = app.take_network(&parts);
    let fields = Fields::read(body).await;
    let whole = Whole::now();
    let taken = async {
        counted?;
        let answerer = Answerer::find(&app, &token, &parts).await?;
        answerer.take(&app, fields).await
    };
    let taken = taken.await;
    whole.wait(limits::PUBLIC_ANSWER_TIME).await;
    answer(taken, &parts.headers)
}

impl Answerer {
    /// Who comes by this token, if a workspace here made it.
    async fn find(app: &App, token: &str, parts: &Parts) -> Result<Self, Problem> {
        let ip = app.client_ip(parts.extensions.get::<Peer>().copied(), &parts.headers);
        let verified = UnverifiedToken::parse(token).and_then(|unverified| {
            let workspaces = app.store().workspaces();
            let workspace = workspaces.get(&unverified.workspace())?;
            let token = unverified.verify(&workspace.secret)?;
            Some((Arc::clone(workspace), token.id))
        });
        let Some((workspace, id)) = verified else {
            return Err(Problem::new(Code::NotFound));
        };
        let stored = app.store().double_opt_in(workspace.id, id).await?;
        let query = parts.uri.query().unwrap_or_default();
        let is_embedded =
            form_urlencoded::parse(query.as_bytes()).any(|(name, it)| name == EMBED && it == "1");
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
        Ok(Self {
            workspace,
            id,
            stored,
            language: language_of(parts),
            frame: if is_embedded { Frame::Embedded } else { Frame::Window },
            ip,
            user_agent: user_agent.and_then(|text| EvidenceText::parse(text).ok()),
        })
    }

    fn show(&self, app: &App) -> Response {
        let Some(stored) = &self.stored else { return self.answered(Answered::Lapsed) };
        let lapses_at = stored.waiting.pending_at.plus(limits::LAPSE_OF_PENDING);
        // A link went to the address itself. The page for a code is in the hands of whoever typed the address,
        // and does not tell them whether it answered (rule 23).
        let may_be_told = stored.waiting.by == AnswerBy::Link && stored.answered_at.is_some();
        if !may_be_told && app.now() >= lapses_at {
            return self.answered(Answered::Lapsed);
        }
        match stored.waiting.by {
            AnswerBy::Link => match self.question(stored) {
                Some(question) => self.respond(StatusCode::OK, question.render()),
                None => self.answered(Answered::Over),
            },
            AnswerBy::Code => self.ask_code(stored, Vec::new(), None),
        }
    }

    async fn take(&self, app: &App, fields: Fields) -> Result<Response, Problem> {
        let Some(stored) = &self.stored else { return Ok(self.answered(Answered::Lapsed)) };
        let next: Vec<String> = fields.all(NEXT).take(CODES_MAX).map(str::to_owned).collect();
        let given = match stored.waiting.by {
            AnswerBy::Link => Answer::Link,
            AnswerBy::Code => match fields.find(CODE).and_then(SixDigits::parse) {
                Some(code) => {
                    Answer::Code(code.hash(stored.waiting.address, &self.workspace.secret))
                }
                None => return Ok(self.ask_code(stored, next, Some(CodeFault::Shape))),
            },
        };
        let workspace_id = self.workspace.id;
        match app.store().answer_double_opt_in(workspace_id, self.id, given).await? {
            Answering::Right(stored, at) => {
                let confirmation = Confirmation {
                    workspace: &self.workspace,
                    stored: &stored,
                    at,
                    ip: Some(self.ip),
                    user_agent: self.user_agent.as_ref(),
                };
                let (answered, _) = confirmation.record(app).await?;
                match self.next(app, &next).await? {
                    Some(page) if answered == Answered::Confirmed => Ok(page),
                    Some(_) | None => Ok(self.answered(answered)),
                }
            }
            Answering::Wrong { .. } => {
                app.metrics().count_double_opt_in(DoubleOptInEnd::Wrong);
                match stored.waiting.by {
                    AnswerBy::Code => Ok(self.ask_code(stored, next, Some(CodeFault::Wrong))),
                    // Its link never went anywhere.
                    AnswerBy::Link => Err(Problem::new(Code::NotFound)),
                }
            }
            Answering::Lapsed => {
                app.metrics().count_double_opt_in(DoubleOptInEnd::Lapsed);
                Ok(self.answered(Answered::Lapsed))
            }
            Answering::Unknown => Ok(self.answered(Answered::Lapsed)),
        }
    }

    /// The page for the next code, if one is to be entered.
    async fn next(&self, app: &App, tokens: &[String]) -> Result<Option<Response>, Problem> {
        let Some((first, rest)) = tokens.split_first() else { return Ok(None) };
        let verified = UnverifiedToken::parse(first)
            .filter(|token| token.workspace() == self.workspace.id)
            .and_then(|token| token.verify(&self.workspace.secret));
        let Some(token) = verified.filter(|token| token.id != self.id) else { return Ok(None) };
        let stored = app.store().double_opt_in(token.workspace, token.id).await?;
        let Some(stored) = stored.filter(|it| it.waiting.by == AnswerBy::Code) else {
            return Ok(None);
        };
        let mut page = self.code_page(&stored, rest.to_vec(), None);
        page.before = Some(());
        Ok(Some(self.respond(StatusCode::OK, page.render())))
    }

    fn ask_code(
        &self,
        stored: &StoredDoubleOptIn,
        next: Vec<String>,
        fault: Option<CodeFault>,
    ) -> Response {
        let status =
            if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        self.respond(status, self.code_page(stored, next, fault).render())
    }

    fn code_page(
        &self,
        stored: &StoredDoubleOptIn,
        next: Vec<String>,
        fault: Option<CodeFault>,
    ) -> CodePage<'_> {
        let look = self.look();
        let action = action(&self.workspace, stored.id, look);
        CodePage { look, channel: stored.waiting.channel, action, next, before: None, fault }
    }

    /// What a link confirms; nothing where all of it is over.
    fn question(&self, stored: &StoredDoubleOptIn) -> Option<Question<'_>> {
        let permissions = stored.waiting.pending.iter().map(|(_, permission)| *permission);
        let living = permissions.filter(|it| is_living(&self.workspace, *it));
        let about: Vec<_> = living.map(|permission| self.about(permission)).collect();
        let words = stored.waiting.evidence.notice.as_ref();
        let words = words.and_then(|shown| self.workspace.notice(shown));
        about.iter().any(|(channel, _)| channel.is_some()).then(|| Question {
            look: self.look(),
            about,
            words: words.map(|notice| (&*notice.text, notice.language.as_str())),
        })
    }

    fn about(&self, permission: Permission) -> (Option<Channel>, About<'_>) {
        let Permission::Messages(channel, scope) = permission else {
            return (None, About::Everything);
        };
        let about = match scope {
            Scope::All => About::Everything,
            Scope::Category(category) => About::Category(category),
            Scope::Sender(id) => {
                let sender = self.workspace.senders.get(&id);
                sender.map_or(About::Everything, |sender| About::Named(&sender.name))
            }
            Scope::Topic(id) => {
                let topic = self.workspace.topics.get(&id);
                topic.map_or(About::Everything, |topic| About::Named(&topic.name))
            }
        };
        (Some(channel), about)
    }

    /// The form that it came by, deleted or not.
    fn form(&self) -> Option<&Form> {
        let form = self.stored.as_ref()?.waiting.form?;
        self.workspace.forms.get(&form).map(|published| &published.form)
    }

    /// Looks as the form did.
    fn look(&self) -> FormLook<'_> {
        let form = self.form();
        FormLook {
            language: self.language,
            business: form.map_or(&self.workspace.name, |form| &form.business),
            theme: form.map_or_else(Theme::default, |form| form.theme),
            frame: self.frame,
        }
    }

    fn answered(&self, answered: Answered) -> Response {
        let status = match answered {
            Answered::Confirmed | Answered::NotEnough | Answered::NotAnyMore => StatusCode::OK,
            Answered::Lapsed | Answered::Over => StatusCode::GONE,
        };
        let redirect = self.form().and_then(|form| form.redirect.as_ref());
        let redirect = redirect.map(sayso_core::words::form::Redirect::as_str);
        self.respond(status, self.look().answered(answered, redirect))
    }

    /// A page as an answer. Where a form may be framed, the page for its code may be too; a link's never.
    fn respond(&self, status: StatusCode, document: Document) -> Response {
        let by = self.stored.as_ref().map(|stored| stored.waiting.by);
        let form = self.form().filter(|_| by == Some(AnswerBy::Code));
        let ancestors: Vec<&str> = form.map_or_else(Vec::new, |form| {
            let listed = form.origins.iter().map(sayso_core::words::form::Origin::as_str);
            std::iter::once("'self'").chain(listed).collect()
        });
        respond(status, document, &ancestors)
    }
}

/// Where the code of a double opt-in is sent, from a page that looks like this.
fn action(workspace: &Workspace, id: DoubleOptInId, look: FormLook<'_>) -> String {
    let embed = match look.frame {
        Frame::Window => String::new(),
        Frame::Embedded => format!("&{EMBED}=1"),
    };
    let (token, language) = (token(workspace, id), look.language.tag());
    format!("/c/{token}?{}={language}{embed}", sayso_pages::personal::LANGUAGE)
}

/// The page that follows a sign-up: it asks for the code, or sends to the message with the link.
pub(super) fn after(
    workspace: &Workspace,
    look: FormLook<'_>,
    (first, others): (Put, &[Put]),
    redirect: Option<&str>,
) -> Document {
    match first.by {
        AnswerBy::Link => look.link_sent(first.channel, redirect),
        AnswerBy::Code => CodePage {
            look,
            channel: first.channel,
            action: action(workspace, first.id, look),
            next: others.iter().map(|put| token(workspace, put.id)).collect(),
            before: None,
            fault: None,
        }
        .render(),
    }
}
