//! A page that was rendered once, with places that are filled in for each reader.
//!
//! What is filled in is escaped as any other text is. A page in which a place does not stand exactly once is no
//! blank, and is rendered for each reader.

use maud::html;

use crate::page::Document;

/// A page with places to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blank {
    pieces: Vec<Box<str>>,
    policy: Box<str>,
}

impl Blank {
    /// The page with these texts for places, in the order in which they stand.
    pub fn new(document: &Document, places: &[&str]) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = document.html.as_str();
        for place in places {
            if document.html.matches(place).count() != 1 {
                return None;
            }
            let (before, after) = rest.split_once(place)?;
            pieces.push(before.into());
            rest = after;
        }
        pieces.push(rest.into());
        Some(Self { pieces, policy: document.policy.as_str().into() })
    }

    /// The page with these texts in its places, in the same order.
    pub fn fill(&self, texts: &[&str]) -> Document {
        let texts: Vec<String> = texts.iter().map(|text| html! { (text) }.into_string()).collect();
        let pieces = self.pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let mut html = String::with_capacity(pieces + texts.iter().map(String::len).sum::<usize>());
        for (index, piece) in self.pieces.iter().enumerate() {
            html.push_str(piece);
            html.push_str(texts.get(index).map_or("", String::as_str));
        }
        Document { html, policy: self.policy.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(html: &str) -> Document {
        Document { html: html.to_owned(), policy: "default-src 'none'".to_owned() }
    }

    #[test]
    fn what_is_filled_in_is_text() {
        let blank = Blank::new(&document("<i title=\"ONE\">TWO</i>"), &["ONE", "TWO"]).unwrap();
        let filled = blank.fill(&["\"><script>", "a & b"]);
        assert_eq!(filled.html, "<i title=\"&quot;&gt;&lt;script&gt;\">a &amp; b</i>");
        assert_eq!(filled.policy, "default-src 'none'");
        assert_eq!(Blank::new(&document("<p>"), &[]).unwrap().fill(&[]).html, "<p>");
    }

    #[test]
    fn a_page_in_which_a_place_is_missing_doubled_or_elsewhere_is_no_blank() {
        for html in ["<p>", "ONE TWO ONE", "TWO ONE", "ONE"] {
            assert_eq!(Blank::new(&document(html), &["ONE", "TWO"]), None, "{html}");
        }
    }
}
