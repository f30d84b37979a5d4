//! Reading a provider's JSON without trusting any of it.
//!
//! A provider adds fields and kinds without notice, and one odd value must not cost us its
//! neighbors. So nothing is deserialized into a fixed shape: an object is opened one level at a
//! time, each field is asked for by name and kind, and what is absent or of another kind is `None`.
//! Parts that nobody understands keep the very bytes they came in.

use std::collections::BTreeMap;

use sayso_core::limits::{HOOK_BODY_BYTES_MAX, HOOK_JSON_DEPTH_MAX, HOOK_WORD_BYTES_MAX};
use serde_json::value::RawValue;

use crate::call::Malformed;

/// A JSON object, opened one level deep.
pub(crate) struct Object<'a> {
    raw: &'a str,
    fields: BTreeMap<String, &'a RawValue>,
}

impl<'a> Object<'a> {
    /// Reads a whole body that must be an object.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        if body.len() > HOOK_BODY_BYTES_MAX {
            return Err(Malformed::TooLarge);
        }
        if is_too_deep(body) {
            return Err(Malformed::TooDeep);
        }
        let text = str::from_utf8(body).map_err(|_| Malformed::NotJson)?;
        Self::open(text).ok_or(Malformed::NotJson)
    }

    fn open(raw: &'a str) -> Option<Self> {
        serde_json::from_str(raw).ok().map(|fields| Self { raw, fields })
    }

    /// The bytes it was read from.
    pub(crate) const fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether the field is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| value.get() != "null")
    }

    /// A field that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        Self::open(self.fields.get(name)?.get())
    }

    /// A field that is a list; its items as they came.
    pub(crate) fn items(&self, name: &str) -> Option<Vec<Item<'a>>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.fields.get(name)?.get()).ok()?;
        Some(items.into_iter().map(|item| Item(item.get())).collect())
    }

    /// The first item of a list, if it is an object.
    pub(crate) fn first(&self, name: &str) -> Option<Self> {
        self.items(name)?.first()?.object()
    }

    /// A field that is a string, as long as it may be.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.fields.get(name)?.get()).ok()
    }

    /// A field that is an id or a word: a string or a whole number, neither empty nor longer than
    /// [`HOOK_WORD_BYTES_MAX`].
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        let word = self.text(name).or_else(|| Some(self.number(name)?.to_string()))?;
        (1..=HOOK_WORD_BYTES_MAX).contains(&word.len()).then_some(word)
    }

    /// A field that is a whole number, or a string of one: Meta writes times both ways.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.number(name).or_else(|| self.text(name)?.trim().parse().ok())
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.fields.get(name)?.get().parse().ok()
    }
}

/// One item of a list, as it came.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a>(&'a str);

impl<'a> Item<'a> {
    pub(crate) fn object(self) -> Option<Object<'a>> {
        Object::open(self.0)
    }

    pub(crate) const fn raw(self) -> &'a str {
        self.0
    }
}

/// Whether the brackets of a JSON text stand too deep in one another. Strings are skipped, so that
/// what a person wrote is never counted.
fn is_too_deep(body: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > HOOK_JSON_DEPTH_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        let inside = depth - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(inside), "]".repeat(inside))
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_texts_are_no_nesting() {
        assert!(Object::read(nested(HOOK_JSON_DEPTH_MAX).as_bytes()).is_ok());
        let fault = Object::read(nested(HOOK_JSON_DEPTH_MAX + 1).as_bytes()).err();
        assert_eq!(fault, Some(Malformed::TooDeep));
        let text = format!(r#"{{"a":"\"{}"}}"#, "[".repeat(HOOK_JSON_DEPTH_MAX + 1));
        assert!(Object::read(text.as_bytes()).is_ok());
    }

    #[test]
    fn a_body_is_bounded() {
        let mut body = b"{}".to_vec();
        body.resize(HOOK_BODY_BYTES_MAX, b' ');
        assert!(Object::read(&body).is_ok());
        body.push(b' ');
        assert_eq!(Object::read(&body).err(), Some(Malformed::TooLarge));
    }

    #[test]
    fn a_field_of_another_kind_is_absent() {
        let object = Object::read(br#"{"a":1,"b":"2","c":null,"d":{},"e":"","f":1.5}"#).unwrap();
        assert_eq!((object.integer("a"), object.integer("b")), (Some(1), Some(2)));
        assert_eq!((object.word("a").as_deref(), object.word("e")), (Some("1"), None));
        assert_eq!((object.text("a"), object.integer("f")), (None, None));
        assert!(object.object("a").is_none() && object.items("d").is_none());
        assert!(object.has("a") && !object.has("c") && !object.has("g"));
    }
}
