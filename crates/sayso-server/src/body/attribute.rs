//! The value of an attribute.

use sayso_core::limits;
use serde_json::Value;

use super::Faults;
use crate::problem::Code;

/// A value as JSON text, unless it is none, which is noted.
pub(crate) fn read(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Box<str>> {
    let text = match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            faults.note(pointer, Code::WrongType, "is no text, number or truth value");
            return None;
        }
    };
    if text.len() > limits::ATTRIBUTE_BYTES_MAX {
        faults.note(pointer, Code::InvalidValue, "is longer than 1024 bytes");
        return None;
    }
    Some(text.into())
}
