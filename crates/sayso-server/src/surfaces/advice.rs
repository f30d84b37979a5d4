//! What would have been right, for problems that come before a handler can say more: a path that
//! there is not, a method that the path does not have, a body of another type, an id that names
//! nothing.
//!
//! It is read from the OpenAPI document, so that it never differs from what the server does. Nothing
//! that a client sent is repeated: a path may hold personal data.

use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Uri};
use serde_json::Value;

use crate::body::nearest;
use crate::docs::document;
use crate::problem::{Code, Problem};

/// The longest path that a nearest one is looked for: comparing costs its square.
const PATH_BYTES_MAX: usize = 128;

/// The paths of the listener for operators.
const OPERATORS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// The one for clients and browsers.
    Public,
    /// The one for operators.
    Admin,
}

/// What was called.
#[derive(Debug)]
pub(crate) struct Called {
    listener: Listener,
    method: Method,
    route: Option<MatchedPath>,
    /// The path itself, where no route has it.
    path: Option<Uri>,
}

/// An operation of the API.
struct Operation {
    path: String,
    method: String,
    /// The types of body that it reads.
    reads: Vec<String>,
}

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| operations(&document()));

impl Called {
    /// What a request calls.
    pub(crate) fn of(request: &Request, listener: Listener) -> Self {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let path = route.is_none().then(|| request.uri().clone());
        Self { listener, method: request.method().clone(), route, path }
    }

    /// Where it came in.
    pub(crate) const fn listener(&self) -> Listener {
        self.listener
    }

    /// The method.
    pub(crate) const fn method(&self) -> &Method {
        &self.method
    }

    /// The template of the path; `none` where there is no such path.
    pub(crate) fn route(&self) -> &str {
        self.route.as_ref().map_or("none", MatchedPath::as_str)
    }

    /// The problem with what would have been right, unless it says more already.
    pub(crate) fn advise(&self, problem: Problem) -> Problem {
        if problem.says_more() {
            return problem;
        }
        let advice = match (problem.code(), &self.path) {
            (Code::NotFound, Some(uri)) => Some(no_such_path(uri.path(), self.listener)),
            (Code::NotFound, None) => self.no_such_thing(),
            (Code::MethodNotAllowed, _) => Some(self.other_methods()),
            (Code::MediaType, _) => self.other_types(),
            (Code::IdempotencyKeyReused, _) => Some(
                "the header idempotency-key came before, with a request whose fields differ from these; send a new key with a new request".to_owned(),
            ),
            _ => None,
        };
        match advice {
            Some(advice) => problem.detail(advice),
            None => problem,
        }
    }

    fn no_such_thing(&self) -> Option<String> {
        let route = self.route();
        let (collection, _) = route.strip_prefix("/v1/")?.split_once("/{")?;
        let collection = format!("/v1/{collection}");
        let is_list = |one: &&Operation| one.path == collection && one.method == "GET";
        let list = match OPERATIONS.iter().find(is_list) {
            Some(_) => format!("; `GET {collection}` lists what there is"),
            None => String::new(),
        };
        Some(format!(
            "the path is right, but in this workspace nothing of `{collection}` has this id{list}"
        ))
    }

    fn other_methods(&self) -> String {
        let on_path = OPERATIONS.iter().filter(|one| one.path == self.route());
        let methods: Vec<&str> = on_path.map(|one| one.method.as_str()).collect();
        if methods.is_empty() {
            return format!(
                "the header allow has the methods of this path; {} is not one",
                self.method
            );
        }
        format!("this path takes {}, and not {}", methods.join(", "), self.method)
    }

    fn other_types(&self) -> Option<String> {
        let is_called = |one: &&Operation| {
            one.path == self.route() && one.method.eq_ignore_ascii_case(self.method.as_str())
        };
        let reads = &OPERATIONS.iter().find(is_called)?.reads;
        let quoted: Vec<String> = reads.iter().map(|kind| format!("`{kind}`")).collect();
        Some(format!(
            "the header content-type names another type; this operation reads {}, so send `content-type: {}`",
            quoted.join(" or "),
            reads.first()?
        ))
    }
}

/// Says which path is like one that there is not.
fn no_such_path(path: &str, listener: Listener) -> String {
    let elsewhere = OPERATORS.iter().find(|known| **known == path);
    match (listener, elsewhere) {
        (Listener::Public, Some(known)) => {
            format!(
                "`{known}` is on the listener for operators, whose address is the setting `admin.address`"
            )
        }
        (Listener::Admin, _) => format!(
            "this listener is for operators, and has {} alone; the API is on the other one, `server.address`",
            OPERATORS.join(", ")
        ),
        (Listener::Public, None) => match nearest_path(path) {
            Some(near) => {
                format!("there is no such path; did you mean `{near}`? `/docs` lists all of them")
            }
            None => "there is no such path; `/docs` lists all of them".to_owned(),
        },
    }
}

/// The template that is most like a path, if any is like it.
fn nearest_path(path: &str) -> Option<&'static str> {
    if path.len() > PATH_BYTES_MAX {
        return None;
    }
    let sent: Vec<&str> = path.split('/').collect();
    let filled: Vec<String> = OPERATIONS.iter().map(|one| fill(&one.path, &sent)).collect();
    let candidates: Vec<&str> = filled.iter().map(String::as_str).collect();
    let near = nearest(path, &candidates)?;
    let place = filled.iter().position(|one| one == near)?;
    OPERATIONS.get(place).map(|one| one.path.as_str())
}

/// A template with the segments that were sent in the places of its parameters.
fn fill(template: &str, sent: &[&str]) -> String {
    let segments = template.split('/').enumerate().map(|(place, segment)| {
        let is_parameter = segment.starts_with('{');
        sent.get(place).filter(|_| is_parameter).copied().unwrap_or(segment)
    });
    segments.collect::<Vec<_>>().join("/")
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
            operations.push(Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                reads: content.into_iter().flatten().map(|(kind, _)| kind.clone()).collect(),
            });
        }
    }
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_nearly_right_is_led_to_the_right_one() {
        let near = |path: &str| nearest_path(path);
        assert_eq!(near("/v1/consent"), Some("/v1/consents"));
        assert_eq!(near("/v1/consents/"), Some("/v1/consents"));
        assert_eq!(near("/V1/Consents"), Some("/v1/consents"));
        assert_eq!(near("/consents"), Some("/v1/consents"));
        assert_eq!(near("/v1/sender/snd_01jd6m9k3te5b8r5v3x5y6z7w8"), Some("/v1/senders/{id}"));
        assert_eq!(near("/wp-login.php"), None);
        assert_eq!(near(&format!("/v1/{}", "consents".repeat(1_000))), None);
    }

    #[test]
    fn a_path_of_the_other_listener_is_said_to_be_there() {
        assert!(no_such_path("/metrics", Listener::Public).contains("admin.address"));
        assert!(no_such_path("/v1/check", Listener::Admin).contains("server.address"));
    }
}
