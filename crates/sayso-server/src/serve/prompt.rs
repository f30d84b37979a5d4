//! A stream whose first bytes must come in time, and whose answers must be taken in time.
//!
//! Which version of HTTP a client speaks is told by its first bytes, and nothing bounds the waiting
//! for them: a client that sends none, or too few, would keep its seat for ever. From then on the
//! time-outs of the protocol count. None of them counts while a client takes nothing, or next to nothing, of
//! what it asked for: the stream does, and fails.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use sayso_core::limits;
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
    /// How long a client may take for [`limits::TAKEN_BYTES_MIN`] of what is written, or for all of it.
    taking: Duration,
    /// When the client must have taken as much; none while it takes everything.
    untaken: Option<Pin<Box<Sleep>>>,
    /// Bytes that it has taken since.
    taken: usize,
}

impl<S> Prompt<S> {
    /// A stream whose first bytes must come within `span`, and whose client takes what it asked for, or so
    /// much of it, within each `taking`.
    pub(super) fn new(stream: S, span: Duration, taking: Duration) -> Self {
        let deadline = Some(Box::pin(tokio::time::sleep(span)));
        Self { stream, read: 0, deadline, taking, untaken: None, taken: 0 }
    }

    /// What writing came to; an error once it has come to too little for too long.
    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.taken = self.taken.saturating_add(*bytes);
            if self.taken >= limits::TAKEN_BYTES_MIN {
                self.took_enough();
            }
        }
        self.in_time(written, context)
    }

    /// What handing all of it over came to.
    fn handed_over(
        &mut self,
        done: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if done.is_ready() {
            self.took_enough();
        }
        self.in_time(done, context)
    }

    fn took_enough(&mut self) {
        (self.untaken, self.taken) = (None, 0);
    }

    fn in_time<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let taking = self.taking;
        if self.untaken.is_none() {
            self.taken = 0;
        }
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
        self.wrote(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.handed_over(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.handed_over(shut, context)
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
    async fn a_client_that_takes_next_to_nothing_is_cut_off_and_one_that_takes_slowly_is_not() {
        const PIECES: usize = 8;
        // Each takes its piece every nine seconds of the ten that it has for as much as is asked for.
        for (piece, may) in
            [(limits::TAKEN_BYTES_MIN, true), (limits::TAKEN_BYTES_MIN / 4, false), (1, false)]
        {
            let (mut client, server) = tokio::io::duplex(16);
            let mut stream = Prompt::new(server, SPAN, SPAN);
            let slow = async {
                for _ in 0..PIECES {
                    let almost = Duration::from_secs(9);
                    drop(tokio::time::timeout(almost, std::future::pending::<()>()).await);
                    client.read_exact(&mut vec![0; piece]).await?;
                }
                Ok::<_, io::Error>(())
            };
            let sent = vec![0; limits::TAKEN_BYTES_MIN * PIECES];
            let (written, _) = tokio::join!(
                async {
                    let written = stream.write_all(&sent).await.map_err(|error| error.kind());
                    drop(stream);
                    written
                },
                slow
            );
            let expected = if may { Ok(()) } else { Err(io::ErrorKind::TimedOut) };
            assert_eq!(written, expected, "{piece} bytes at a time");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_cut_off() {
        let (_client, server) = tokio::io::duplex(16);
        let mut stream = Prompt::new(server, SPAN, SPAN);
        let stuck = stream.write_all(&[0; 64]).await.map_err(|error| error.kind());
        assert_eq!(stuck, Err(io::ErrorKind::TimedOut));
    }
}
