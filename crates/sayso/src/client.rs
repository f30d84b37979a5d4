//! One way to ask the API, whether a server runs on the store or not.
//!
//! A store is owned by one process. If a server owns it, commands speak to its socket in the data
//! directory, which only the server's user may open; if none runs, they open the store themselves
//! and speak to the same router inside this process. Either way it is the same API.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, anyhow};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::http::request;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tower::ServiceExt;

use crate::exit::Failure;
use crate::local::Local;

/// Asks the API.
#[derive(Debug)]
pub(crate) struct Client {
    local: Local,
    workspace: Option<String>,
}

/// What the API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: Bytes,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Nothing.
    Nothing,
    /// One JSON value.
    Json(Value),
    /// Lines of JSON.
    Lines(String),
}

impl Client {
    /// A client of the store that the options name.
    pub(crate) fn new(local: Local, workspace: Option<String>) -> Self {
        Self { local, workspace }
    }

    /// The directory of the store, if this command made it.
    pub(crate) fn made(&self) -> Option<&Path> {
        match &self.local {
            Local::Here { made, .. } => made.as_deref(),
            Local::Socket(_) => None,
        }
    }

    /// Asks, and gives the answer as JSON; a problem is a failure with its own words.
    pub(crate) async fn json(
        &self,
        method: Method,
        path: &str,
        payload: Payload,
    ) -> Result<Value, Failure> {
        let answer = self.ask(method, path, payload).await?;
        let value: Value = if answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer.body).context("the answer is not JSON")?
        };
        if answer.status.is_success() {
            return Ok(value);
        }
        // Whose id is wrong is told in the words of commands, not in those of paths; that the workspace
        // is not named, in the server's.
        let detail = value.get("detail").and_then(Value::as_str).unwrap_or_default();
        let is_of_workspaces = detail.contains("sayso workspaces");
        match path.split('?').next().and_then(|path| path.split('/').nth(3)) {
            Some(id) if answer.status == StatusCode::NOT_FOUND && !is_of_workspaces => {
                let fix = if path.starts_with("/v1/keys") {
                    "`sayso keys list` shows those there are"
                } else {
                    "the id is in the report of what made it"
                };
                Err(Failure::Input(format!("there is no {id} in this workspace: {fix}")))
            }
            Some(_) | None => Err(failure_of(answer.status, &value)),
        }
    }

    /// Asks for a list, page after page, and gives all of its items.
    pub(crate) async fn list(&self, path: &str, items: &str) -> Result<Value, Failure> {
        let mut all = Vec::new();
        let mut place = path.to_owned();
        loop {
            let mut page = self.json(Method::GET, &place, Payload::Nothing).await?;
            if let Some(Value::Array(listed)) = page.get_mut(items).map(Value::take) {
                all.extend(listed);
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => place = format!("{path}?cursor={next}"),
                None => return Ok(Value::Array(all)),
            }
        }
    }

    /// Asks, and gives the answer as it came.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        payload: Payload,
    ) -> Result<Answer, Failure> {
        let mut request = self.request(method, path);
        let body = match payload {
            Payload::Nothing => Bytes::new(),
            Payload::Json(value) => {
                request = request.header("content-type", "application/json");
                Bytes::from(value.to_string())
            }
            Payload::Lines(lines) => {
                request = request.header("content-type", "application/x-ndjson");
                Bytes::from(lines)
            }
        };
        let request = request.body(Full::new(body)).context("the request cannot be made")?;
        self.send(request, read).await
    }

    /// Asks for what may be long, and hands the answer on piece by piece, until all of it came or
    /// `each` had enough.
    pub(crate) async fn stream(
        &self,
        path: &str,
        each: impl FnMut(Bytes) -> Result<ControlFlow<()>, Failure>,
    ) -> Result<(), Failure> {
        let request = self.request(Method::GET, path).body(Full::default());
        let request = request.context("the request cannot be made")?;
        self.send(request, async |response| pour(response, each).await).await
    }

    fn request(&self, method: Method, path: &str) -> request::Builder {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        match &self.workspace {
            Some(workspace) => request.header(sayso_server::LOCAL_WORKSPACE_HEADER, workspace),
            None => request,
        }
    }

    /// Sends a request, and takes the answer while the connection lasts.
    async fn send<T>(
        &self,
        request: Request<Full<Bytes>>,
        take: impl AsyncFnOnce(Response<AnyBody>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match &self.local {
            Local::Here { router, .. } => {
                let response = router.clone().oneshot(request.map(axum_body)).await;
                take(response.map_err(|error| anyhow!(error))?.map(any_body)).await
            }
            Local::Socket(path) => {
                let stream =
                    tokio::net::UnixStream::connect(path).await.context("the server's socket")?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream))
                        .await
                        .context("the server's socket")?;
                let asking = async {
                    let response = sender.send_request(request).await.context(WENT_AWAY)?;
                    take(response.map(any_body)).await
                };
                tokio::select! {
                    biased;
                    answer = asking => answer,
                    _ended = connection => Err(anyhow!(WENT_AWAY).into()),
                }
            }
        }
    }

    /// Writes what waits and closes the store, if this process owns it.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        self.local.close().await
    }
}

