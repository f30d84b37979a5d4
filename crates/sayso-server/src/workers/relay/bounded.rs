//! A connection to a relay of which only so much is read for each thing that is said.
//!
//! The library that speaks SMTP looks at a line once it has all of it. A relay that never ends its line
//! would fill the memory as fast as the network is, until the time-out.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::io::{AsyncRead as ReadEncrypted, AsyncWrite as WriteEncrypted};
use lettre::transport::smtp::Error as SmtpError;
#[expect(deprecated, reason = "the only way to encrypt a stream that we bounded")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::{AsyncTokioStream, TlsParameters};
use sayso_core::limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The connection.
#[derive(Debug)]
pub(super) struct Bounded {
    stream: TcpStream,
    /// What may still be read before something is said.
    left: usize,
}

/// The connection, encrypted from its beginning.
#[derive(Debug)]
#[expect(deprecated, reason = "as above")]
struct Encrypted(AsyncNetworkStream);

impl Bounded {
    /// A connection that nothing was said on yet.
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, left: limits::SMTP_REPLY_BYTES_MAX }
    }

    /// The connection as the library takes it, encrypted at once if it is to be.
    pub(super) async fn opened(
        self,
        tls: Option<TlsParameters>,
    ) -> Result<Box<dyn AsyncTokioStream>, SmtpError> {
        let stream: Box<dyn AsyncTokioStream> = Box::new(self);
        let Some(tls) = tls else { return Ok(stream) };
        #[expect(deprecated, reason = "as above")]
        let mut stream = AsyncNetworkStream::use_existing_tokio1(stream);
        stream.upgrade_tls(tls).await?;
        Ok(Box::new(Encrypted(stream)))
    }
}

impl AsyncTokioStream for Bounded {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        match self.left.checked_sub(buffer.filled().len() - before) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(io::Error::other("the relay's reply is too long"))),
        }
        polled
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.left = limits::SMTP_REPLY_BYTES_MAX;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read =
            ReadEncrypted::poll_read(Pin::new(&mut self.0), context, buffer.initialize_unfilled());
        read.map_ok(|read| buffer.advance(read))
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        WriteEncrypted::poll_write(Pin::new(&mut self.0), context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        WriteEncrypted::poll_flush(Pin::new(&mut self.0), context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        WriteEncrypted::poll_close(Pin::new(&mut self.0), context)
    }
}
