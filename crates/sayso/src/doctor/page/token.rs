//! Tokens of JavaScript, as far as finding assignments and reading literals needs them.

/// One token and the line of the page it stands on.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) what: What,
    pub(super) line: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A name or keyword.
    Word(String),
    /// A quoted string, or a template without substitutions.
    Text(String),
    Number(String),
    /// An operator or bracket, out of [`MARKS`].
    Mark(&'static str),
    /// A regular expression, a template with substitutions, or a character of no meaning to us.
    Other,
}

/// Longest first, since the first that fits is taken.
const MARKS: [&str; 37] = [
    "===", "!==", "...", "||=", "??=", "=>", "==", "!=", "||", "&&", "??", "?.", "<=", ">=", "+=",
    "-=", "{", "}", "(", ")", "[", "]", ".", ",", ";", ":", "=", "?", "!", "-", "+", "*", "/", "<",
    ">", "&", "|",
];

/// After one of these words a `/` begins a regular expression.
const BEFORE_PATTERN: [&str; 6] = ["return", "typeof", "case", "in", "of", "void"];

/// Splits a script into tokens; never fails.
pub(super) fn read(source: &str, first_line: usize) -> Vec<Token> {
    let mut reader = Reader { rest: source, line: first_line };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blanks();
        let line = reader.line;
        let Some(first) = reader.rest.chars().next() else {
            return tokens;
        };
        let what = reader.token(first, tokens.last().map(|token: &Token| &token.what));
        tokens.push(Token { what, line });
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn token(&mut self, first: char, before: Option<&What>) -> What {
        if first.is_alphabetic() || first == '_' || first == '$' {
            return What::Word(
                self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).to_owned(),
            );
        }
        if first.is_ascii_digit() {
            return What::Number(
                self.take_while(|c| c.is_alphanumeric() || c == '.' || c == '_').to_owned(),
            );
        }
        if first == '/' && pattern_may_follow(before) {
            self.pattern();
            return What::Other;
        }
        if matches!(first, '"' | '\'') {
            return What::Text(self.text(first));
        }
        if first == '`' {
            return self.template();
        }
        if let Some(mark) = MARKS.iter().find(|mark| self.rest.starts_with(**mark)) {
            self.advance(mark.len());
            return What::Mark(mark);
        }
        self.advance(first.len_utf8());
        What::Other
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest.starts_with("//") || self.rest.starts_with("<!--") {
                self.take_while(|c| c != '\n');
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").map_or(self.rest.len(), |at| at + 2);
                self.advance(end);
            } else {
                return;
            }
        }
    }

    fn text(&mut self, quote: char) -> String {
        self.next();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                _ if c == quote => break,
                '\\' => text.extend(self.escape()),
                '\n' => break,
                _ => text.push(c),
            }
        }
        text
    }

    fn template(&mut self) -> What {
        self.next();
        let mut text = String::new();
        let mut dynamic = false;
        let mut depth = 0_usize;
        while let Some(c) = self.next() {
            match c {
                '`' if depth == 0 => break,
                '\\' => text.extend(self.escape()),
                '$' if depth == 0 && self.rest.starts_with('{') => dynamic = true,
                '{' if dynamic => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => text.push(c),
            }
        }
        if dynamic { What::Other } else { What::Text(text) }
    }

    /// What follows a backslash. An escape we do not know stands for its own letter.
    fn escape(&mut self) -> Option<char> {
        match self.next()? {
            'n' => Some('\n'),
            't' => Some('\t'),
            '\n' => None,
            'x' => self.code(2),
            'u' => self.code(4),
            c => Some(c),
        }
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let code = u32::from_str_radix(self.rest.get(..digits)?, 16).ok()?;
        self.advance(digits);
        char::from_u32(code)
    }

    fn pattern(&mut self) {
        self.next();
        let mut in_class = false;
        while let Some(c) = self.next() {
            match c {
                '\\' => {
                    self.next();
                }
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => break,
                '\n' => break,
                _ => {}
            }
        }
        self.take_while(|c| c.is_ascii_alphabetic());
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.advance(c.len_utf8());
        Some(c)
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        self.advance(end)
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.matches('\n').count();
        self.rest = rest;
        passed
    }
}

fn pattern_may_follow(before: Option<&What>) -> bool {
    match before {
        None => true,
        Some(What::Word(word)) => BEFORE_PATTERN.contains(&word.as_str()),
        Some(What::Mark(mark)) => !matches!(*mark, ")" | "]" | "}"),
        Some(What::Text(_) | What::Number(_) | What::Other) => false,
    }
}
