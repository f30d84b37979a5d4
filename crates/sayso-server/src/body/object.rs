//! Objects by field: what a field must be, which fields are known.

use std::collections::BTreeMap;

use sayso_core::limits;
use serde_json::{Map, Value};

use super::{Faults, Pointer};
use crate::problem::Code;

/// A value that can be read from JSON. `None` means that the fault was noted.
pub(crate) trait FromJson: Sized {
    /// Reads it.
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self>;
}

/// The members of an object, taken out by name.
#[derive(Debug)]
pub(crate) struct Members(Map<String, Value>);

/// Declares what an operation takes: one list for reading, for the known names, and for the
/// OpenAPI document. Every field may be absent or `null` here; the operation says what it needs.
macro_rules! json_object {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub(crate) struct $name { $($(#[$field_meta])* pub(crate) $field: Option<$kind>,)+ }

        impl $crate::body::FromJson for $name {
            fn from_json(
                value: serde_json::Value,
                at: &$crate::body::Pointer<'_>,
                faults: &mut $crate::body::Faults,
            ) -> Option<Self> {
                let mut members = $crate::body::Members::of(value, at, faults)?;
                let read = Self { $($field: members.take(stringify!($field), at, faults),)+ };
                members.refuse_rest(&[$(stringify!($field)),+], at, faults);
                Some(read)
            }
        }
    };
}
pub(crate) use json_object;

impl Members {
    /// The members, if the value is an object.
    pub(crate) fn of(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::Object(members) = value else {
            return wrong_type(&value, "an object", at, faults);
        };
        Some(Self(members))
    }

    /// Reads the member of this name; absent and `null` are the same.
    pub(crate) fn take<T: FromJson>(
        &mut self,
        name: &str,
        at: &Pointer<'_>,
        faults: &mut Faults,
    ) -> Option<T> {
        match self.0.remove(name) {
            None | Some(Value::Null) => None,
            Some(value) => T::from_json(value, &Pointer::Member(at, name), faults),
        }
    }

    /// Refuses what is left, and proposes the nearest known name.
    pub(crate) fn refuse_rest(self, known: &[&str], at: &Pointer<'_>, faults: &mut Faults) {
        if self.0.is_empty() {
            return;
        }
        // Those that are misspelled first, since of many not all are told.
        let compared = self.0.keys().filter(|name| name.len() <= limits::NAME_BYTES_MAX);
        let compared = compared.take(limits::NAMES_COMPARED_MAX);
        let near: BTreeMap<&str, &str> =
            compared.filter_map(|name| Some((name.as_str(), nearest(name, known)?))).collect();
        for (name, near) in &near {
            let fault = format!("is unknown; did you mean {near}?");
            faults.note_with_example(Pointer::Member(at, name), Code::UnknownField, fault, near);
        }
        let fault = format!("is unknown; the known ones are {}", known.join(", "));
        let others = || self.0.keys().filter(|name| !near.contains_key(name.as_str()));
        for name in others().take(limits::FAULTS_MAX) {
            faults.note(Pointer::Member(at, name), Code::UnknownField, &fault);
        }
        let more = others().count().saturating_sub(limits::FAULTS_MAX);
        faults.count_unknown(at, u64::try_from(more).unwrap_or(u64::MAX));
    }
}

/// The known name that is most like this one, if any is like it.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    let name = plain(name);
    let (distance, near) = known
        .iter()
        .map(|candidate| (strsim::levenshtein(&name, &plain(candidate)), *candidate))
        .min()?;
    (distance <= 1 + name.chars().count() / 4).then_some(near)
}

/// Notes that a value is of another type than it should be.
pub(crate) fn wrong_type<T>(
    value: &Value,
    wanted: &str,
    at: &Pointer<'_>,
    faults: &mut Faults,
) -> Option<T> {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    faults.note(at, Code::WrongType, format!("is {given}, and should be {wanted}"));
    None
}

impl FromJson for String {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::String(text) = value else {
            return wrong_type(&value, "a text", at, faults);
        };
        Some(text)
    }
}

impl FromJson for bool {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let written = value.as_str().filter(|_| at.is_in_query());
        let truth = value.as_bool().or(written.and_then(|text| text.parse().ok()));
        truth.or_else(|| wrong_type(&value, "true or false", at, faults))
    }
}

impl FromJson for u32 {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let written = value.as_str().filter(|_| at.is_in_query());
        let number = value.as_u64().or(written.and_then(|text| text.parse().ok()));
        let number = number.and_then(|number| Self::try_from(number).ok());
        number.or_else(|| wrong_type(&value, "a whole number from 0 to 4294967295", at, faults))
    }
}

impl FromJson for Value {
    fn from_json(value: Value, _at: &Pointer<'_>, _faults: &mut Faults) -> Option<Self> {
        Some(value)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let Value::Array(items) = value else {
            return wrong_type(&value, "a list", at, faults);
        };
        let read = items
            .into_iter()
            .enumerate()
            .filter_map(|(index, item)| T::from_json(item, &Pointer::Item(at, index), faults));
        Some(read.collect())
    }
}

/// One value, or a list of values of which the first is preferred.
#[derive(Debug)]
pub(crate) struct OneOrMore<T>(pub(crate) Vec<T>);

impl<T: FromJson> FromJson for OneOrMore<T> {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        if value.is_array() {
            return Vec::from_json(value, at, faults).map(Self);
        }
        T::from_json(value, at, faults).map(|one| Self(vec![one]))
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let Members(members) = Members::of(value, at, faults)?;
        let read = members.into_iter().filter_map(|(name, value)| {
            let read = T::from_json(value, &Pointer::Member(at, &name), faults)?;
            Some((name, read))
        });
        Some(read.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_name_is_proposed() {
        let known = ["occurred_at", "phone", "standing", "statement"];
        assert_eq!(nearest("occured_at", &known), Some("occurred_at"));
        assert_eq!(nearest("occurredAt", &known), Some("occurred_at"));
        assert_eq!(nearest("Phone", &known), Some("phone"));
        assert_eq!(nearest("msisdn", &known), None);
    }
}
