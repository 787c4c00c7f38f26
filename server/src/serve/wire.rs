//! A plain connection: a socket, and files that the kernel sends on it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::assets::{Promises, is_blank};

/// A socket that puts files in the place of their blanks ([`Promises`]).
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    promises: Promises,
}

impl Wire {
    /// `promises` are those that this connection's requests carry.
    pub(super) fn new(stream: TcpStream, promises: Promises) -> Self {
        Self { stream, promises }
    }

    fn poll_keep(&self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let kept = self
                .stream
                .try_io(Interest::WRITABLE, || self.promises.keep(&self.stream, length));
            match kept {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                kept => return Poll::Ready(kept),
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let blanks = slices.iter().filter(|slice| is_blank(slice));
        self.promises.check(blanks.map(|slice| slice.len()).sum())?;
        let ordinary = slices.iter().position(|slice| is_blank(slice)).unwrap_or(slices.len());
        match slices.get(ordinary) {
            Some(blank) if slices[..ordinary].iter().all(|slice| slice.is_empty()) => self.poll_keep(cx, blank.len()),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..ordinary]),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fs::File;
    use std::io::Write as _;
    use std::sync::Arc;

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A wire, what it may be promised, and who is at its other end.
    struct Story {
        wire: Wire,
        promises: Promises,
        file: Arc<File>,
        client: TcpStream,
    }

    impl Story {
        async fn begin() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(b"what the file holds").unwrap();
            let promises = Promises::default();
            Self {
                wire: Wire::new(stream, promises.clone()),
                promises,
                file: Arc::new(file),
                client,
            }
        }

        fn promise(&self, offset: u64, length: usize) -> Bytes {
            self.promises.make(&self.file, offset, length)
        }

        /// Writes as hyper does, until all of it is written.
        async fn write(&mut self, parts: &[&[u8]]) -> io::Result<()> {
            let mut parts: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
            let mut parts = parts.as_mut_slice();
            while !parts.is_empty() {
                let written = self.wire.write_vectored(parts).await?;
                IoSlice::advance_slices(&mut parts, written);
            }
            Ok(())
        }

        /// All that the client got, once the wire is gone.
        async fn got(self) -> String {
            let Self { wire, mut client, .. } = self;
            drop(wire);
            let mut got = String::new();
            client.read_to_string(&mut got).await.unwrap();
            got
        }
    }

    #[tokio::test]
    async fn files_are_sent_in_the_place_of_their_blanks_and_in_order() {
        let mut story = Story::begin().await;
        let (first, second) = (story.promise(9, 4), story.promise(0, 4));
        story
            .write(&[b"<", b"", &first, b"|", &second[..2], &second[2..], b">"])
            .await
            .unwrap();
        let third = story.promise(14, 5);
        story.write(&[&third]).await.unwrap();
        story.write(&[b"."]).await.unwrap();
        assert_eq!(story.got().await, "<file|what>holds.");
    }

    #[tokio::test]
    async fn blanks_that_were_copied_end_the_connection() {
        let mut story = Story::begin().await;
        let copied = story.promise(0, 4).to_vec();
        assert!(story.write(&[b"head", &copied]).await.is_err());
        assert!(story.wire.write_all(&copied).await.is_err());
        assert_eq!(story.got().await, "");
    }

    #[tokio::test]
    async fn blanks_that_were_lost_or_came_twice_end_the_connection() {
        let mut story = Story::begin().await;
        let blanks = story.promise(0, 4);
        for parts in [&[b"head".as_slice()][..], &[&blanks[1..]], &[&blanks, &blanks]] {
            assert!(story.write(parts).await.is_err());
        }
        story.write(&[&blanks]).await.unwrap();
        assert!(story.write(&[&blanks]).await.is_err());
        assert_eq!(story.got().await, "what");
    }

    #[tokio::test]
    async fn a_file_that_ends_before_what_was_promised_ends_the_connection() {
        let mut story = Story::begin().await;
        let blanks = story.promise(14, 6);
        let error = story.write(&[b"<", &blanks, b">"]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(story.got().await, "<holds");
    }

    #[tokio::test]
    async fn a_server_that_copies_bodies_sends_nothing() {
        let Story {
            wire,
            promises,
            file,
            mut client,
        } = Story::begin().await;
        let service = service_fn(move |_: Request<Incoming>| {
            let blanks = promises.make(&file, 0, 4);
            async move { Ok::<_, Infallible>(Response::new(Full::new(blanks))) }
        });
        client.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
        let mut copying = http1::Builder::new();
        let served = copying.writev(false).serve_connection(TokioIo::new(wire), service);
        assert!(served.await.is_err());
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"");
    }
}
