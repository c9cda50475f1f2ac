//! The name of one attempt at one case, in every URL of it.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// 128 random bits as 32 lower-case hexadecimal digits.
///
/// Random and not counted, so that nothing kept from an earlier run (a cache, a cookie, a tab left open) can meet a later one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// A fresh token.
    ///
    /// # Panics
    ///
    /// When the system has no randomness to give.
    #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
    pub fn new() -> Self {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system gives random bytes");
        Self(format!("{:032x}", u128::from_be_bytes(bits)))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Token {
    type Err = ParseTokenError;

    fn from_str(word: &str) -> Result<Self, ParseTokenError> {
        if word.len() == 32 && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(word.to_owned()))
        } else {
            Err(ParseTokenError { word: word.to_owned() })
        }
    }
}

impl Borrow<str> for Token {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A word that is no [`Token`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a token: expected 32 lower-case hexadecimal digits")]
pub struct ParseTokenError {
    word: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_survive_text_and_json() {
        let token = Token::new();
        assert_ne!(token, Token::new());
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        let json = serde_json::to_string(&token).expect("serialises");
        assert_eq!(serde_json::from_str::<Token>(&json).expect("deserialises"), token);
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["", "12", &"g".repeat(32), &"A".repeat(32), &"a".repeat(33)] {
            assert!(word.parse::<Token>().is_err(), "{word}");
        }
    }
}
