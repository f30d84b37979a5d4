//! The little of HTML that an integration check needs: scripts, in order, and content security
//! policies in `<meta>`. Tolerant as browsers are: what cannot be read is stepped over. One pass,
//! linear in the size of the page.

/// What a page holds, in document order.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) scripts: Vec<Script>,
    pub(super) policies: Vec<Policy>,
}

/// One `<script>` element.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) kind: Kind,
    pub(super) source: Option<String>,
    pub(super) text: String,
    /// The line of the page on which the element begins.
    pub(super) line: usize,
    /// The line of the page on which its text begins.
    pub(super) text_line: usize,
    attributes: Attributes,
}

impl Script {
    /// The value of an attribute; an attribute without a value has the value `""`.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }
}

/// How a browser treats the text of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Classic,
    Module,
    /// Data, a template or an unknown language: never run.
    Inert,
}

/// One `<meta http-equiv="Content-Security-Policy">`.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) text: String,
    /// It binds only what comes after it.
    pub(super) scripts_before: usize,
}

type Attributes = Vec<(String, String)>;

/// Every script is held against every policy; a page with more than a few is not a page.
const POLICIES_MAX: usize = 16;

/// Elements whose content is text, not markup.
const TEXT_ELEMENTS: [&str; 5] = ["script", "style", "textarea", "title", "xmp"];

/// Reads a page.
pub(super) fn read(html: &str) -> Page {
    let mut page = Page::default();
    let mut reader = Reader { rest: html, line: 1 };
    while reader.find("<") {
        if reader.take("<!--") {
            reader.find("-->");
        } else {
            element(&mut reader, &mut page);
        }
    }
    page
}

fn element(reader: &mut Reader<'_>, page: &mut Page) {
    let line = reader.line;
    reader.take("<");
    let name = reader.take_while(|c| c.is_ascii_alphanumeric()).to_ascii_lowercase();
    if name.is_empty() {
        return;
    }
    let attributes = attributes(reader);
    if name == "meta" && page.policies.len() < POLICIES_MAX {
        page.policies.extend(policy(&attributes, page.scripts.len()));
    }
    if !TEXT_ELEMENTS.contains(&name.as_str()) {
        return;
    }
    let text_line = reader.line;
    let text = reader.text_until_end_of(&name).to_owned();
    if name == "script" {
        page.scripts.push(Script {
            kind: kind(find(&attributes, "type")),
            source: find(&attributes, "src").map(|source| source.trim().to_owned()),
            text,
            line,
            text_line,
            attributes,
        });
    }
}

fn policy(attributes: &Attributes, scripts_before: usize) -> Option<Policy> {
    let name = find(attributes, "http-equiv")?;
    if !name.eq_ignore_ascii_case("content-security-policy") {
        return None;
    }
    Some(Policy { text: find(attributes, "content")?.to_owned(), scripts_before })
}

fn kind(given: Option<&str>) -> Kind {
    let name = given.unwrap_or_default().trim().to_ascii_lowercase();
    if name == "module" {
        Kind::Module
    } else if name.is_empty() || name.ends_with("javascript") || name.ends_with("ecmascript") {
        Kind::Classic
    } else {
        Kind::Inert
    }
}

fn find<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Reads up to and including the `>` of a start tag.
fn attributes(reader: &mut Reader<'_>) -> Attributes {
    let mut found = Attributes::new();
    loop {
        reader.take_while(|c| c.is_whitespace() || c == '/');
        if reader.rest.is_empty() || reader.take(">") {
            return found;
        }
        let name = reader.take_while(|c| !c.is_whitespace() && !matches!(c, '=' | '>' | '/'));
        let name = name.to_ascii_lowercase();
        reader.take_while(char::is_whitespace);
        let value = if reader.take("=") { value(reader) } else { String::new() };
        found.push((name, value));
    }
}

fn value(reader: &mut Reader<'_>) -> String {
    reader.take_while(char::is_whitespace);
    for quote in ['"', '\''] {
        if reader.take(quote.encode_utf8(&mut [0; 4])) {
            let text = reader.take_while(|c| c != quote);
            reader.take_while_first(|c| c == quote);
            return decode(text);
        }
    }
    decode(reader.take_while(|c| !c.is_whitespace() && c != '>'))
}

/// The character references that turn up in addresses and policies.
fn decode(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&apos;", "'").replace("&amp;", "&")
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Moves to the next occurrence of `mark`, or to the end.
    fn find(&mut self, mark: &str) -> bool {
        let at = self.rest.find(mark);
        self.advance(at.unwrap_or(self.rest.len()));
        at.is_some()
    }

    fn take(&mut self, mark: &str) -> bool {
        let taken = self.rest.starts_with(mark);
        if taken {
            self.advance(mark.len());
        }
        taken
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        self.advance(end)
    }

    fn take_while_first(&mut self, keep: impl Fn(char) -> bool) {
        if let Some(first) = self.rest.chars().next().filter(|first| keep(*first)) {
            self.advance(first.len_utf8());
        }
    }

    /// The text up to `</name`, or all that is left. Leaves the end tag to be read as an element.
    fn text_until_end_of(&mut self, name: &str) -> &'a str {
        let is_end = |at: &usize| {
            let tag = self.rest.get(at + 2..at + 2 + name.len());
            tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name))
        };
        let end = self.rest.match_indices("</").map(|(at, _)| at).find(is_end);
        self.advance(end.unwrap_or(self.rest.len()))
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.matches('\n').count();
        self.rest = rest;
        passed
    }
}
