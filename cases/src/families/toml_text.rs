//! TOML as people write it in the catalogue: one line a key, tables inline, what matters first.

use toml::{Table, Value};

/// Keys in the order in which they stand in cases; others follow by name.
const ORDER: &[&str] = &[
    "read",
    "reason",
    "type",
    "status",
    "to",
    "url",
    "path",
    "query",
    "fragment",
    "userinfo",
    "api",
    "method",
    "at",
    "target",
    "redirected",
    "body",
    "body-length",
    "mode",
    "credentials",
    "redirect",
    "headers",
    "header-names",
    "location",
    "preflight",
    "repeats",
    "optional",
    "wire",
    "or-wire",
];

/// `key = value`, as a line.
pub(super) fn line(out: &mut String, key: &str, value: &Value) {
    name(out, key);
    out.push_str(" = ");
    inline(out, value);
    out.push('\n');
}

/// A value on one line.
pub(super) fn inline(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => string(out, text),
        Value::Array(values) => {
            out.push('[');
            for (i, value) in values.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                inline(out, value);
            }
            out.push(']');
        }
        Value::Table(table) if table.is_empty() => out.push_str("{}"),
        Value::Table(table) => {
            out.push_str("{ ");
            for (i, (key, value)) in ordered(table).into_iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                name(out, key);
                out.push_str(" = ");
                inline(out, value);
            }
            out.push_str(" }");
        }
        Value::Integer(n) => out.push_str(&n.to_string()),
        Value::Boolean(b) => out.push_str(if *b { "true" } else { "false" }),
        // The format of cases has neither.
        Value::Float(_) | Value::Datetime(_) => out.push_str(&value.to_string()),
    }
}

fn ordered(table: &Table) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| ORDER.iter().position(|o| o == key).unwrap_or(ORDER.len()));
    entries
}

fn name(out: &mut String, key: &str) {
    if !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        out.push_str(key);
    } else {
        string(out, key);
    }
}

fn string(out: &mut String, text: &str) {
    let odd = text.contains(['\\', '"']);
    if odd && !text.contains('\'') && !text.contains(|c: char| c.is_control()) {
        // As values with escapes of the catalogue's own stand in it.
        out.push('\'');
        out.push_str(text);
        out.push('\'');
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = r#"expect = { read = "allowed", wire = [{ method = "GET", headers = { Origin = false } }] }"#;
        let table: Table = toml::from_str(text).expect("it is TOML");
        let mut out = String::new();
        line(&mut out, "expect", &table["expect"]);
        assert_eq!(out.trim_end(), text);
        for odd in ["", "'", "\"", "\\xFF", "'\"\\", "a\tb", "\u{1}\u{7f}", "ä {origin}", "\n"] {
            let mut out = String::new();
            line(&mut out, "a key", &Value::String(odd.to_owned()));
            let back: Table = toml::from_str(&out).unwrap_or_else(|e| panic!("{out}: {e}"));
            assert_eq!(back["a key"].as_str(), Some(odd), "{out}");
        }
    }
}
