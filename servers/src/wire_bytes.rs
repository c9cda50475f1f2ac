//! Bytes that crossed the wire, readable in every file they are written to.

use std::{fmt, ops::Deref};

use corscheck_cases::text::{escape, unescape_bytes};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes as they crossed the wire.
///
/// They serialise as a string in the notation of case files: ASCII as it is, `\xHH` and the like for the rest.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct WireBytes(pub Vec<u8>);

impl Deref for WireBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for WireBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Display for WireBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.0))
    }
}

impl fmt::Debug for WireBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for WireBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escape(&self.0))
    }
}

impl<'de> Deserialize<'de> for WireBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        unescape_bytes(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_json() {
        let all = WireBytes((0..=255).collect());
        let json = serde_json::to_string(&all).expect("serialises");
        assert!(json.is_ascii());
        assert_eq!(serde_json::from_str::<WireBytes>(&json).expect("deserialises"), all);
    }
}
