//! A page's flags and identifiers, as pages write them.
//!
//! A no is taken in every spelling that can only be a no: what a template or a tag manager makes of
//! `false` is no reason to go on writing to somebody. A yes is `true` alone, and no fault advises it.

use sayso_core::words::statement::Statement;
use serde_json::{Number, Value};

use crate::body::{Faults, no};
use crate::problem::Code;

/// The words of a yes, which only `true` is.
const YES: [&str; 10] =
    ["true", "yes", "y", "t", "on", "optin", "optedin", "subscribed", "agree", "agreed"];

/// A flag, unless it is absent, empty, or neither a yes nor a no, which is noted.
pub(super) fn flag(value: Option<Value>, pointer: &str, faults: &mut Faults) -> Option<Statement> {
    let value = value?;
    let fault = match &value {
        Value::Bool(true) => return Some(Statement::Yes),
        Value::Null => return None,
        Value::String(text) if text.trim().is_empty() => return None,
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)
            if is_no(&value) =>
        {
            return Some(Statement::No);
        }
        Value::Number(_) => "is a number; only true is a yes",
        Value::String(text) if YES.contains(&no::plain(text).as_str()) => {
            "is text; only true without quotes is a yes"
        }
        Value::Bool(false) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            "is neither a yes nor a no: true and false are"
        }
    };
    faults.note(pointer, Code::WrongType, fault);
    None
}

/// Whether a value can only be a no.
fn is_no(value: &Value) -> bool {
    match value {
        Value::Bool(said) => !said,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => no::is_no(text),
        Value::Array(items) => matches!(&items[..], [only] if is_no(only)),
        Value::Null | Value::Object(_) => false,
    }
}

/// A text, unless it is absent, empty, or no text, which is noted.
pub(super) fn text(
    value: Option<Value>,
    (pointer, example): (&str, &str),
    faults: &mut Faults,
) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            faults.note_with_example(pointer, Code::WrongType, "is no text", example);
            None
        }
    }
}

/// A text that may have been taken for a number on its way: a phone, a customer's own id.
pub(super) fn digits_or_text(
    value: Option<Value>,
    of: (&str, &str),
    faults: &mut Faults,
) -> Option<String> {
    let whole = match &value {
        Some(Value::Number(number)) => digits(number),
        Some(_) | None => None,
    };
    text(whole.map(Value::String).or(value), of, faults)
}

/// The digits of a whole number, however it is written.
fn digits(number: &Number) -> Option<String> {
    let whole =
        |number: f64| (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number);
    number
        .as_u64()
        .map(|number| number.to_string())
        .or_else(|| Some(format!("{:.0}", whole(number.as_f64()?)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(value: Value) -> (Option<Statement>, usize) {
        let mut faults = Faults::default();
        let said = flag(Some(value), "/user/sms_optin", &mut faults);
        (said, faults.into_errors().len())
    }

    #[test]
    fn a_no_is_a_no_in_every_spelling_and_a_yes_in_one() {
        for no in [
            json!(false),
            json!("false"),
            json!("FALSE"),
            json!(" False "),
            json!("no"),
            json!("N"),
            json!("0"),
            json!(0),
            json!(0.0),
            json!("0.0"),
            json!("off"),
            json!("f"),
            json!("nein"),
            json!("\"false\""),
            json!("opt-out"),
            json!("Unsubscribed"),
            json!(["false"]),
        ] {
            assert_eq!(said(no.clone()), (Some(Statement::No), 0), "{no}");
        }
        for nothing in [json!(null), json!(""), json!("  ")] {
            assert_eq!(said(nothing.clone()), (None, 0), "{nothing}");
        }
        for fault in [json!("true"), json!("yes"), json!(1), json!("maybe"), json!({}), json!([])] {
            assert_eq!(said(fault.clone()), (None, 1), "{fault}");
        }
        assert_eq!(said(json!(true)), (Some(Statement::Yes), 0));
    }

    #[test]
    fn a_phone_that_became_a_number_keeps_its_digits() {
        let read = |value| {
            let mut faults = Faults::default();
            digits_or_text(Some(value), ("/user/phone_number", "+14155550123"), &mut faults)
        };
        assert_eq!(read(json!(14_155_550_101_u64)).as_deref(), Some("14155550101"));
        assert_eq!(read(json!(14_155_550_101.0)).as_deref(), Some("14155550101"));
        assert_eq!(read(json!(1.5)), None);
        assert_eq!(read(json!(" +14155550101 ")).as_deref(), Some("+14155550101"));
    }
}
