//! Finds the phrases that `docs/STYLE.md` forbids.
//!
//! It skips code: fenced blocks, and text between backticks. It finds a phrase across the end of a line,
//! but not across a comma, a period or an empty line.

use super::Finding;
use crate::workspace::has_extension;

const RULE: &str = "phrase";

/// The files to read: an extension, and the mark that starts each line of prose (`""` for every line).
///
/// To add Fluent, add `("ftl", "")`; for the comments of Rust, `("rs", "//")`; for OpenAPI, `("json", "")`.
const READ: [(&str, &str); 1] = [("md", "")];

/// The page that shows what not to write.
const LAW: &str = "docs/STYLE.md";

/// Pages generated from Rust sources, which this rule doesn't read yet.
const GENERATED: [&str; 6] = [
    "docs/reference/cli.md",
    "docs/reference/configuration.md",
    "docs/reference/keys.md",
    "docs/reference/limits.md",
    "docs/reference/problems.md",
    "docs/reference/words.md",
];

/// A phrase, in lower case, and what to write instead.
struct Phrase {
    words: &'static [&'static str],
    instead: &'static str,
    /// Words before it that make it good English: "there is no".
    after: &'static [&'static str],
    /// Words after it that make it good English: "is no longer".
    before: &'static [&'static str],
}

const fn never(words: &'static [&'static str], instead: &'static str) -> Phrase {
    Phrase { words, instead, after: &[], before: &[] }
}

const fn is_no(words: &'static [&'static str]) -> Phrase {
    Phrase {
        words,
        instead: "write \"is not a …\" or \"isn't a …\"",
        after: &["there"],
        before: &["better", "different", "greater", "larger", "less", "longer", "more", "other"],
    }
}

const fn is_heard(words: &'static [&'static str]) -> Phrase {
    Phrase { words, instead: "a call is accepted or rejected", after: &[], before: &["from"] }
}

const PHRASES: [Phrase; 16] = [
    never(&["how", "you", "call", "it"], "write \"your name for it\""),
    never(&["besides"], "write \"also\", \"as well as\" or \"except\""),
    never(&["anew"], "write \"again\" or \"from scratch\""),
    never(&["what", "stands"], "name the thing: \"what the page contains\""),
    never(&["of", "no", "use", "any", "more"], "write \"expired\" or \"no longer needed\""),
    never(&["of", "no", "use", "anymore"], "write \"expired\" or \"no longer needed\""),
    Phrase {
        words: &["is", "none"],
        instead: "write \"isn't one\"",
        after: &["there"],
        before: &["of"],
    },
    is_no(&["is", "no"]),
    is_no(&["are", "no"]),
    is_no(&["was", "no"]),
    is_no(&["were", "no"]),
    is_heard(&["is", "heard"]),
    is_heard(&["are", "heard"]),
    is_heard(&["not", "heard"]),
    never(&["such", "as", "have"], "write \"people who have\""),
    never(&["such", "as", "are"], "write \"people who are\""),
];

/// One word of prose.
struct Word<'a> {
    /// The word, as written.
    text: &'a str,
    /// The text between it and the word before: spaces, punctuation, line ends.
    gap: &'a str,
    line: usize,
}

impl Word<'_> {
    /// Whether only spaces and emphasis separate it from the word before.
    fn is_joined(&self) -> bool {
        self.gap.chars().all(|c| c.is_whitespace() || c == '*') && !is_break(self.gap)
    }

    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Checks one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mark = READ.iter().find(|(extension, _)| has_extension(path, extension));
    let Some((_, mark)) = mark else { return Vec::new() };
    if path == LAW || GENERATED.contains(&path) {
        return Vec::new();
    }
    let prose = prose(text, mark);
    let words = words(&prose);
    let mut findings = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let (past, rest) = words.split_at(at);
        let phrase = PHRASES.iter().find(|phrase| is_found(phrase, past, rest));
        let advice = phrase.map(|it| format!("{:?}: {}", it.words.join(" "), it.instead));
        let who = begins_with_who(rest).then(|| {
            "a sentence begins with \"Who\" and asks nothing: write \"Anyone who\"".to_owned()
        });
        let found = advice.into_iter().chain(who);
        findings.extend(found.map(|advice| Finding::new(path, word.line, RULE, advice)));
    }
    findings
}

/// Whether the phrase begins at `rest`, and no word around it makes it good English.
fn is_found(phrase: &Phrase, past: &[Word<'_>], rest: &[Word<'_>]) -> bool {
    let Some((own, behind)) = rest.split_at_checked(phrase.words.len()) else { return false };
    let spelled = own.iter().zip(phrase.words).all(|(word, wanted)| word.is(wanted));
    let joined = own.iter().skip(1).all(Word::is_joined);
    let first_is_joined = own.first().is_some_and(Word::is_joined);
    let is_excused = |word: Option<&Word<'_>>, by: &[&str]| {
        word.is_some_and(|word| by.iter().any(|it| word.is(it)))
    };
    spelled
        && joined
        && !(first_is_joined && is_excused(past.last(), phrase.after))
        && !is_excused(behind.first().filter(|word| word.is_joined()), phrase.before)
}

