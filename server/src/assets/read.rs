//! A part of a file as a body. What is in the page cache is read in place: no thread is changed, and buffers are used
//! again. Only what must come from the disk is read on a thread that may wait.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use rustix::io::{ReadWriteFlags, preadv2};

use crate::metrics::Metrics;

/// Read at a time: large enough that a chunk's own cost is lost in it, small enough to stay in a processor's cache, and
/// for a thousand clients.
const CHUNK_BYTES: usize = 256 << 10;

/// What is sent, and how far it is.
struct Reading {
    file: Arc<File>,
    spare: Arc<Spare>,
    offset: u64,
    left: u64,
    metrics: Arc<Metrics>,
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

/// `length` bytes of `file` from `offset` on. A file that ends before is an error: the connection breaks off.
pub(crate) fn body(file: File, offset: u64, length: u64, metrics: Arc<Metrics>) -> Body {
    let reading = Reading {
        file: Arc::new(file),
        spare: Arc::default(),
        offset,
        left: length,
        metrics,
    };
    Body::from_stream(stream::try_unfold(reading, Reading::next))
}

impl Reading {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(self.left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
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
        let bytes = u64::try_from(read).unwrap_or(0);
        self.offset += bytes;
        self.left -= bytes;
        self.metrics.asset_sent_bytes.inc_by(bytes);
        let lent = Lent {
            buffer,
            length: read,
            home: Arc::clone(&self.spare),
        };
        Ok(Some((Bytes::from_owner(lent), self)))
    }
}

/// What is in the page cache; none when it must be waited for, or the file system does not tell.
fn cached(file: &File, buffer: &mut [u8], offset: u64) -> Option<usize> {
    let read = preadv2(file, &mut [IoSliceMut::new(buffer)], offset, ReadWriteFlags::NOWAIT);
    read.ok().filter(|read| *read > 0)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn every_byte_comes_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..251_u8).cycle().take(3 * CHUNK_BYTES + 17).collect();
        std::fs::write(&path, &bytes).unwrap();
        for (offset, length) in [(0, bytes.len()), (1, bytes.len() - 1), (CHUNK_BYTES - 1, 2), (5, 0)] {
            let open = File::open(&path).unwrap();
            let body = body(open, offset as u64, length as u64, Arc::default());
            let read = to_bytes(body, usize::MAX).await.unwrap();
            assert!(read == bytes[offset..offset + length], "{length} from {offset}");
        }
    }

    #[tokio::test]
    async fn a_file_that_was_cut_breaks_off_and_is_not_filled_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"short").unwrap();
        let body = body(File::open(&path).unwrap(), 0, 10, Arc::default());
        assert!(to_bytes(body, usize::MAX).await.is_err());
    }
}
