//! Strings of case files that hold placeholders, and header values that may hold any byte.
//!
//! Two notations share the placeholders `{…}`:
//!
//! - [`Text`]: what the page's script sees or sets. Any Unicode; TOML's own escapes serve for odd characters.
//! - [`Bytes`]: what a server sends or a recorder sees. ASCII, and `\xHH`, `\r`, `\n`, `\t`, `\\` for everything else, so that
//!   every byte is visible in the file. Write them in single quotes, where TOML leaves the backslash alone.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};

use crate::topology::Alias;

/// A value that a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// `{origin}`: what the context puts into `Origin` while untainted; `null` for opaque origins.
    RequestOrigin,
    /// `{origin:b}`: the serialised origin of an alias.
    Origin(Alias),
    /// `{scheme:b}`.
    Scheme(Alias),
    /// `{host:b}`.
    Host(Alias),
    /// `{port:b}`.
    Port(Alias),
    /// `{url:b}`: the URL of a resource of this case at an alias; a path may follow the placeholder as literal text.
    Base(Alias),
    /// `{url}`: the URL of the resource that is answering, or of the request where the page speaks.
    Url,
    /// `{next}`: the URL that a redirect leads to.
    Next,
    /// `{next-path}`: path and query of that URL.
    NextPath,
    /// `{token}`: the token of this attempt, the same in every URL of it.
    Token,
}

/// Gives each [`Variable`] its value.
pub trait Resolve {
    /// The value, as it stands in a URL or header.
    fn value(&self, variable: Variable) -> String;
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable { variable: Variable, upper: bool },
}

fn parse_placeholder(inner: &str) -> Result<Part, String> {
    let (name, upper) = match inner.split_once('|') {
        None => (inner, false),
        Some((name, "upper")) => (name, true),
        Some((_, other)) => return Err(format!("unknown filter `{other}` in `{{{inner}}}`; the one filter is `upper`")),
    };
    let alias = |word: &str| {
        Alias::ALL.iter().copied().find(|a| a.word() == word).ok_or_else(|| {
            let all: Vec<_> = Alias::ALL.iter().map(|a| a.word()).collect();
            format!("unknown alias `{word}` in `{{{inner}}}`, expected one of {}", all.join(", "))
        })
    };
    let variable = match name.split_once(':') {
        None => match name {
            "origin" => Variable::RequestOrigin,
            "url" => Variable::Url,
            "next" => Variable::Next,
            "next-path" => Variable::NextPath,
            "token" => Variable::Token,
            _ => return Err(unknown_placeholder(inner)),
        },
        Some(("origin", a)) => Variable::Origin(alias(a)?),
        Some(("scheme", a)) => Variable::Scheme(alias(a)?),
        Some(("host", a)) => Variable::Host(alias(a)?),
        Some(("port", a)) => Variable::Port(alias(a)?),
        Some(("url", a)) => Variable::Base(alias(a)?),
        Some(_) => return Err(unknown_placeholder(inner)),
    };
    Ok(Part::Variable { variable, upper })
}

fn unknown_placeholder(inner: &str) -> String {
    format!(
        "unknown placeholder `{{{inner}}}`, expected {{origin}}, {{origin:ALIAS}}, {{scheme:ALIAS}}, {{host:ALIAS}}, {{port:ALIAS}}, \
         {{url}}, {{url:ALIAS}}, {{next}}, {{next-path}} or {{token}}; write {{{{ for a brace"
    )
}

fn parse_parts(source: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = source;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}") {
            literal.push('}');
            rest = after;
        } else if rest.starts_with('}') {
            return Err("a single `}`; write }} for a brace".to_owned());
        } else {
            let end = rest.find('}').ok_or("a `{` that is never closed; write {{ for a brace")?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(parse_placeholder(&rest[1..end])?);
            rest = &rest[end + 1..];
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn resolve_parts(parts: &[Part], resolver: &dyn Resolve) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Literal(s) => out.push_str(s),
            Part::Variable { variable, upper: false } => out.push_str(&resolver.value(*variable)),
            Part::Variable { variable, upper: true } => out.push_str(&resolver.value(*variable).to_ascii_uppercase()),
        }
    }
    out
}

/// A string with placeholders, as a page's script sees or sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    source: String,
    parts: Vec<Part>,
}

