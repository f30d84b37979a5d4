//! Values of JavaScript that can be known by reading. Everything else is [`Value::Dynamic`]: made by
//! code, or put in by a template on the server.

use super::token::{Token, What};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(String),
    Flag(bool),
    /// `null`, `undefined` or `void 0`.
    Absent,
    List(Vec<Value>),
    Record(Record),
    Dynamic,
}

/// An object literal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) entries: Vec<Entry>,
    pub(super) rest: Rest,
}

/// Whether an object may hold more than can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rest {
    #[default]
    None,
    /// It spreads another object or computes a key.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) line: usize,
}

impl Record {
    /// The value under a key; as in JavaScript the last one wins.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.value)
    }
}

/// Deeper literals are taken as dynamic: the reader is recursive and pages are not ours.
const DEPTH_MAX: usize = 32;

/// What server-side templates leave in a page's source.
const TEMPLATE_MARKS: [&str; 6] = ["{{", "{%", "<%", "<?", "${", "[["];

/// Whether a text of the page's source is filled in by the server before a browser sees it.
pub(super) fn is_template(text: &str) -> bool {
    TEMPLATE_MARKS.iter().any(|mark| text.contains(mark))
}

/// Reads values out of tokens, from `at` on.
pub(super) struct Reader<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) at: usize,
}

impl Reader<'_> {
    /// The right side of an assignment. Steps over what only stands before the literal, as in
    /// `window.insider_object || { … }`.
    pub(super) fn expression(&mut self) -> Value {
        loop {
            let start = self.at;
            let read = self.primary(0);
            if read.is_none() {
                self.at = start;
                self.step_over();
            }
            if self.at > start && ["||", "??", "="].iter().any(|mark| self.take(mark)) {
                continue;
            }
            let goes_on = ["?", "&&", "+", ".", "(", "["].iter().any(|mark| self.sees(mark));
            return read.filter(|_| !goes_on).unwrap_or(Value::Dynamic);
        }
    }

    /// The arguments of a call; the reader stands behind its `(`.
    pub(super) fn arguments(&mut self) -> Vec<Value> {
        let mut values = Vec::new();
        while self.at < self.tokens.len() && !self.sees(")") {
            values.push(self.value(0));
            if !self.take(",") {
                break;
            }
        }
        values
    }

    pub(super) fn sees(&self, mark: &str) -> bool {
        matches!(self.what(), Some(What::Mark(seen)) if *seen == mark)
    }

    pub(super) fn take(&mut self, mark: &str) -> bool {
        let seen = self.sees(mark);
        if seen {
            self.at += 1;
        }
        seen
    }

    /// A value inside brackets: whatever does not end where a literal must is dynamic.
    fn value(&mut self, depth: usize) -> Value {
        let start = self.at;
        let read = self.primary(depth);
        if let Some(value) = read.filter(|_| self.is_at_end_of_value()) {
            return value;
        }
        self.at = start;
        self.skip();
        Value::Dynamic
    }

    fn primary(&mut self, depth: usize) -> Option<Value> {
        if self.sees("{") {
            return self.record(depth).map(Value::Record);
        }
        if self.sees("[") {
            return self.list(depth).map(Value::List);
        }
        if self.take("!") {
            return Some(Value::Flag(self.number()? == "0"));
        }
        if self.take("-") {
            return Some(Value::Number(format!("-{}", self.number()?)));
        }
        let value = match self.what()? {
            What::Text(text) if is_template(text) => Value::Dynamic,
            What::Text(text) => Value::Text(text.clone()),
            What::Number(number) => Value::Number(number.clone()),
            What::Word(word) if word == "true" => Value::Flag(true),
            What::Word(word) if word == "false" => Value::Flag(false),
            What::Word(word) if word == "null" || word == "undefined" => Value::Absent,
            What::Word(word) if word == "void" => {
                self.at += 1;
                self.number()?;
                return Some(Value::Absent);
            }
            What::Word(_) | What::Mark(_) | What::Other => return None,
        };
        self.at += 1;
        Some(value)
    }

    fn number(&mut self) -> Option<String> {
        let Some(What::Number(number)) = self.what() else {
            return None;
        };
        let number = number.clone();
        self.at += 1;
        Some(number)
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Value>> {
        if depth >= DEPTH_MAX || !self.take("[") {
            return None;
        }
        let mut values = Vec::new();
        while !self.take("]") {
            values.push(self.value(depth + 1));
            if !self.take(",") && !self.sees("]") {
                return None;
            }
        }
        Some(values)
    }

    fn record(&mut self, depth: usize) -> Option<Record> {
        if depth >= DEPTH_MAX || !self.take("{") {
            return None;
        }
        let mut record = Record::default();
        while !self.take("}") {
            if self.sees("...") || self.sees("[") {
                record.rest = Rest::Unknown;
                self.skip();
            } else {
                record.entries.push(self.entry(depth)?);
            }
            if !self.take(",") && !self.sees("}") {
                return None;
            }
        }
        Some(record)
    }

    fn entry(&mut self, depth: usize) -> Option<Entry> {
        let token = self.tokens.get(self.at)?;
        let (What::Word(key) | What::Text(key) | What::Number(key)) = &token.what else {
            return None;
        };
        self.at += 1;
        let value = if self.take(":") {
            self.value(depth + 1)
        } else {
            self.skip(); // `{ email }`, or a method
            Value::Dynamic
        };
        Some(Entry { key: key.clone(), value, line: token.line })
    }

    /// Steps over `window.shop.user` and the like, and over brackets that hold no literal: reading
    /// those again from within would take quadratic time.
    fn step_over(&mut self) {
        if self.sees("{") || self.sees("[") {
            self.skip();
        }
        while let Some(What::Word(_)) = self.what() {
            self.at += 1;
            if !self.take(".") && !self.take("?.") {
                return;
            }
        }
    }

    /// Moves to the end of the value, over whole brackets.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(what) = self.what() {
            if let What::Mark(mark) = what {
                match *mark {
                    "{" | "[" | "(" => depth += 1,
                    "," | ";" | "}" | "]" | ")" if depth == 0 => return,
                    "}" | "]" | ")" => depth -= 1,
                    _ => {}
                }
            }
            self.at += 1;
        }
    }

    fn is_at_end_of_value(&self) -> bool {
        match self.what() {
            None => true,
            Some(What::Mark(mark)) => matches!(*mark, "," | ";" | "}" | "]" | ")"),
            Some(What::Word(_) | What::Text(_) | What::Number(_) | What::Other) => false,
        }
    }

    fn what(&self) -> Option<&What> {
        self.tokens.get(self.at).map(|token| &token.what)
    }
}
