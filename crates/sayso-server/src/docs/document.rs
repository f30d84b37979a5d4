//! The OpenAPI 3.1 document: what the handlers say of themselves, and what holds for all of them.

use std::collections::BTreeMap;

use sayso_core::workspace::KeyScope;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Server};
use utoipa_axum::router::OpenApiRouter;

use crate::problem::MEDIA_TYPE;
use crate::{api, people};

const ABOUT: &str = "Sayso records who agreed to receive what, on which channel and from which \
    sender; it can prove it; and no message leaves without it.\n\nErrors are RFC 9457 problems with \
    a stable `code`; the list is at `/docs/problems`. Times are RFC 3339 in UTC. What \
    records or makes something takes an `Idempotency-Key`; all other writes may simply be repeated. \
    What is configured has an `ETag`, takes `If-Match`, and is changed as a whole with `PUT`, which takes what \
    `GET` gave, or in part with `PATCH`. \
    Lists come in pages: `next` of one is `cursor` of the other. Unknown fields are refused.";

/// The document as text, for `openapi.json`.
pub fn openapi() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The names of each object's fields in the order in which the code declares them, which is the
/// order to read them in. The document as a [`Value`] has them by the alphabet.
#[derive(Debug, Default)]
pub(super) struct FieldOrder(BTreeMap<String, Vec<String>>);

impl FieldOrder {
    /// The order that the code gives.
    pub(super) fn declared() -> Self {
        let schemas = written().components.map(|components| components.schemas);
        let fields = |schema| {
            // What is no object has no fields.
            let RefOr::T(Schema::Object(object)) = schema else { return Vec::new() };
            object.properties.into_iter().map(|(name, _)| name).collect()
        };
        let schemas = schemas.into_iter().flatten();
        Self(schemas.map(|(name, schema)| (name, fields(schema))).collect())
    }

    /// The place of a field among those of a schema; after them if the code does not declare it.
    pub(super) fn place(&self, schema: &str, field: &str) -> usize {
        let fields = self.0.get(schema).map(Vec::as_slice).unwrap_or_default();
        fields.iter().position(|name| name == field).unwrap_or(usize::MAX)
    }
}

/// The document.
pub(crate) fn document() -> Value {
    let mut document = serde_json::to_value(written()).unwrap_or_default();
    for operation in operations_mut(&mut document) {
        add_common_responses(operation);
        open_patch(operation);
    }
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        if name.ends_with("Request") {
            close(schema);
        }
    }
    document
}

/// What the handlers say of themselves.
fn written() -> OpenApi {
    let scopes: Vec<String> = KeyScope::ALL
        .iter()
        .map(|scope| format!("- `{}`: {}", scope.as_str(), scope.about()))
        .collect();
    let described = format!(
        "An API key: `Authorization: Bearer sk_live_…`. The scope an operation needs stands beside it. The scopes:\n\n{}",
        scopes.join("\n")
    );
    let key =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(described)).build();
    let base = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Sayso")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .build(),
        )
        .servers(Some([Server::new("/")]))
        .components(Some(
            ComponentsBuilder::new().security_scheme("api_key", SecurityScheme::Http(key)).build(),
        ))
        .build();
    let (_, written) = OpenApiRouter::with_openapi(base)
        .merge(api::routes())
        .merge(people::routes())
        .split_for_parts();
    written
}

/// Says of a merge patch that it may hold any member of what it changes, and none of them must be there.
/// What it comes to is judged as a whole.
fn open_patch(operation: &mut Map<String, Value>) {
    let media = operation
        .get_mut("requestBody")
        .and_then(|body| body.pointer_mut("/content/application~1merge-patch+json"))
        .and_then(Value::as_object_mut);
    let Some(media) = media else { return };
    let about =
        "Any of the members that `PUT` takes, to be changed; `null` takes one away (RFC 7396).";
    media.insert("schema".to_owned(), json!({ "type": "object", "description": about }));
}

/// Says of what a client sends that unknown fields are refused, and which ones are required: those
/// whose description ends so. In the code every field may be absent, so that all faults are found.
fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    let mut required = Vec::new();
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in fields.into_iter().flatten() {
        if !description(field).ends_with("Required.") {
            continue;
        }
        required.push(Value::from(name.as_str()));
        let real = field.pointer("/oneOf/0").cloned();
        if let Some(real) = real {
            *field = real;
        } else if let Some(word) = field.pointer("/type/0").cloned()
            && let Some(field) = field.as_object_mut()
        {
            field.insert("type".to_owned(), word);
        }
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
}

/// What a field says of itself, or beside the reference to its type.
pub(super) fn description(field: &Value) -> &str {
    let own = field.get("description").or_else(|| field.pointer("/oneOf/0/description"));
    own.and_then(Value::as_str).unwrap_or_default()
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    items.flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// Adds the problems that every operation of its kind may answer.
fn add_common_responses(operation: &mut Map<String, Value>) {
    let secured = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|needs| needs.iter().any(|need| need.get("api_key").is_some()));
    let has_body = operation.contains_key("requestBody");
    let has_parameters = operation.contains_key("parameters");
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let common = [
        (
            "400",
            has_body || has_parameters,
            "The request cannot be read: no JSON, no UTF-8, nested too deeply, or a query that is none.",
        ),
        ("401", secured, "No valid API key."),
        ("403", secured, "The API key may not do this."),
        ("408", has_body, "The body came too slowly."),
        ("413", has_body, "The body is too large, or has too many items."),
        ("415", has_body && secured, "The body is of a type that this operation does not read."),
        ("422", has_body || has_parameters, "Fields are wrong; `errors` names every one of them."),
        ("429", true, "Too many requests; `retry-after` says when to come back."),
        (
            "500",
            true,
            "The server made a mistake, or consent cannot be read. Nothing is allowed meanwhile.",
        ),
        (
            "503",
            true,
            "The server is busy, cannot write, or is stopping; `retry-after` says when to come back.",
        ),
    ];
    for (status, applies, description) in common {
        if applies && !responses.contains_key(status) {
            responses.insert(status.to_owned(), json!({ "description": description }));
        }
    }
    for (status, response) in responses.iter_mut() {
        let is_problem = status.starts_with(['4', '5']);
        let written_as_problem = response.pointer("/content/application~1json/schema/$ref")
            == Some(&json!("#/components/schemas/Problem"));
        if is_problem && (response.get("content").is_none() || written_as_problem) {
            let mut content = Map::new();
            content.insert(
                MEDIA_TYPE.to_owned(),
                json!({ "schema": { "$ref": "#/components/schemas/Problem" } }),
            );
            if let Some(response) = response.as_object_mut() {
                response.insert("content".to_owned(), Value::Object(content));
            }
        }
    }
}
