//! Header lists (Fetch, Headers): ordered, with names that compare byte-case-insensitively.

use std::{borrow::Cow, slice};

use super::grammar::isomorphic_decode;

/// Names that responses often have, in lower case.
const OFTEN: [&str; 12] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "etag",
    "location",
    "vary",
];

/// Stands between the values of fields of one name where they are joined (Fetch, get, step 2).
const SEPARATOR: &[u8] = b", ";

/// A header (Fetch, header): a name and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name, in the casing it was written in.
    pub name: Cow<'a, str>,
    /// The value.
    pub value: Cow<'a, [u8]>,
}

impl Header<'_> {
    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A header list (Fetch, header list): headers in order, names may repeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderList<'a>(Vec<Header<'a>>);

impl<'a> HeaderList<'a> {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list with room for so many headers.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// The same list with room for so many headers more.
    pub fn with_room(&self, more: usize) -> Self {
        let mut headers = Vec::with_capacity(self.0.len() + more);
        headers.extend_from_slice(&self.0);
        Self(headers)
    }

    /// The headers in order.
    pub fn iter(&self) -> slice::Iter<'_, Header<'a>> {
        self.0.iter()
    }

    /// How many headers there are, repeated names counted.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no header at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a header of this name (Fetch, header list contains).
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|h| h.is_named(name))
    }

    /// The value of a name, repeated fields joined by `0x2C 0x20` (Fetch, get); borrowed where the name does not repeat.
    pub fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let mut values = self.values(name);
        // Step 1: there is none.
        let mut joined = Cow::Borrowed(values.next()?);
        // Step 2: all of them, separated.
        for value in values {
            let joined = joined.to_mut();
            joined.extend_from_slice(SEPARATOR);
            joined.extend_from_slice(value);
        }
        Some(joined)
    }

    /// The values of a name, field by field.
    pub fn values<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s [u8]> {
        self.0.iter().filter(move |h| h.is_named(name)).map(|h| &*h.value)
    }

    /// Appends a header (Fetch, append); the name takes the casing of the first header of that name.
    pub fn append(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, [u8]>>) {
        let name = name.into();
        // Step 1.
        let name = match self.0.iter().find(|h| h.is_named(&name)) {
            Some(first) => first.name.clone(),
            None => name,
        };
        // Step 2.
        self.0.push(Header { name, value: value.into() });
    }

    /// Appends a header whose name is not in the list yet, or in this casing: [`append`](Self::append) without its first step.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, [u8]>>) {
        self.0.push(Header { name: name.into(), value: value.into() });
    }

    /// Removes every header of this name (Fetch, delete).
    pub fn delete(&mut self, name: &str) {
        self.0.retain(|h| !h.is_named(name));
    }

    /// Gives a name this one value (Fetch, set): in place of the first such header, which keeps its casing, or at the end.
    pub fn set(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, [u8]>>) {
        let name = name.into();
        let mut value = Some(value.into());
        // Step 1: the first such header takes the value, the others go.
        self.0.retain_mut(|h| {
            if !h.is_named(&name) {
                return true;
            }
            value.take().map(|value| h.value = value).is_some()
        });
        // Step 2.
        if let Some(value) = value {
            self.0.push(Header { name, value });
        }
    }

    /// Joins a value to the first header of this name, or appends it (Fetch, combine).
    pub fn combine(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, [u8]>>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|h| h.is_named(&name)) {
            // Step 1.
            Some(first) => {
                let joined = first.value.to_mut();
                joined.extend_from_slice(SEPARATOR);
                joined.extend_from_slice(&value);
            }
            // Step 2.
            None => self.0.push(Header { name, value }),
        }
    }

    /// Lower-case names in ascending order with their joined values (Fetch, sort and combine); each `set-cookie` stands apart.
    pub fn sort_and_combine(&self) -> Vec<(Cow<'a, str>, Cow<'a, [u8]>)> {
        sort_and_combine(self.iter())
    }

    /// The elements of a name's value (Fetch, get, decode, and split, given a name and a list).
    pub fn get_decode_split(&self, name: &str) -> Option<Vec<String>> {
        self.get(name).map(|value| decode_split(&value))
    }

    /// The same list without borrowed names or values.
    pub fn into_owned(self) -> HeaderList<'static> {
        let owned = |h: Header<'a>| Header { name: Cow::Owned(h.name.into_owned()), value: Cow::Owned(h.value.into_owned()) };
        HeaderList(self.0.into_iter().map(owned).collect())
    }
}

