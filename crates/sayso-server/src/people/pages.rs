//! A page as an answer over HTTP: its headers, and the page that says what went wrong.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_pages::language::Language;
use sayso_pages::page::Document;
use sayso_pages::trouble::Trouble;

/// The page with this status. It may be shown inside pages of these origins alone; with none of them,
/// inside no other page.
///
/// Nothing keeps it: what it shows is one person's, or changes with the form.
pub(crate) fn respond(status: StatusCode, document: Document, ancestors: &[&str]) -> Response {
    let ancestors = if ancestors.is_empty() { "'none'".into() } else { ancestors.join(" ") };
    let policy = format!("{}; frame-ancestors {ancestors}", document.policy);
    let mut response = (status, document.html).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The policy is ours and the origins were parsed: they are ASCII.
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The page that says what went wrong and what to do next.
pub(crate) fn fault(trouble: Trouble, headers: &HeaderMap, ancestors: &[&str]) -> Response {
    let status = match trouble {
        Trouble::NotFound => StatusCode::NOT_FOUND,
        Trouble::Closed => StatusCode::GONE,
        Trouble::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Trouble::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    respond(status, trouble.page(reader_language(headers, &Language::ALL)), ancestors)
}

/// The language that the reader's browser asks for, among those offered.
pub(crate) fn reader_language(headers: &HeaderMap, offered: &[Language]) -> Language {
    let liked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(liked.unwrap_or_default(), offered)
}