impl Text {
    /// Parses the notation; the error says what is wrong and what is allowed.
    pub fn parse(source: &str) -> Result<Self, String> {
        Ok(Self { source: source.to_owned(), parts: parse_parts(source)? })
    }

    /// As it stands in the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// With every placeholder replaced.
    pub fn resolve(&self, resolver: &dyn Resolve) -> String {
        resolve_parts(&self.parts, resolver)
    }
}

/// Bytes with placeholders, as they cross the wire.
///
/// Internally each byte is the character of the same number, which is how the standard decodes header bytes too
/// (isomorphic decode).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    source: String,
    parts: Vec<Part>,
}

impl Bytes {
    /// Parses the notation; the error says what is wrong and what is allowed.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = parse_parts(source)?;
        for part in &mut parts {
            if let Part::Literal(s) = part {
                *s = unescape(s)?;
            }
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// As it stands in the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// With every placeholder replaced and every escape undone.
    pub fn resolve(&self, resolver: &dyn Resolve) -> Vec<u8> {
        // Every character is below U+0100: literals by `unescape`, values because URLs and tokens are ASCII.
        resolve_parts(&self.parts, resolver).chars().map(|c| c as u8).collect()
    }
}

fn unescape(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        if !c.is_ascii() {
            return Err(format!(
                "`{c}` is not ASCII; say which bytes are meant: `\\xHH` in a single-quoted string (its UTF-8 form is {})",
                c.encode_utf8(&mut [0; 4]).bytes().map(|b| format!("\\x{b:02X}")).collect::<String>()
            ));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('r') => out.push('\r'),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\\') => out.push('\\'),
            Some('x') => {
                let hex: String = chars.by_ref().take(2).collect();
                let byte = (hex.len() == 2).then(|| u8::from_str_radix(&hex, 16).ok()).flatten();
                let byte = byte.ok_or_else(|| format!("`\\x{hex}` needs two hexadecimal digits"))?;
                out.push(char::from(byte));
            }
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                return Err(format!("unknown escape `\\{shown}`, expected \\xHH, \\r, \\n, \\t or \\\\"));
            }
        }
    }
    Ok(out)
}

/// Bytes in the notation of case files: ASCII as it is, everything else escaped.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &b in bytes {
        match b {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02X}")),
        }
    }
    out
}

/// Undoes [`escape`].
pub fn unescape_bytes(source: &str) -> Result<Vec<u8>, String> {
    Ok(unescape(source)?.chars().map(|c| c as u8).collect())
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Bytes::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Text with placeholders such as {origin}, {origin:b}, {url:b}, {token}; {{ for a brace." })
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[\\x00-\\x7F]*$",
            "description": "Bytes as ASCII with \\xHH, \\r, \\n, \\t and \\\\ for the rest, and placeholders such as {origin}, {origin:b}, {next}." })
    }
}

/// A text as a part of an id or of a file's name: its letters and digits in lower case, with `-` for everything between them.
pub fn slug(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Resolve for Fixed {
        fn value(&self, variable: Variable) -> String {
            format!("<{variable:?}>")
        }
    }

    fn bytes(source: &str) -> Vec<u8> {
        Bytes::parse(source).expect("parses").resolve(&Fixed)
    }

    #[test]
    fn placeholders_escapes_and_braces() {
        assert_eq!(bytes(r"a\xFFb\r\n\t\\"), b"a\xFFb\r\n\t\\");
        assert_eq!(bytes("{{x}}"), b"{x}");
        assert_eq!(bytes("[{origin}]"), b"[<RequestOrigin>]");
        assert_eq!(bytes("{host:a-port|upper}"), b"<HOST(APORT)>");
        assert_eq!(Text::parse("é{token}").expect("parses").resolve(&Fixed), "é<Token>");
    }

    #[test]
    fn errors_say_what_is_allowed() {
        let error = |s| Bytes::parse(s).expect_err("must not parse");
        assert!(error("é").contains(r"\xC3\xA9"), "{}", error("é"));
        assert!(error(r"\q").contains("\\xHH"));
        assert!(error(r"\x1").contains("two hexadecimal digits"));
        assert!(error("{orign}").contains("{origin}"));
        assert!(error("{host:z}").contains("a-port"));
        assert!(error("{host:a|lower}").contains("upper"));
        assert!(error("{").contains("{{"));
        assert!(error("}").contains("}}"));
    }

    #[test]
    fn every_byte_survives_escaping() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape_bytes(&escape(&all)).expect("round trip"), all);
    }
}
