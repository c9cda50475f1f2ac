//! The body of a request as it is kept: its beginning, and how long it was.

use crate::exchange::KEPT_BODY;

/// The longest body that is read; the connection ends where one is longer.
pub(crate) const MAX_BODY: u64 = 16 * 1024 * 1024;

/// A body as far as it arrived.
#[derive(Debug, Default)]
pub(crate) struct ReceivedBody {
    pub(crate) kept: Vec<u8>,
    pub(crate) length: u64,
}

impl ReceivedBody {
    /// Takes the next bytes. Whether the body is still within the limit.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        self.kept.extend_from_slice(&bytes[..bytes.len().min(KEPT_BODY - self.kept.len())]);
        self.length += bytes.len() as u64;
        self.length <= MAX_BODY
    }
}