/// Whether a sentence begins here with "Who" as a subject, and ends in a period.
fn begins_with_who(rest: &[Word<'_>]) -> bool {
    let Some((first, behind)) = rest.split_first() else { return false };
    // A link that begins with "Who" is the name of a page.
    let is_first = first.gap.contains(['.', '|']) || is_break(first.gap);
    if first.text != "Who" || !is_first || first.gap.contains('[') {
        return false;
    }
    let end = behind.iter().map(|word| word.gap).find(|gap| ends_a_sentence(gap));
    end.is_some_and(|gap| gap.trim_start().starts_with('.'))
}

/// Whether the gap has an empty line.
fn is_break(gap: &str) -> bool {
    gap.lines().skip(1).any(|line| line.trim().is_empty() && gap.matches('\n').count() > 1)
}

fn ends_a_sentence(gap: &str) -> bool {
    gap.contains(['?', '!', '|', ':']) || gap.contains(". ") || gap.contains(".\n") || is_break(gap)
}

/// The prose of the text, on the lines where it was; other lines are empty.
fn prose(text: &str, mark: &str) -> String {
    let mut fenced = false;
    let mut prose = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.trim_start_matches([' ', '\t']);
        let is_fence = body.starts_with("```");
        fenced ^= is_fence;
        if is_fence || fenced || !body.starts_with(mark) {
            prose.push_str(if line.ends_with('\n') { "\n" } else { "" });
        } else {
            let rest = body.strip_prefix(mark).unwrap_or(body);
            prose.push_str(if mark.is_empty() {
                rest
            } else {
                rest.trim_start_matches(['/', '!'])
            });
        }
    }
    without_code(&prose)
}

/// The prose with code between backticks replaced by `_`, which is part of no phrase.
fn without_code(prose: &str) -> String {
    let mut is_code = false;
    let mut last = ' ';
    let blank = |c: char| {
        is_code = match c {
            '`' => !is_code,
            // A backtick without a partner ends with its paragraph.
            '\n' if last == '\n' => false,
            _ => is_code,
        };
        last = c;
        if is_code && c != '\n' { '_' } else { c }
    };
    prose.chars().map(blank).collect()
}

/// The words of the prose, each with its line.
fn words(prose: &str) -> Vec<Word<'_>> {
    let is_part = |c: char| c.is_alphanumeric() || "_'’-".contains(c);
    let mut words = Vec::new();
    let mut rest = prose;
    let mut line = 1;
    while let Some(start) = rest.find(is_part) {
        let (gap, from) = rest.split_at(start);
        let (text, behind) = from.split_at(from.find(|c| !is_part(c)).unwrap_or(from.len()));
        line += gap.matches('\n').count();
        words.push(Word { text, gap, line });
        rest = behind;
    }
    // This shows the end of the last sentence.
    words.push(Word { text: "", gap: rest, line });
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(path, text).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_phrase_is_found_on_its_line_also_across_the_end_of_one() {
        let text = "It is decided\nanew.\n\nThis is\nno phone number. Besides, it *is heard*.\n";
        assert_eq!(lines("a.md", text), [2, 4, 5, 5]);
    }

    #[test]
    fn good_english_and_code_are_left_alone() {
        let text = "There is no store. It is no longer here, and people are heard from.\n\n\
            The tag `is no` and\n```\nanew\n```\nIt is: no. Renewed. None of it is none of ours.\n";
        assert_eq!(lines("a.md", text), Vec::<usize>::new());
    }

    #[test]
    fn who_begins_a_question_or_a_heading_and_no_other_sentence() {
        let found = "It ends. Who refused gets nothing.\n";
        assert_eq!(lines("a.md", found), [1]);
        let fine =
            "# Who said no\n\nIt ends. Who is it? [Who](a.md) has it. | Who reads it | x |\n";
        assert_eq!(lines("a.md", fine), Vec::<usize>::new());
    }

    #[test]
    fn the_law_generated_pages_and_other_files_are_not_read() {
        for path in [LAW, "docs/reference/words.md", "a.rs", "a.ftl"] {
            assert_eq!(lines(path, "anew\n"), Vec::<usize>::new());
        }
    }

    #[test]
    fn only_the_lines_with_the_mark_are_prose() {
        let text = "let anew = 1;\n    /// Begun\n    /// anew.\n";
        assert_eq!(prose(text, "//"), "\n Begun\n anew.\n");
    }
}
