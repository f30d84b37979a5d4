//! Rust source as the rules want to see it: code without comments and strings, and the strings.
//!
//! A scanner, not a parser: it knows comments, string and character literals, and nothing else. Every
//! other character keeps its line, so that a finding can name it.

/// A Rust file taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The text with comments and the insides of literals blanked out, line for line.
    pub(crate) code: String,
    /// The string literals, in order.
    pub(crate) literals: Vec<Literal>,
}

/// One string literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The line on which it begins, from 1.
    pub(crate) line: usize,
    /// What stands between the quotes; each escape is a blank.
    pub(crate) text: String,
}

impl Source {
    /// Takes a Rust file apart.
    pub(crate) fn read(text: &str) -> Self {
        let mut source = Self { code: String::with_capacity(text.len()), literals: Vec::new() };
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            rest = if rest.starts_with("//") {
                source.blank(rest, rest.find('\n').unwrap_or(rest.len()))
            } else if rest.starts_with("/*") {
                source.blank(rest, block_comment_len(rest))
            } else if let Some((start, end, len)) = raw_string(rest, source.code.chars().last()) {
                source.literal(rest.get(start..end).unwrap_or_default());
                source.blank(rest, len)
            } else if next == '"' {
                let len = quoted_len(rest, '"');
                let inside = rest.get(1..len.saturating_sub(1)).unwrap_or_default();
                source.literal(&without_escapes(inside));
                source.blank(rest, len)
            } else if let Some(len) = character_len(rest) {
                source.blank(rest, len)
            } else {
                source.code.push(next);
                rest.strip_prefix(next).unwrap_or_default()
            };
        }
        source
    }

    /// The lines of code with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn blank<'a>(&mut self, rest: &'a str, len: usize) -> &'a str {
        let (blanked, after) = rest.split_at(len);
        self.code.extend(blanked.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        after
    }

    fn literal(&mut self, text: &str) {
        let line = self.code.matches('\n').count() + 1;
        self.literals.push(Literal { line, text: text.to_owned() });
    }
}

/// Whether the text holds the word, and not merely as a part of a longer identifier.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_identifier) && !after.is_some_and(is_identifier)
    })
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Where the content of a raw string begins and ends, and how long the whole literal is.
fn raw_string(text: &str, before: Option<char>) -> Option<(usize, usize, usize)> {
    if before.is_some_and(is_identifier) {
        return None;
    }
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '#']))
    })?;
    let after = text.strip_prefix(prefix)?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    let content = after.get(hashes..)?.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    match content.find(&closing) {
        Some(len) => Some((start, start + len, start + len + closing.len())),
        None => Some((start, text.len(), text.len())),
    }
}

/// The length of a quoted literal that begins the text, both quotes counted.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// The length of a character literal that begins the text; `None` for a lifetime.
fn character_len(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let closed = inside.strip_prefix(first).is_some_and(|rest| rest.starts_with('\''));
    (first == '\\' || closed).then(|| quoted_len(text, '\''))
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == '\\' {
            plain.push(if characters.next() == Some('\n') { '\n' } else { ' ' });
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Source::read(text).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays() {
        assert_eq!(code("a(); // b()\nc()"), "a(); c()");
        assert_eq!(code("a /* b /* c */ d */ e"), "a e");
        assert_eq!(code(r#"a("todo!()", b'"', '\'', 'x') + b"#), "a( , b , , ) + b");
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code(r##"a(r#"say "hi" "#, br"\") b"##), "a( , ) b");
        assert_eq!(code("forever\"x\""), "forever");
    }

    #[test]
    fn literals_keep_their_line_and_escapes_become_blanks() {
        let source = Source::read("a\n(\"SELECT\\nb\")\n\n(r\"FROM\")");
        let expected = [(2, "SELECT b"), (4, "FROM")];
        let found: Vec<_> = source.literals.iter().map(|l| (l.line, l.text.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(source.lines().count(), 4);
    }

    #[test]
    fn an_unclosed_literal_ends_with_the_file() {
        assert_eq!(code("a \"b"), "a");
        assert_eq!(code("a r#\"b"), "a");
        assert_eq!(code("a /* b"), "a");
    }

    #[test]
    fn a_word_is_not_found_inside_a_longer_one() {
        assert!(has_word("use rand::Rng;", "rand"));
        assert!(!has_word("let operand = brand;", "rand"));
        assert!(has_word("brand + rand", "rand"));
    }
}
