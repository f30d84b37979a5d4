//! The reference page, from the OpenAPI document, and the page of problems.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{FieldOrder, description, document};
use super::html::Html;
use crate::problem::Code;

/// How deep fields of fields are shown.
const DEPTH_MAX: usize = 4;

/// What the page is made from.
struct Source {
    document: Value,
    order: FieldOrder,
}

/// One operation.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    body: &'a Value,
}

/// The reference page.
pub(super) fn page() -> String {
    let source = Source { document: document(), order: FieldOrder::declared() };
    let mut html = Html::default();
    begin(&mut html, "API reference");
    let by_tag = by_tag(&source.document);
    let menu = |html: &mut Html| {
        for (tag, operations) in &by_tag {
            html.raw("<h2>").text(tag).raw("</h2><ul>\n");
            operations.iter().for_each(|one| menu_item(html, one.id(), one.summary()));
            html.raw("</ul>\n");
        }
    };
    let further = "<p><a href=\"/docs/problems\">Problems</a> · <a href=\"/openapi.json\">openapi.json</a></p>";
    navigation(&mut html, "Operations", menu, further);
    html.raw("<main><h1>API reference</h1>\n");
    let about = source.document.pointer("/info/description").and_then(Value::as_str);
    html.prose(about.unwrap_or_default());
    for operation in by_tag.values().flatten() {
        operation.render(&source, &mut html);
    }
    html.raw("</main></body></html>\n");
    html.finish()
}

/// The page that explains every problem.
pub(super) fn problems_page() -> String {
    let mut html = Html::default();
    begin(&mut html, "Problems");
    let menu = |html: &mut Html| {
        html.raw("<ul>\n");
        Code::ALL.iter().for_each(|code| menu_item(html, code.as_str(), code.as_str()));
        html.raw("</ul>\n");
    };
    navigation(&mut html, "Problems", menu, "<p><a href=\"/docs\">API reference</a></p>");
    html.raw("<main><h1>Problems</h1>\n");
    html.prose("Errors are RFC 9457 problems with a stable `code`. Where fields are wrong, `errors` names every one of them.");
    for code in Code::ALL {
        html.raw("<section id=\"")
            .text(code.as_str())
            .raw("\"><h2>")
            .text(code.title())
            .raw("</h2>\n<p><code>");
        html.text(code.as_str()).raw("</code> · ").number(code.status().as_u16()).raw("</p>\n");
        html.prose(code.meaning())
            .raw("<p><b>What to do.</b> ")
            .inline(code.remedy())
            .raw("</p></section>\n");
    }
    html.raw("</main></body></html>\n");
    html.finish()
}

fn begin(html: &mut Html, title: &str) {
    html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\"><title>").text(title);
    html.raw(" – Sayso</title><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>\n");
}

/// The menu, twice: open beside the text where there is room, folded above it where there is not.
/// The style shows one of them; a folded one cannot be opened by style alone in every browser.
fn navigation(
    html: &mut Html,
    label: &'static str,
    menu: impl Fn(&mut Html),
    further: &'static str,
) {
    html.raw("<nav aria-label=\"").raw(label);
    html.raw("\"><p class=\"brand\"><a href=\"/docs\">Sayso</a></p>\n");
    html.raw("<details class=\"folded\"><summary>").raw(label).raw("</summary>\n");
    menu(html);
    html.raw("</details>\n<div class=\"open\">\n");
    menu(html);
    html.raw("</div>\n").raw(further).raw("</nav>\n");
}

fn menu_item(html: &mut Html, id: &str, words: &str) {
    html.raw("<li><a href=\"#").text(id).raw("\">").text(words).raw("</a></li>\n");
}

/// Operations by their tag, in the order of the document within each.
fn by_tag(document: &Value) -> BTreeMap<&str, Vec<Operation<'_>>> {
    let mut by_tag: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, item) in paths {
        for (method, body) in item.as_object().into_iter().flatten() {
            let tag = body.pointer("/tags/0").and_then(Value::as_str).unwrap_or("Other");
            by_tag.entry(tag).or_default().push(Operation { path, method, body });
        }
    }
    by_tag
}

/// What a reference names, or the value itself.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    resolve_named(document, "", schema).1
}

