//! An answer that needs no body waits for a bounded part of it, so that no client loses the answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode, Version};
use futures_util::stream;
use sayso_core::limits;
use tokio::time::Instant;

use crate::support::TestApp;

const PIECE: usize = 1 << 10;
/// KiB that are read before an answer goes out.
const MOST: usize = limits::UNREAD_BYTES_MAX / PIECE;

/// A body of so many KiB, and how many of them were read.
fn body(pieces: usize) -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let pieces = (0..pieces).map(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(Bytes::from_static(&[b' '; PIECE]))
    });
    (Body::from_stream(stream::iter(pieces)), read)
}

fn call(method: &str, path: &str, kind: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("content-type", kind)
}

#[tokio::test]
async fn what_is_refused_before_its_body_is_read_reads_a_bounded_part_of_it_and_no_more() {
    let app = TestApp::start().await;
    let key = format!("Bearer {}", app.key);
    let json = "application/json";
    let calls = [
        (StatusCode::UNAUTHORIZED, "POST", "/v1/consents", json, "Bearer sk_test_nobody"),
        (StatusCode::NOT_FOUND, "POST", "/v1/consent", json, key.as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "PUT", "/v1/consents", json, key.as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "POST", "/v1/consents", "text/plain", key.as_str()),
        (StatusCode::UNAUTHORIZED, "POST", "/hooks/con_x?token=x", json, key.as_str()),
    ];
    for (status, method, path, kind, key) in calls {
        for (sent, expected) in
            [(1, 1), (1_000, 1_000), (MOST, MOST), (MOST + 1, MOST), (5_000, MOST)]
        {
            let (body, read) = body(sent);
            let request = call(method, path, kind).header("authorization", key).body(body).unwrap();
            let response = app.begin(request).await;
            let read = read.load(Ordering::SeqCst);
            if path.starts_with("/v1") {
                assert_eq!(response.status(), status, "{path}");
                assert_eq!(read, expected, "{path} with {sent} KiB");
            } else {
                assert!(response.status().is_client_error(), "{path}");
                assert!(read >= expected, "{path} with {sent} KiB: {read}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_holds_its_answer_back_for_two_seconds() {
    let app = TestApp::start().await;
    let begun = Instant::now();
    let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let request = call("POST", "/v1/consents", "application/json").body(silent).unwrap();
    assert_eq!(app.begin(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(begun.elapsed().as_secs(), 2);

    let begun = Instant::now();
    let every = tokio::time::interval(Duration::from_millis(100));
    let dripping = stream::unfold(every, |mut every| async {
        every.tick().await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), every))
    });
    let request = call("POST", "/v1/consents", "application/json");
    let request = request.body(Body::from_stream(dripping)).unwrap();
    assert_eq!(app.begin(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn a_client_that_asks_first_is_answered_at_once_and_sends_nothing() {
    let app = TestApp::start().await;
    let (body, read) = body(10);
    let request = call("POST", "/v1/consents", "application/json");
    let request = request.header("expect", "100-continue").body(body).unwrap();
    assert_eq!(app.begin(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(read.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_that_ends_in_a_fault_is_answered_all_the_same() {
    let app = TestApp::start().await;
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
    let request = call("PUT", "/v1/consents", "application/json");
    let request = request.body(Body::from_stream(broken)).unwrap();
    assert_eq!(app.begin(request).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// A request over HTTP/2 by somebody without a key, with a body of so many KiB.
fn over_http_2(pieces: usize) -> (Request<Body>, Arc<AtomicUsize>) {
    let (body, read) = body(pieces);
    let request = call("POST", "/v1/consents", "application/json").version(Version::HTTP_2);
    (request.body(body).unwrap(), read)
}

#[tokio::test]
async fn over_http_2_the_rest_is_read_while_the_answer_is_under_way_up_to_a_bound() {
    let app = TestApp::start().await;
    for (sent, at_first, at_last) in
        [(64, 64, 64), (2_000, MOST, 2_000), (100_000, MOST, MOST + 4_096)]
    {
        let (request, read) = over_http_2(sent);
        let response = app.begin(request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(read.load(Ordering::SeqCst), at_first, "{sent} KiB, before the answer");
        let answer = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(answer.ends_with(b"\"code\":\"unauthorized\"}"), "{answer:?}");
        assert_eq!(read.load(Ordering::SeqCst), at_last, "{sent} KiB, with the answer");
    }
}

#[tokio::test(start_paused = true)]
async fn over_http_2_an_answer_ends_although_its_request_does_not() {
    let app = TestApp::start().await;
    let begun = Instant::now();
    let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let request = call("POST", "/v1/consents", "application/json").version(Version::HTTP_2);
    let response = app.begin(request.body(silent).unwrap()).await;
    assert!(!to_bytes(response.into_body(), usize::MAX).await.unwrap().is_empty());
    assert_eq!(begun.elapsed().as_secs(), 2 + 10);
}
