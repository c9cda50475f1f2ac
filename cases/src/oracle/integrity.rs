//! Subresource Integrity: whether bytes match integrity metadata (SRI, section 3.3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Whether bytes match integrity metadata: no metadata that is understood matches everything. `any` takes a match of any strength
/// (a defect); otherwise only the strongest algorithm counts.
pub(super) fn matches(metadata: &str, bytes: &[u8], any: bool) -> bool {
    let parsed: Vec<(u16, &str)> = metadata
        .split_ascii_whitespace()
        .filter_map(|item| {
            let expression = item.split('?').next().unwrap_or_default();
            // An algorithm without a digest counts, and matches nothing.
            let (algorithm, digest) = expression.split_once('-').unwrap_or((expression, ""));
            let strength = match algorithm {
                "sha256" => 256,
                "sha384" => 384,
                "sha512" => 512,
                _ => return None,
            };
            Some((strength, digest))
        })
        .collect();
    let Some(strongest) = parsed.iter().map(|(strength, _)| *strength).max() else { return true };
    parsed.iter().filter(|(strength, _)| any || *strength == strongest).any(|(strength, digest)| {
        let actual = match strength {
            256 => STANDARD.encode(Sha256::digest(bytes)),
            384 => STANDARD.encode(Sha384::digest(bytes)),
            _ => STANDARD.encode(Sha512::digest(bytes)),
        };
        // base64url is the same digest in another alphabet.
        digest.replace('-', "+").replace('_', "/").trim_end_matches('=') == actual.trim_end_matches('=')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_algorithm_decides() {
        let right = format!("sha256-{}", STANDARD.encode(Sha256::digest(b"x")));
        let strong = format!("sha512-{}", STANDARD.encode(Sha512::digest(b"x")));
        let wrong = "sha512-AAAA";
        assert!(matches(&right, b"x", false));
        assert!(!matches(&right, b"y", false));
        assert!(!matches(&format!("{right} {wrong}"), b"x", false));
        assert!(matches(&format!("{right} {wrong}"), b"x", true));
        assert!(matches(&format!("{wrong} {strong}"), b"x", false));
        for nothing in ["", "  ", "md5-AAAA", "md5", "garbage", "SHA256-AAAA"] {
            assert!(matches(nothing, b"x", false), "{nothing}");
        }
        for without_digest in ["sha256", "sha256-", "sha512?x"] {
            assert!(!matches(without_digest, b"x", false), "{without_digest}");
        }
    }
}