/// Lower-case names in ascending order with their joined values, of some headers of a list (Fetch, sort and combine).
pub(super) fn sort_and_combine<'h, 'a: 'h>(headers: impl Iterator<Item = &'h Header<'a>>) -> Vec<(Cow<'a, str>, Cow<'a, [u8]>)> {
    let mut headers: Vec<_> = headers.map(|h| (lowercase(&h.name), h.value.clone())).collect();
    // Step 2. The sort is stable, so that the values of a name stay in order.
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    headers.dedup_by(|(name, value), (first_name, joined)| {
        // Step 3.1.
        if name != first_name || name == "set-cookie" {
            return false;
        }
        // Step 3.2.
        let joined = joined.to_mut();
        joined.extend_from_slice(SEPARATOR);
        joined.extend_from_slice(value);
        true
    });
    headers
}

/// A name in lower case: borrowed where it already is, or is a usual one.
fn lowercase<'a>(name: &Cow<'a, str>) -> Cow<'a, str> {
    if !name.bytes().any(|b| b.is_ascii_uppercase()) {
        return name.clone();
    }
    match OFTEN.into_iter().find(|often| often.eq_ignore_ascii_case(name)) {
        Some(often) => Cow::Borrowed(often),
        None => Cow::Owned(name.to_ascii_lowercase()),
    }
}

/// The elements of a header value (Fetch, get, decode, and split, given a value).
pub fn decode_split(value: &[u8]) -> Vec<String> {
    split(value).map(|element| isomorphic_decode(element).into_owned()).collect()
}

/// The elements that [`decode_split`] returns, not decoded.
///
/// An element is always a part of the value: quoted strings are kept as they are, quotation marks and all.
pub fn split(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let input = rest?;
        let mut position = 0;
        // Step 5.1: collect what is neither a quotation mark nor a comma.
        while let Some(&byte) = input.get(position) {
            match byte {
                // Step 5.2.
                b'"' => position = quoted_string_end(input, position),
                b',' => break,
                _ => position += 1,
            }
        }
        // Steps 5.6 to 5.8: nothing more past the end, else what follows the comma, be it empty.
        rest = input.get(position + 1..);
        // Steps 5.3 and 5.4.
        Some(trim_tab_or_space(&input[..position]))
    })
}

/// Where the quoted string that opens at `position` ends (Fetch, collect an HTTP quoted string): after its closing
/// quotation mark, or at the end of the input.
fn quoted_string_end(input: &[u8], mut position: usize) -> usize {
    // Step 4.
    position += 1;
    // Step 5.
    while let Some(&byte) = input.get(position) {
        position += 1;
        match byte {
            // Step 5.5: the next byte is taken as it is, if there is one.
            b'\\' => position = input.len().min(position + 1),
            // Step 5.6.
            b'"' => break,
            // Step 5.1.
            _ => {}
        }
    }
    position
}

