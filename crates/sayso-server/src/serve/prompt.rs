//! A stream whose first bytes must come in time, and whose answers must be taken in time.
//!
//! Which version of HTTP a client speaks is told by its first bytes, and nothing bounds the waiting
//! for them: a client that sends none, or too few, would keep its seat for ever. From then on the
//! time-outs of the protocol count. None of them counts while a client takes nothing of what it asked
//! for: the stream does, and fails.

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
    /// How long a client may take nothing of what is written.
    taking: Duration,
    /// When the client must have taken something; none while it takes everything.
    untaken: Option<Pin<Box<Sleep>>>,
}

impl<S> Prompt<S> {
    /// A stream whose first bytes must come within `span`, and whose client never takes nothing for
    /// longer than `taking`.
    pub(super) fn new(stream: S, span: Duration, taking: Duration) -> Self {
        let deadline = Some(Box::pin(tokio::time::sleep(span)));
        Self { stream, read: 0, deadline, taking, untaken: None }
    }

    /// What writing came to; an error once it has come to nothing for too long.
    fn taken<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.untaken = None;
            return written;
        }
        let taking = self.taking;
        let untaken = self.untaken.get_or_insert_with(|| Box::pin(tokio::time::sleep(taking)));
        match untaken.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
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
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.taken(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.taken(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_flush(context);
        self.taken(written, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_shutdown(context);
        self.taken(written, context)
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
        let mut stream = Prompt::new(server, SPAN, SPAN);
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

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off_and_one_that_takes_slowly_is_not() {
        let (mut client, server) = tokio::io::duplex(16);
        let mut stream = Prompt::new(server, SPAN, SPAN);
        let slow = async {
            for _ in 0..16 {
                let almost = Duration::from_secs(9);
                drop(tokio::time::timeout(almost, std::future::pending::<()>()).await);
                client.read_exact(&mut [0; 4]).await?;
            }
            Ok::<_, io::Error>(())
        };
        let (written, read) = tokio::join!(stream.write_all(&[0; 64]), slow);
        assert!(written.is_ok() && read.is_ok());
        let stuck = stream.write_all(&[0; 64]).await.map_err(|error| error.kind());
        assert_eq!(stuck, Err(io::ErrorKind::TimedOut));
    }
}
