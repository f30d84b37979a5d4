//! A small HTTP client for one connection of its own.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// One keep-alive connection with an API key.
pub(crate) struct Http {
    sender: SendRequest<Full<Bytes>>,
    address: String,
    key: String,
    origin: Option<String>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Http {
    /// Connects to `address` (`127.0.0.1:1234`).
    pub(crate) async fn connect(address: &str, key: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::task::spawn(connection);
        Some(Self { sender, address: address.to_owned(), key: key.to_owned(), origin: None })
    }

    /// Whom it asks.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Reads something that is no JSON, under the address as others call it.
    pub(crate) async fn bytes(&mut self, path: &str) -> Vec<u8> {
        let request = Request::builder()
            .uri(path)
            .header("host", self.address.as_str())
            .header("authorization", format!("Bearer {}", self.key))
            .body(Full::new(Bytes::new()))
            .unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    /// From now on it asks as a page of this origin does.
    pub(crate) fn origin(&mut self, origin: &str) {
        self.origin = Some(origin.to_owned());
    }

    /// Asks; nothing if the connection ends before the whole answer is there.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let origin = self.origin.as_deref().unwrap_or("null");
        let request = Request::builder()
            .method(method)
            .header("origin", origin)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))
            .unwrap();
        self.sender.ready().await.ok()?;
        let response = self.sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).ok()? };
        Some(Answer { status, body })
    }

    /// Asks a server that is known to live, over a new connection if it closed an idle one.
    pub(crate) async fn must(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        if self.sender.is_closed() {
            let origin = self.origin.take();
            *self = Self::connect(&self.address, &self.key).await.unwrap();
            self.origin = origin;
        }
        self.ask(method, path, body).await.unwrap()
    }
}
