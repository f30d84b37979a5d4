//! What a script says about the page's user, and by which way.

use super::literal::{Reader, Record, Value};
use super::markup::Kind;
use super::token::{self, Token, What};

/// One statement about the user.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) way: Way,
    /// The user; for [`Way::Key`] the value of that key.
    pub(super) user: Value,
    pub(super) line: usize,
}

/// How it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// `insider_object = { user: … }` or `insider_object.user = …`.
    Object,
    /// `insider_object.user.key = …`.
    Key(String),
    /// `const insider_object = …`: not a property of `window`.
    Local,
    /// User keys directly in `insider_object`, without `user`.
    Bare,
    /// A push to `InsiderQueue` or `sayso`.
    Push,
}

/// Ways to say "the global object".
const GLOBALS: [&str; 3] = ["window", "self", "globalThis"];

/// Finds every statement in the text of a script.
pub(super) fn find(source: &str, first_line: usize, kind: Kind) -> Vec<Said> {
    let tokens = token::read(source, first_line);
    let mut said = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let (path, end) = path(&tokens, at);
        let mut reader = Reader { tokens: &tokens, at: end };
        let here = Here { line: token.line, local: is_local(&tokens, at, kind) };
        statement(&path, &mut reader, &here, &mut said);
        at = reader.at.max(at + 1);
    }
    said
}

struct Here {
    line: usize,
    local: bool,
}

fn statement(path: &[&str], reader: &mut Reader<'_>, here: &Here, said: &mut Vec<Said>) {
    let line = here.line;
    match path {
        ["insider_object"] if reader.take("=") => {
            said.extend(object(reader.expression(), here));
        }
        ["insider_object", "user"] if reader.take("=") => {
            said.push(Said { way: Way::Object, user: reader.expression(), line });
        }
        ["insider_object", "user", key] if reader.take("=") => {
            let way = Way::Key((*key).to_owned());
            said.push(Said { way, user: reader.expression(), line });
        }
        ["InsiderQueue" | "sayso", "push"] if reader.take("(") => {
            pushes(path, reader.arguments(), line, said);
        }
        ["InsiderQueue" | "sayso"] if reader.take("=") => {
            if let Value::List(entries) = reader.expression() {
                pushes(path, entries, line, said);
            }
            // (window.InsiderQueue = window.InsiderQueue || []).push({ … })
            if reader.take(")") && reader.take(".") && next_is_push(reader) && reader.take("(") {
                pushes(path, reader.arguments(), line, said);
            }
        }
        _ => {}
    }
}

fn next_is_push(reader: &mut Reader<'_>) -> bool {
    let is_push = matches!(reader.tokens.get(reader.at), Some(Token { what: What::Word(word), .. }) if word == "push");
    if is_push {
        reader.at += 1;
    }
    is_push
}

fn object(value: Value, here: &Here) -> Option<Said> {
    let line = here.line;
    let way = if here.local { Way::Local } else { Way::Object };
    let Value::Record(record) = value else {
        return (value == Value::Dynamic).then_some(Said { way, user: Value::Dynamic, line });
    };
    if let Some(user) = record.get("user") {
        return Some(Said { way, user: user.clone(), line });
    }
    let is_bare = record.entries.iter().any(|entry| super::user::is_read(&entry.key));
    is_bare.then_some(Said { way: Way::Bare, user: Value::Record(record), line })
}

fn pushes(path: &[&str], entries: Vec<Value>, line: usize, said: &mut Vec<Said>) {
    for entry in entries {
        let Value::Record(record) = entry else {
            continue;
        };
        if let Some(user) = pushed_user(path, &record) {
            said.push(Said { way: Way::Push, user: user.clone(), line });
        }
    }
}

fn pushed_user<'a>(path: &[&str], record: &'a Record) -> Option<&'a Value> {
    if path.first() == Some(&"sayso") {
        return record.get("user");
    }
    let Some(Value::Text(kind)) = record.get("type") else {
        return None;
    };
    (kind == "user").then(|| record.get("value").unwrap_or(&Value::Absent))
}

/// The names of `window.a.b` or `a["b"]`, without the global object, and where they end.
fn path(tokens: &[Token], start: usize) -> (Vec<&str>, usize) {
    let what = |at: usize| tokens.get(at).map(|token| &token.what);
    let mut names = Vec::new();
    let mut at = start;
    let follows_dot = start.checked_sub(1).and_then(what) == Some(&What::Mark("."));
    if let (Some(What::Word(first)), false) = (what(at), follows_dot) {
        names.push(first.as_str());
        at += 1;
    }
    while !names.is_empty() {
        match (what(at), what(at + 1), what(at + 2)) {
            (Some(What::Mark("." | "?.")), Some(What::Word(name)), _) => {
                names.push(name);
                at += 2;
            }
            (Some(What::Mark("[")), Some(What::Text(name)), Some(What::Mark("]"))) => {
                names.push(name);
                at += 3;
            }
            _ => break,
        }
    }
    if names.first().is_some_and(|name| GLOBALS.contains(name)) {
        names.remove(0);
    }
    (names, at)
}

/// `const` and `let` make no property of `window`; in a module `var` does not either.
fn is_local(tokens: &[Token], at: usize, kind: Kind) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let Some(Token { what: What::Word(word), .. }) = before else {
        return false;
    };
    matches!(word.as_str(), "const" | "let") || (word == "var" && kind == Kind::Module)
}