/// Without leading and trailing HTTP tab or space bytes.
pub(super) fn trim_tab_or_space(mut bytes: &[u8]) -> &[u8] {
    while let [b'\t' | b' ', rest @ ..] | [rest @ .., b'\t' | b' '] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(headers: &[(&'static str, &'static str)]) -> HeaderList<'static> {
        let mut list = HeaderList::with_capacity(headers.len());
        for &(name, value) in headers {
            list.append(name, value.as_bytes());
        }
        list
    }

    fn pairs(list: &HeaderList<'_>) -> Vec<(String, String)> {
        list.iter().map(|h| (h.name.to_string(), isomorphic_decode(&h.value).into_owned())).collect()
    }

    fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_empty_list() {
        let list = HeaderList::new();
        assert!(list.is_empty() && list.iter().next().is_none());
        assert_eq!((list.len(), list.get("A"), list.get_decode_split("A")), (0, None, None));
        assert_eq!(list.sort_and_combine(), []);
        assert!(!list.contains("") && list.values("").next().is_none());
    }

    #[test]
    fn names_compare_byte_case_insensitively() {
        let list = list(&[("X-Test", "1"), ("É", "2"), ("K", "3")]);
        for (name, found) in [("X-Test", true), ("x-tEST", true), ("X-Tes", false), ("X-Tests", false), ("X_Test", false), ("", false)] {
            assert_eq!(list.contains(name), found, "{name}");
            assert_eq!(list.get(name).is_some(), found, "{name}");
        }
        // Only ASCII letters have two cases, and the Kelvin sign is no K.
        assert!(list.contains("É") && !list.contains("é") && list.contains("k") && !list.contains("\u{212A}"));
    }

    #[test]
    fn get_joins_and_borrows() {
        let list = list(&[("A", "1"), ("B", ""), ("a", "2"), ("C", "x"), ("A", ""), ("b", "")]);
        let table = [("a", Some("1, 2, ")), ("B", Some(", ")), ("c", Some("x")), ("D", None)];
        for (name, value) in table {
            assert_eq!(list.get(name).as_deref(), value.map(str::as_bytes), "{name}");
        }
        assert!(matches!(list.get("C"), Some(Cow::Borrowed(b"x"))));
        assert!(matches!(list.get("A"), Some(Cow::Owned(_))));
        assert_eq!(list.values("a").collect::<Vec<_>>(), [&b"1"[..], b"2", b""]);
    }

    #[test]
    fn values_may_outlive_the_name_they_were_asked_by() {
        let list = list(&[("A", "1")]);
        let value = {
            let name = String::from("a");
            list.values(&name).next()
        };
        assert_eq!(value, Some(&b"1"[..]));
    }

    #[test]
    fn append_reuses_the_casing() {
        let list = list(&[("X-a", "1"), ("B", "2"), ("x-A", "3"), ("X-A", "4")]);
        assert_eq!(pairs(&list), owned(&[("X-a", "1"), ("B", "2"), ("X-a", "3"), ("X-a", "4")]));
        assert_eq!(list.len(), 4);
    }

    #[test]
    fn delete_removes_all() {
        let mut list = list(&[("A", "1"), ("B", "2"), ("a", "3")]);
        list.delete("C");
        assert_eq!(list.len(), 3);
        list.delete("a");
        assert_eq!(pairs(&list), owned(&[("B", "2")]));
    }

    #[test]
    fn set_replaces_the_first_and_removes_the_others() {
        let mut list = list(&[("A", "1"), ("B", "2"), ("A", "3"), ("A", "4")]);
        list.set("a", &b"x"[..]);
        assert_eq!(pairs(&list), owned(&[("A", "x"), ("B", "2")]));
        list.set("c", vec![0xff]);
        list.set(String::from("b"), &b""[..]);
        assert_eq!(pairs(&list), owned(&[("A", "x"), ("B", ""), ("c", "\u{ff}")]));
    }

    #[test]
    fn combine_joins_to_the_first() {
        let mut list = list(&[("A", "1"), ("B", "2"), ("A", "3")]);
        list.combine("a", &b"x"[..]);
        list.combine("c", &b"4"[..]);
        list.combine("C", &b""[..]);
        assert_eq!(pairs(&list), owned(&[("A", "1, x"), ("B", "2"), ("A", "3"), ("c", "4, ")]));
    }

    #[test]
    fn sort_and_combine_keeps_cookies_apart() {
        let list = list(&[
            ("X-b", "1"),
            ("Set-Cookie", "b=1"),
            ("x_", "2"),
            ("X-A", "3"),
            ("set-cookie", "a=1"),
            ("X-B", "4"),
            ("Set-Cookie2", "c"),
            ("set-cookie2", "d"),
            ("!", ""),
        ]);
        let combined: Vec<_> =
            list.sort_and_combine().into_iter().map(|(name, value)| (name.into_owned(), isomorphic_decode(&value).into_owned())).collect();
        let table =
            [("!", ""), ("set-cookie", "b=1"), ("set-cookie", "a=1"), ("set-cookie2", "c, d"), ("x-a", "3"), ("x-b", "1, 4"), ("x_", "2")];
        assert_eq!(combined, owned(&table));
    }

    #[test]
    fn into_owned_keeps_everything() {
        let source = list(&[("A", "1"), ("B", "2")]);
        let text = String::from("A");
        let borrowed = {
            let mut list = HeaderList::new();
            list.append(text.as_str(), &b"1"[..]);
            list.append("B", &b"2"[..]);
            list.into_owned()
        };
        drop(text);
        assert_eq!(borrowed, source);
    }

    /// The table of examples of the standard.
    #[test]
    fn get_decode_split_like_the_standard() {
        type Example = (&'static [(&'static str, &'static str)], Option<&'static [&'static str]>);
        let table: &[Example] = &[
            (&[("A", "nosniff,")], Some(&["nosniff", ""])),
            (&[("A", "nosniff"), ("B", "sniff"), ("A", "")], Some(&["nosniff", ""])),
            (&[("A", ""), ("B", "sniff")], Some(&[""])),
            (&[("B", "sniff")], None),
            (&[("A", "text/html;\", x/x")], Some(&["text/html;\", x/x"])),
            (&[("A", "text/html;\""), ("A", "x/x")], Some(&["text/html;\", x/x"])),
            (&[("A", "x/x;test=\"hi\",y/y")], Some(&["x/x;test=\"hi\"", "y/y"])),
            (&[("A", "x/x;test=\"hi\""), ("C", "**bingo**"), ("A", "y/y")], Some(&["x/x;test=\"hi\"", "y/y"])),
            (&[("A", "x / x,,,1")], Some(&["x / x", "", "", "1"])),
            (&[("A", "x / x"), ("A", ","), ("A", "1")], Some(&["x / x", "", "", "1"])),
            (&[("A", "\"1,2\", 3")], Some(&["\"1,2\"", "3"])),
            (&[("A", "\"1,2\""), ("D", "4"), ("A", "3")], Some(&["\"1,2\"", "3"])),
        ];
        for (headers, elements) in table {
            let found = list(headers).get_decode_split("A");
            assert_eq!(found.as_ref().map(|f| f.iter().map(String::as_str).collect::<Vec<_>>()).as_deref(), *elements, "{headers:?}");
        }
    }

    #[test]
    fn decode_split_edges() {
        let table: &[(&[u8], &[&str])] = &[
            (b"", &[""]),
            (b",", &["", ""]),
            (b", ,", &["", "", ""]),
            (b" \t a \t ", &["a"]),
            (b"a b,c\td", &["a b", "c\td"]),
            // Other white space stays.
            (b"\na\r,\x0Bb\x0C", &["\na\r", "\u{b}b\u{c}"]),
            // Quoted strings, in any number and anywhere.
            (b"\"\"", &["\"\""]),
            (b"\"", &["\""]),
            (b"\",", &["\","]),
            (b"\"a\",", &["\"a\"", ""]),
            (b"\" a \" , b", &["\" a \"", "b"]),
            (b"a\"b,c\"d\"e,f\"g,h", &["a\"b,c\"d\"e,f\"g", "h"]),
            // A backslash counts in a quoted string alone.
            (b"\"a\\\",b\",c", &["\"a\\\",b\"", "c"]),
            (b"\"a\\\\\",b", &["\"a\\\\\"", "b"]),
            (b"\"a\\", &["\"a\\"]),
            (b"\\\"a,b\\\",c", &["\\\"a,b\\\",c"]),
            (b"a\\,b", &["a\\", "b"]),
            // White space in an unclosed string is trimmed at the end.
            (b"\"a  ", &["\"a"]),
            (b"\xE9,\xFF\x00", &["\u{e9}", "\u{ff}\u{0}"]),
        ];
        for (value, elements) in table {
            assert_eq!(decode_split(value), *elements, "{}", value.escape_ascii());
        }
    }

    /// The table of examples of the standard, and where the input ends early.
    #[test]
    fn quoted_strings_end_where_the_standard_says() {
        let table: &[(&[u8], usize)] = &[
            (b"\"\\", 2),
            (b"\"Hello\" World", 7),
            (b"\"Hello \\\\ World\\\"\"", 18),
            (b"\"", 1),
            (b"\"a", 2),
            (b"\"\"", 2),
            (b"\"\\\"", 3),
            (b"\"\"\"", 2),
        ];
        for (input, end) in table {
            assert_eq!(quoted_string_end(input, 0), *end, "{}", input.escape_ascii());
        }
    }

    /// Every value of up to five bytes of a small alphabet, against the standard's steps written out with a list of code points.
    #[test]
    fn decode_split_agrees_with_the_steps_written_out() {
        fn by_the_book(value: &[u8]) -> Vec<String> {
            let input: Vec<char> = value.iter().map(|&b| char::from(b)).collect();
            let (mut position, mut values, mut temporary) = (0, Vec::new(), String::new());
            loop {
                while position < input.len() && !matches!(input[position], '"' | ',') {
                    temporary.push(input[position]);
                    position += 1;
                }
                if position < input.len() && input[position] == '"' {
                    temporary.push('"');
                    position += 1;
                    loop {
                        while position < input.len() && !matches!(input[position], '"' | '\\') {
                            temporary.push(input[position]);
                            position += 1;
                        }
                        if position >= input.len() {
                            break;
                        }
                        let quote_or_backslash = input[position];
                        temporary.push(quote_or_backslash);
                        position += 1;
                        if quote_or_backslash == '"' || position >= input.len() {
                            break;
                        }
                        temporary.push(input[position]);
                        position += 1;
                    }
                    if position < input.len() {
                        continue;
                    }
                }
                values.push(temporary.trim_matches(['\t', ' ']).to_owned());
                temporary.clear();
                if position >= input.len() {
                    return values;
                }
                assert_eq!(input[position], ',');
                position += 1;
            }
        }
        let alphabet = b"a \",\\";
        let mut values = vec![Vec::new()];
        for _ in 0..6 {
            for value in &values {
                assert_eq!(decode_split(value), by_the_book(value), "{}", value.escape_ascii());
            }
            values = values.iter().flat_map(|v| alphabet.iter().map(move |&b| [&v[..], &[b]].concat())).collect();
        }
    }
}
