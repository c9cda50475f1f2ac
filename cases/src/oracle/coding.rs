//! Content codings (Fetch, handle content codings; RFC 9110, section 8.4.1).

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::headers;

/// The longest body that is decoded: a few bytes may stand for any number.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Undoes the codings of a body, the last one first; `None` when it is not in the coding that is named. Codings that nobody asked
/// for by name are left as they are.
pub(super) fn decode(codings: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = body.to_vec();
    for coding in headers::decode_split(codings).into_iter().rev() {
        bytes = match &*coding.to_ascii_lowercase() {
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(&bytes[..]))?,
            // Some servers send what RFC 1951 says instead of RFC 1950; clients take both.
            "deflate" => read(ZlibDecoder::new(&bytes[..])).or_else(|| read(DeflateDecoder::new(&bytes[..])))?,
            _ => bytes,
        };
    }
    Some(bytes)
}

fn read(decoder: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    decoder.take(MOST_BYTES).read_to_end(&mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    #[test]
    fn codings_are_undone() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(b"text").expect("memory");
        let gzip = gzip.finish().expect("memory");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&gzip).expect("memory");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(b"text").expect("memory");
        for (codings, body, decoded) in [
            ("gzip", &gzip, Some(&b"text"[..])),
            ("GZIP", &gzip, Some(b"text")),
            ("gzip, deflate", &zlib.finish().expect("memory"), Some(b"text")),
            ("deflate", &raw.finish().expect("memory"), Some(b"text")),
            ("identity", &gzip, Some(&gzip[..])),
            ("gzip", &gzip[..gzip.len() - 6].to_vec(), None),
            ("gzip", &b"plain".to_vec(), None),
        ] {
            assert_eq!(decode(codings.as_bytes(), body).as_deref(), decoded, "{codings}");
        }
    }
}
