//! A part of a file as a body. What is in the page cache is left to the connection, where that can send files; else it is
//! read in place: no thread is changed, and buffers are used again. Only what must come from the disk is read on a thread
//! that may wait.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use rustix::io::{ReadWriteFlags, preadv2};

use super::promise::{PIECE_BYTES, Promises};
use crate::metrics::Metrics;

/// Read at a time: large enough that a chunk's own cost is lost in it, small enough to stay in a processor's cache, and
/// for a thousand clients.
const CHUNK_BYTES: usize = 256 << 10;
/// How densely the page cache is probed. It is filled from a disk by more than this at a time.
const PROBE_BYTES: usize = 64 << 10;

/// What is sent, and how far it is.
struct Reading {
    file: Arc<File>,
    spare: Arc<Spare>,
    offset: u64,
    left: u64,
    metrics: Arc<Metrics>,
    promises: Option<Promises>,
}

/// Buffers that were handed back.
#[derive(Default)]
struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_else(|| vec![0; CHUNK_BYTES])
    }
}

/// A buffer on its way: it comes back when the connection has taken it.
struct Lent {
    buffer: Vec<u8>,
    length: usize,
    home: Arc<Spare>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut spare = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(std::mem::take(&mut self.buffer));
    }
}

/// `length` bytes of `file` from `offset` on. A file that ends before is an error: the connection breaks off. With
/// `promises` the body is for their connection only.
pub(crate) fn body(file: File, offset: u64, length: u64, metrics: Arc<Metrics>, promises: Option<Promises>) -> Body {
    let reading = Reading {
        file: Arc::new(file),
        spare: Arc::default(),
        offset,
        left: length,
        metrics,
        promises,
    };
    Body::from_stream(stream::try_unfold(reading, Reading::next))
}

impl Reading {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.left == 0 {
            return Ok(None);
        }
        if let Some(promised) = self.promise() {
            return Ok(Some((promised, self)));
        }
        let wanted = self.at_most(CHUNK_BYTES);
        let mut buffer = self.spare.take();
        let in_place = cached(&self.file, &mut buffer[..wanted], self.offset);
        let read = if let Some(read) = in_place {
            read
        } else {
            let (file, offset) = (Arc::clone(&self.file), self.offset);
            let waiting = tokio::task::spawn_blocking(move || {
                let read = file.read_at(&mut buffer[..wanted], offset);
                (buffer, read)
            });
            let (filled, read) = waiting.await.map_err(io::Error::other)?;
            buffer = filled;
            read?
        };
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.advance(read);
        let lent = Lent {
            buffer,
            length: read,
            home: Arc::clone(&self.spare),
        };
        Ok(Some((Bytes::from_owner(lent), self)))
    }

    /// The next piece, if the connection can send it without waiting for a disk.
    fn promise(&mut self) -> Option<Bytes> {
        let promises = self.promises.as_ref()?;
        let wanted = self.at_most(PIECE_BYTES);
        if !is_cached(&self.file, self.offset, wanted) {
            return None;
        }
        let blanks = promises.make(&self.file, self.offset, wanted);
        self.advance(blanks.len());
        Some(blanks)
    }

    fn at_most(&self, most: usize) -> usize {
        usize::try_from(self.left).map_or(most, |left| left.min(most))
    }

    fn advance(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(0);
        self.offset += bytes;
        self.left -= bytes;
        self.metrics.asset_sent_bytes.inc_by(bytes);
    }
}

/// Whether `length` bytes from `offset` on are in the page cache, as far as samples tell. A hole that they miss, and what
/// leaves it before the client takes it, is read from the disk as it is sent: a thread waits for a mebibyte at most.
fn is_cached(file: &File, offset: u64, length: usize) -> bool {
    let mut probes = (0..length).step_by(PROBE_BYTES).chain(length.checked_sub(1));
    probes.all(|at| cached(file, &mut [0], offset + at as u64).is_some())
}

/// What is in the page cache; none when it must be waited for, or the file system does not tell.
fn cached(file: &File, buffer: &mut [u8], offset: u64) -> Option<usize> {
    let read = preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT);
    read.ok().filter(|read| *read > 0)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::StreamExt as _;
    use rustix::fs::{Advice, fadvise, fsync};

    use super::*;
    use crate::assets::is_blank;

    #[tokio::test]
    async fn every_byte_comes_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..251_u8).cycle().take(3 * CHUNK_BYTES + 17).collect();
        std::fs::write(&path, &bytes).unwrap();
        for (offset, length) in [(0, bytes.len()), (1, bytes.len() - 1), (CHUNK_BYTES - 1, 2), (5, 0)] {
            let open = File::open(&path).unwrap();
            let body = body(open, offset as u64, length as u64, Arc::default(), None);
            let read = to_bytes(body, usize::MAX).await.unwrap();
            assert!(read == bytes[offset..offset + length], "{length} from {offset}");
        }
    }

    /// Which chunks are promised, and which are read.
    async fn is_promised(file: &File, length: usize) -> Vec<bool> {
        let file = file.try_clone().unwrap();
        let body = body(file, 0, length as u64, Arc::default(), Some(Promises::default()));
        let chunks: Vec<Bytes> = body.into_data_stream().map(Result::unwrap).collect().await;
        assert_eq!(chunks.iter().map(Bytes::len).sum::<usize>(), length);
        let is_right = |chunk: &Bytes| is_blank(chunk) || chunk.iter().all(|byte| *byte == b'x');
        assert!(chunks.iter().all(is_right));
        chunks.iter().map(|chunk| is_blank(chunk)).collect()
    }

    #[tokio::test]
    async fn what_is_in_the_page_cache_is_promised_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, length) = (folder.path().join("file"), 2 * PIECE_BYTES + 17);
        std::fs::write(&path, vec![b'x'; length]).unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(is_promised(&file, length).await, [true; 3]);
        fsync(&file).unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        assert!(!is_promised(&file, length).await[0], "it is on the disk only");
    }

    #[tokio::test]
    async fn a_file_that_was_cut_breaks_off_and_is_not_filled_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"short").unwrap();
        let body = body(File::open(&path).unwrap(), 0, 10, Arc::default(), None);
        assert!(to_bytes(body, usize::MAX).await.is_err());
    }
}
