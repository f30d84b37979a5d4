//! A client that may misbehave: raw bytes over a socket, so that a body can come late and an answer need not
//! be read.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(40);

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    host: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// From the last byte of the request to the last of the answer.
    pub(crate) took: Duration,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::of("GET", path)
    }

    /// A request without a body.
    pub(crate) fn of(method: &'static str, path: impl Into<String>) -> Self {
        let (path, host) = (path.into(), "localhost".to_owned());
        Self { method, path, host, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn post(path: impl Into<String>, media: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::of("POST", path) }.header("content-type", media)
    }

    pub(crate) fn json(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self::post(path, "application/json", body.to_string())
    }

    /// A merge patch (RFC 7396).
    pub(crate) fn patch(path: impl Into<String>, body: &serde_json::Value) -> Self {
        let patch = Self::post(path, "application/merge-patch+json", body.to_string());
        Self { method: "PATCH", ..patch }
    }

    pub(crate) fn form(path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        Self::post(path, "application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Its body, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Calls the server by another name.
    pub(crate) fn calling(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    pub(crate) fn head(&self, last: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.host);
        for (name, value) in &self.headers {
            head.extend([*name, ": ", value, "\r\n"]);
        }
        format!("{head}content-length: {}\r\nconnection: {last}\r\n\r\n", self.body.len())
    }

    /// Sends it over a connection of its own.
    pub(crate) fn send(&self, to: SocketAddr) -> Result<Answer> {
        self.send_late(to, Duration::ZERO)
    }

    /// Sends its head, and its body that much later.
    pub(crate) fn send_late(&self, to: SocketAddr, later: Duration) -> Result<Answer> {
        let mut stream = connect(to)?;
        stream.write_all(self.head("close").as_bytes())?;
        dawdle(later);
        stream.write_all(&self.body)?;
        let sent = now();
        let mut bytes = Vec::new();
        // A server that closes on a client whose body it does not want resets the connection.
        let ended = stream.read_to_end(&mut bytes);
        let took = sent.elapsed();
        if bytes.is_empty() {
            ended.context("no answer")?;
        }
        Answer::read(&bytes, took)
    }
}

/// The time, for how long an answer takes.
#[expect(clippy::disallowed_methods, reason = "an attack takes the time of answers")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets time pass, as somebody does whose body comes late.
#[expect(clippy::disallowed_methods, reason = "an attack may dawdle: that is what is tried")]
pub(crate) fn dawdle(later: Duration) {
    if !later.is_zero() {
        std::thread::sleep(later);
    }
}

pub(crate) fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A text without its long words, such as tokens and ids.
fn without_chance(text: &str) -> String {
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let words = text.split_inclusive(|letter| !is_of_word(letter));
    let shown = words.map(|word| {
        let plain = word.trim_end_matches(|letter| !is_of_word(letter));
        let is_token = plain.len() >= 16 && plain.bytes().any(|byte| byte.is_ascii_digit());
        if is_token { word.replace(plain, &format!("<{}>", plain.len())) } else { word.to_owned() }
    });
    shown.collect()
}

impl Answer {
    fn read(bytes: &[u8], took: Duration) -> Result<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("no head")?;
        let (head, body) = bytes.split_at(end);
        let head = String::from_utf8_lossy(head).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let body = body.get(4..).unwrap_or_default().to_vec();
        Ok(Self { status: status.context("no status")?, head, body, took })
    }

    /// The body, if it is text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// What somebody sees of it who compares it with another: without what is random in each, and the time.
    pub(crate) fn seen(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in self.head.split("\r\n") {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "date" | "x-request-id" => {}
                "location" => lines.push(format!("location of {} bytes", value.len())),
                _ => lines.push(format!("{name}: {}", without_chance(value))),
            }
        }
        lines.push(without_chance(&self.text()));
        lines.join("\n")
    }

    /// The body as JSON, whatever frames it came in.
    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        let text = String::from_utf8_lossy(&self.body);
        let (from, to) = (text.find('{').context("no JSON")?, text.rfind('}').context("no JSON")?);
        Ok(serde_json::from_str(text.get(from..=to).unwrap_or_default())?)
    }
}
