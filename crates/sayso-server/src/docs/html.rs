//! Text into HTML, escaped by default.

use std::fmt::Write;

/// HTML under writing. Everything that is not a literal goes through [`Html::text`].
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Writes markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Writes text, escaped.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Writes prose: paragraphs by empty lines, code between backticks.
    pub(super) fn prose(&mut self, text: &str) -> &mut Self {
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            self.raw("<p>").inline(paragraph).raw("</p>\n");
        }
        self
    }

    /// Writes one line of prose, code between backticks.
    pub(super) fn inline(&mut self, text: &str) -> &mut Self {
        for (place, piece) in text.split('`').enumerate() {
            if place % 2 == 1 {
                self.raw("<code>").text(piece).raw("</code>");
            } else {
                self.text(piece);
            }
        }
        self
    }

    /// Writes an attribute value or a number.
    pub(super) fn number(&mut self, number: u16) -> &mut Self {
        let _infallible = write!(self.0, "{number}");
        self
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_page_unescaped() {
        let mut html = Html::default();
        html.prose("a <b> `<c>` & \"d\"");
        let expected = "<p>a &lt;b&gt; <code>&lt;c&gt;</code> &amp; &quot;d&quot;</p>\n";
        assert_eq!(html.finish(), expected);
    }
}
