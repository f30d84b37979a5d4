//! JSON merge patch (RFC 7396), and members by pattern.

use serde_json::{Map, Value};

/// Changes the members of `target` that `patch` names: an object is merged, `null` takes a member away,
/// all else is put in its place.
pub(super) fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => _ = target.remove(&name),
            Value::Object(patch) => {
                let known = target.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if !known.is_object() {
                    *known = Value::Object(Map::new());
                }
                if let Value::Object(known) = known {
                    merge(known, patch);
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                target.insert(name, value);
            }
        }
    }
}

/// Takes away the member that a pattern names: names between dots, `*` for every member or item.
pub(super) fn strip(members: &mut Map<String, Value>, pattern: &str) {
    let Some((name, rest)) = pattern.split_once('.') else {
        members.remove(pattern);
        return;
    };
    if let Some(value) = members.get_mut(name) {
        strip_within(value, rest);
    }
}

fn strip_within(value: &mut Value, pattern: &str) {
    match (value, pattern.split_once('.')) {
        (Value::Object(members), Some(("*", rest))) => {
            members.values_mut().for_each(|member| strip_within(member, rest));
        }
        (Value::Array(items), Some(("*", rest))) => {
            items.iter_mut().for_each(|item| strip_within(item, rest));
        }
        (Value::Object(members), _) => strip(members, pattern),
        (
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_),
            _,
        ) => {}
    }
}

/// Takes away members that are `null`, at whatever depth: they say the same as absent ones.
pub(super) fn without_nulls(mut members: Map<String, Value>) -> Map<String, Value> {
    members.retain(|_, value| !value.is_null());
    members
        .into_iter()
        .map(|(name, value)| match value {
            Value::Object(inner) => (name, Value::Object(without_nulls(inner))),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => (name, value),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("{value} is no object") };
        members
    }

    /// The cases of RFC 7396, appendix A, that begin with an object and a patch that is one.
    #[test]
    fn patches_are_merged_as_the_standard_shows() {
        for (target, patch, merged) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut target = object(target);
            merge(&mut target, object(patch));
            assert_eq!(Value::Object(target), merged);
        }
    }

    #[test]
    fn a_pattern_names_members_at_every_depth() {
        let mut members = object(json!({
            "id": 1, "notice": { "id": 2, "hash": 3 }, "list": [{ "a": 1, "b": 2 }, 5],
            "map": { "x": { "a": 1 }, "y": { "b": 1 } },
        }));
        for pattern in ["id", "notice.hash", "list.*.a", "map.*.a", "none", "none.*.a"] {
            strip(&mut members, pattern);
        }
        let left = json!({
            "notice": { "id": 2 }, "list": [{ "b": 2 }, 5], "map": { "x": {}, "y": { "b": 1 } },
        });
        assert_eq!(Value::Object(members), left);
    }
}
