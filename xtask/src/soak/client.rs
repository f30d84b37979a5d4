//! A connection that asks one thing after the other, by HTTP/1.1.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};

/// The connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    host: String,
    key: String,
}

impl Client {
    /// Connects to a server that is named by its URL.
    pub(super) fn connect(url: &str, key: &str) -> Result<Self> {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).with_context(|| host.clone())?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host, key: key.to_owned() })
    }

    /// Reads a resource.
    pub(super) fn get(&mut self, path: &str) -> Result<String> {
        let (status, body) = self.ask("GET", path, "")?;
        ensure!(status == 200, "GET {path}: {status} {body}");
        Ok(body)
    }

    /// Says something that is taken. That there is no room for the moment is an answer too.
    pub(super) fn post(&mut self, path: &str, body: &str) -> Result<()> {
        let (status, answer) = self.ask("POST", path, body)?;
        ensure!((200..300).contains(&status) || status == 503, "POST {path}: {status} {answer}");
        Ok(())
    }

    /// Says something that is refused.
    pub(super) fn refused(&mut self, path: &str, body: &str) -> Result<()> {
        let (status, answer) = self.ask("POST", path, body)?;
        ensure!((400..500).contains(&status), "POST {path}: {status} {answer}");
        Ok(())
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, String)> {
        let (host, key, bytes) = (&self.host, &self.key, body.len());
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {bytes}\r\n");
        if !key.is_empty() {
            request.extend(["authorization: Bearer ", key, "\r\n"]);
        }
        request.push_str("content-type: application/json\r\n\r\n");
        request.push_str(body);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let status =
            status.split(' ').nth(1).and_then(|code| code.parse().ok()).context(status.clone())?;
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let header = self.line()?.to_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(bytes) = header.strip_prefix("content-length:") {
                length = bytes.trim().parse()?;
            }
            is_chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
        }
        let body = if is_chunked { self.chunks()? } else { self.exactly(length)? };
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "the server closed the connection");
        Ok(line.trim_end().to_owned())
    }

    fn exactly(&mut self, bytes: usize) -> Result<Vec<u8>> {
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size =
                usize::from_str_radix(self.line()?.split(';').next().unwrap_or_default(), 16)?;
            body.extend(self.exactly(size)?);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}
