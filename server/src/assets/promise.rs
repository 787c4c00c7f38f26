//! Parts of files that a connection sends by itself: the kernel hands them from the page cache to the socket, and this
//! process never sees a byte of them.
//!
//! HTTP stays with hyper, which is given *blanks* in place of the bytes: slices of one region of memory, each standing for
//! as many bytes of the file that was promised. The connection knows them by their address and sends the file instead.
//! Blanks are no content, so a connection writes nothing at all as soon as the blanks that it is given are not exactly
//! those that were promised: whatever copies, packs or keeps a body on its way ends the connection.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::fs::sendfile;

/// Promised at a time, at most: large enough that a piece's own cost is lost in it, small enough that what was in the page
/// cache when it was promised still is when it is sent.
pub(super) const PIECE_BYTES: usize = 1 << 20;

/// Its address is what matters. No text holds this byte: it would be seen at once.
static BLANK: [u8; PIECE_BYTES] = [0xf5; PIECE_BYTES];

/// What one connection was promised and has not sent yet. A request that came in by such a connection carries it in its
/// extensions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Promises(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    pieces: VecDeque<Piece>,
    /// Of all of them.
    bytes: usize,
}

#[derive(Debug)]
struct Piece {
    file: Arc<File>,
    offset: u64,
    left: usize,
}

/// Whether a slice is not to be written but stands for bytes of a file.
pub(crate) fn is_blank(slice: &[u8]) -> bool {
    !slice.is_empty() && BLANK.as_ptr_range().contains(&slice.as_ptr())
}

impl Promises {
    /// Promises at most `length` bytes of `file` from `offset` on. The blanks are next in the answer's body, and nowhere
    /// else.
    pub(crate) fn make(&self, file: &Arc<File>, offset: u64, length: usize) -> Bytes {
        let blanks = Bytes::from_static(&BLANK[..length.min(PIECE_BYTES)]);
        let mut open = self.open();
        open.bytes += blanks.len();
        open.pieces.push_back(Piece {
            file: Arc::clone(file),
            offset,
            left: blanks.len(),
        });
        blanks
    }

    /// Whether a connection that is about to write was given all blanks that were promised and no other.
    ///
    /// # Errors
    /// When it was not: something on the way to the connection took blanks for content, and it must write no more.
    pub(crate) fn check(&self, blanks: usize) -> io::Result<()> {
        let promised = self.open().bytes;
        if blanks == promised {
            return Ok(());
        }
        // A defect of this server: no client can bring it about, and none gets what it asked for.
        tracing::error!(promised, blanks, "blanks of files went astray: the connection ends");
        Err(io::Error::other(format!(
            "{promised} bytes of files were promised, and {blanks} blanks are there"
        )))
    }

    /// Sends what was promised first, `length` bytes of it at most; as much as the socket takes now.
    ///
    /// # Errors
    /// When the socket takes nothing (`WouldBlock`) or is gone, and when the file ends before what was promised.
    pub(crate) fn keep(&self, socket: impl AsFd, length: usize) -> io::Result<usize> {
        let mut open = self.open();
        let Some(piece) = open.pieces.front_mut() else {
            return Err(io::Error::other("no file was promised"));
        };
        let mut offset = piece.offset;
        let sent = sendfile(socket, &piece.file, Some(&mut offset), length.min(piece.left))?;
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        piece.offset = offset;
        piece.left -= sent;
        if piece.left == 0 {
            open.pieces.pop_front();
        }
        open.bytes -= sent;
        Ok(sent)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