/// What is said of a server that ended in the middle.
const WENT_AWAY: &str = "the server went away before it answered";

/// The body of an answer, wherever it comes from.
type AnyBody = UnsyncBoxBody<Bytes, anyhow::Error>;

fn any_body<B>(body: B) -> AnyBody
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    body.map_err(anyhow::Error::new).boxed_unsync()
}

fn axum_body(body: Full<Bytes>) -> sayso_server::Body {
    sayso_server::Body::new(body)
}

async fn read(response: Response<AnyBody>) -> Result<Answer, Failure> {
    let status = response.status();
    let body = response.into_body().collect().await.context("the answer broke off")?.to_bytes();
    Ok(Answer { status, body })
}

/// Hands a body on as it comes; a problem is a failure with its own words.
async fn pour(
    response: Response<AnyBody>,
    mut each: impl FnMut(Bytes) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    if !response.status().is_success() {
        let answer = read(response).await?;
        let problem = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        return Err(failure_of(answer.status, &problem));
    }
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the answer broke off")?;
        if let Ok(piece) = frame.into_data()
            && each(piece)?.is_break()
        {
            break;
        }
    }
    Ok(())
}

/// A problem in words: what is wrong, and each field with a good value.
pub(crate) fn failure_of(status: StatusCode, problem: &Value) -> Failure {
    let text = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut words = match (text("title"), text("detail")) {
        (title, detail) if detail.is_empty() => title,
        // What there is none of is in the detail.
        (_, detail) if status == StatusCode::NOT_FOUND => detail,
        (title, detail) => format!("{title}: {detail}"),
    };
    for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let part = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        let place = part("pointer").trim_start_matches(['/', '?']);
        let (name, example) = typed_as(place);
        words = format!("{words}\n  {name} {}", part("fault"));
        let example = if part("example").is_empty() { example } else { part("example") };
        if !example.is_empty() {
            words = format!("{words}; a good value: {example}");
        }
    }
    if status.is_client_error() { Failure::Input(words) } else { Failure::Fault(anyhow!(words)) }
}

/// How a field of a request was typed on the command line, and a good value where the API knows none.
fn typed_as(place: &str) -> (&str, &str) {
    match place.split('/').next().unwrap_or_default() {
        "phone" => ("--phone", ""),
        "email" => ("--email", ""),
        "external_id" => ("--external-id", ""),
        "channel" => ("--channel", ""),
        "category" => ("--category", ""),
        "topic" => ("--topic", "top_…"),
        "sender" => ("--sender", "snd_…"),
        "scope" | "scopes" => ("--scope", ""),
        "standing" => ("--standing", ""),
        "highest" => ("--highest-standing", ""),
        "occurred_at" => ("--occurred-at", ""),
        "ends_at" => ("--ends-at", ""),
        "method" => ("--method", ""),
        "level" => ("--level", ""),
        "notice" => ("--notice", "ntc_…/1/en"),
        "status" => ("--status", ""),
        "list" => ("--list", ""),
        "region" => ("--region", ""),
        _ => (place, ""),
    }
}
