//! A stream whose first bytes must come in time.
//!
//! Which version of HTTP a client speaks is told by its first bytes, and nothing bounds the waiting
//! for them: a client that sends none, or too few, would keep its seat for ever. From then on the
//! time-outs of the protocol count.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Bytes that tell the version: the preface of HTTP/2 (RFC 9113 section 3.4). No request of HTTP/1.1
/// is shorter.
const PREFACE_BYTES: usize = 24;

/// The stream.
pub(super) struct Prompt<S> {
    stream: S,
    read: usize,
    /// When the first bytes must be there; none once they are.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Prompt<S> {
    /// A stream whose first bytes must come within `span`.
    pub(super) fn new(stream: S, span: Duration) -> Self {
        Self { stream, read: 0, deadline: Some(Box::pin(tokio::time::sleep(span))) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read = self.read.saturating_add(buffer.filled().len() - before);
        if self.read >= PREFACE_BYTES {
            self.deadline = None;
        }
        match (polled, self.deadline.as_mut()) {
            (Poll::Pending, Some(deadline)) => match deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
            (polled, _) => polled,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SPAN: Duration = Duration::from_secs(10);

    async fn read_after(sent: &[u8]) -> io::Result<usize> {
        let (mut client, server) = tokio::io::duplex(1_024);
        client.write_all(sent).await?;
        let mut stream = Prompt::new(server, SPAN);
        let mut buffer = [0; 64];
        let first = stream.read(&mut buffer).await?;
        // The client stays, and says nothing more.
        match tokio::time::timeout(SPAN * 2, stream.read(&mut buffer)).await {
            Ok(second) => second,
            Err(_) => Ok(first),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_cut_off() {
        let silent = read_after(b"").await.map_err(|error| error.kind());
        assert_eq!(silent, Err(io::ErrorKind::TimedOut));
        let begun = read_after(b"PRI * HTTP/2.0").await.map_err(|error| error.kind());
        assert_eq!(begun, Err(io::ErrorKind::TimedOut));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_told_its_version_is_left_to_the_protocol() {
        assert_eq!(read_after(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.ok(), Some(24));
    }
}