/// The same with the name of the schema, if it has one.
fn resolve_named<'a>(
    document: &'a Value,
    name: &'a str,
    schema: &'a Value,
) -> (&'a str, &'a Value) {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let named = reference.and_then(|path| document.pointer(path.trim_start_matches('#')));
    let name = reference.and_then(|path| path.rsplit('/').next()).unwrap_or(name);
    let chosen = named.unwrap_or(schema);
    let alternatives = chosen.get("oneOf").or(chosen.get("anyOf")).and_then(Value::as_array);
    let real = alternatives
        .into_iter()
        .flatten()
        .find(|one| one.get("type") != Some(&Value::from("null")));
    match real {
        Some(real) => resolve_named(document, name, real),
        None => (name, chosen),
    }
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The type of a schema in words.
fn type_word(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    let word = types.into_iter().find(|word| *word != "null").unwrap_or("any");
    match schema.get("items") {
        Some(items) if word == "array" => format!("list of {}", type_word(document, items)),
        Some(_) | None => word.to_owned(),
    }
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text_of(self.body, "operationId")
    }

    fn summary(&self) -> &str {
        text_of(self.body, "summary").trim_end_matches('.')
    }

    fn scope(&self) -> Option<&str> {
        self.body.pointer("/security/0/api_key/0").and_then(Value::as_str)
    }

    fn render(&self, source: &Source, html: &mut Html) {
        html.raw("<section id=\"")
            .text(self.id())
            .raw("\"><h2>")
            .text(self.summary())
            .raw("</h2>\n");
        html.raw("<p class=\"call\"><b>").text(&self.method.to_uppercase()).raw("</b> <code>");
        html.text(self.path).raw("</code>");
        if let Some(scope) = self.scope() {
            html.raw(" <span class=\"scope\">scope ").text(scope).raw("</span>");
        }
        html.raw("</p>\n").prose(text_of(self.body, "description"));
        self.render_parameters(&source.document, html);
        if let Some(schema) = self.request_schema() {
            html.raw("<h3>Body</h3>\n");
            if schema.get("$ref").is_none() {
                html.prose(text_of(schema, "description"));
            }
            render_fields(source, schema, DEPTH_MAX, html);
        }
        self.render_responses(source, html);
        html.raw("</section>\n");
    }

    fn request_schema(&self) -> Option<&Value> {
        let content = self.body.pointer("/requestBody/content")?.as_object()?;
        content.values().next()?.get("schema")
    }

    fn render_parameters(&self, document: &Value, html: &mut Html) {
        let Some(parameters) = self.body.get("parameters").and_then(Value::as_array) else {
            return;
        };
        html.raw("<h3>Parameters</h3>\n<dl>\n");
        for parameter in parameters {
            html.raw("<dt><code>")
                .text(text_of(parameter, "name"))
                .raw("</code> <span class=\"type\">");
            html.text(text_of(parameter, "in")).raw(", ");
            html.text(&type_word(document, parameter.get("schema").unwrap_or(&Value::Null)));
            html.raw("</span></dt><dd>").inline(text_of(parameter, "description"));
            render_values(document, parameter.get("schema").unwrap_or(&Value::Null), html);
            html.raw("</dd>\n");
        }
        html.raw("</dl>\n");
    }

    fn render_responses(&self, source: &Source, html: &mut Html) {
        html.raw("<h3>Answers</h3>\n");
        let responses = self.body.get("responses").and_then(Value::as_object).into_iter().flatten();
        for (status, response) in responses {
            let schema = response.pointer("/content").and_then(Value::as_object);
            let schema = schema
                .and_then(|content| content.values().next())
                .and_then(|media| media.get("schema"));
            let good = status.starts_with('2');
            html.raw("<p class=\"answer\"><b>")
                .text(status)
                .raw("</b> ")
                .inline(text_of(response, "description"))
                .raw("</p>\n");
            if let Some(schema) = schema.filter(|_| good) {
                render_fields(source, schema, DEPTH_MAX, html);
            }
        }
    }
}

/// The words that a value, or each item of a list, may be, where they are few.
fn render_values(document: &Value, schema: &Value, html: &mut Html) {
    let mut schema = resolve(document, schema);
    while let Some(items) = schema.get("items") {
        schema = resolve(document, items);
    }
    let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    for (place, word) in words.filter_map(Value::as_str).enumerate() {
        html.raw(if place == 0 { " <span class=\"type\">One of " } else { ", " });
        html.raw("<code>").text(word).raw("</code>");
    }
    if schema.get("enum").is_some() {
        html.raw(".</span>");
    }
}

/// The fields of an object, or of the items of a list, each with those inside it.
fn render_fields(source: &Source, schema: &Value, depth: usize, html: &mut Html) {
    let document = &source.document;
    let (mut schema_name, mut schema) = resolve_named(document, "", schema);
    while let Some(items) = schema.get("items") {
        (schema_name, schema) = resolve_named(document, "", items);
    }
    let Some(fields) = schema.get("properties").and_then(Value::as_object) else { return };
    if depth == 0 {
        return;
    }
    let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| source.order.place(schema_name, name));
    html.raw("<dl>\n");
    for (name, field) in fields {
        html.raw("<dt><code>").text(name).raw("</code> <span class=\"type\">");
        html.text(&type_word(document, field)).raw("</span></dt><dd>");
        let own = description(field);
        html.inline(if own.is_empty() {
            text_of(resolve(document, field), "description")
        } else {
            own
        });
        render_values(document, field, html);
        render_fields(source, field, depth - 1, html);
        html.raw("</dd>\n");
    }
    html.raw("</dl>\n");
}
