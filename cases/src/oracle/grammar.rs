//! What bytes may stand where: tokens, header values, list headers, ranges, MIME types, methods and statuses.

use std::borrow::Cow;

use super::headers::{HeaderList, trim_tab_or_space};

/// The bytes of a token: tchar in RFC 9110, HTTP token code points in MIME Sniffing.
const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// The methods that are upper-cased (Fetch, normalize a method).
const NORMALIZED_METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

/// A table that is true for the given bytes.
pub(super) const fn table(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
}

/// Whether every byte is true in a table.
pub(super) fn all_in(table: &[bool; 256], bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| table[usize::from(b)])
}

/// Whether it is a token (RFC 9110, 5.6.2), as methods and header names must be (Fetch, method; Fetch, header name).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all_in(&TOKEN, bytes)
}

/// The bytes as text, if they are a token.
fn token(bytes: &[u8]) -> Option<&str> {
    if is_token(bytes) { str::from_utf8(bytes).ok() } else { None }
}

/// Whether it is a header value (Fetch, header value): no tab or space at either end, and no NUL, LF or CR.
pub fn is_header_value(bytes: &[u8]) -> bool {
    let blank = |b: Option<&u8>| matches!(b, Some(b'\t' | b' '));
    !blank(bytes.first()) && !blank(bytes.last()) && !bytes.iter().any(|b| matches!(b, 0 | b'\n' | b'\r'))
}

/// Without leading and trailing HTTP whitespace bytes (Fetch, normalize a byte sequence).
pub fn normalize(mut bytes: &[u8]) -> &[u8] {
    while let [b'\t' | b'\n' | b'\r' | b' ', rest @ ..] | [rest @ .., b'\t' | b'\n' | b'\r' | b' '] = bytes {
        bytes = rest;
    }
    bytes
}

/// What comes of extracting the values of a list header (Fetch, extract header list values).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extracted<'h> {
    /// Null: there is no such header.
    Absent,
    /// A field does not parse.
    Failure,
    /// The values of all fields, in order. There may be none.
    Values(Vec<&'h str>),
}

/// The values of a header whose ABNF is a list of tokens (Fetch, extract header list values).
///
/// `#method` and `#field-name` are such lists. Recipients accept empty elements (RFC 9110, 5.6.1.2):
/// `[ element ] *( OWS "," OWS [ element ] )`. `*` is a token like any other.
pub fn extract_tokens<'h>(list: &'h HeaderList<'_>, name: &str) -> Extracted<'h> {
    let mut found: Option<Vec<&'h str>> = None;
    // Step 4; step 2 is for other headers.
    for field in list.values(name) {
        let values = found.get_or_insert_default();
        for element in field.split(|&b| b == b',').map(trim_tab_or_space).filter(|e| !e.is_empty()) {
            match token(element) {
                // Step 4.3.
                Some(value) => values.push(value),
                // Step 4.2.
                None => return Extracted::Failure,
            }
        }
    }
    // Steps 1 and 5.
    found.map_or(Extracted::Absent, Extracted::Values)
}

/// The seconds of `Access-Control-Max-Age` (Fetch, extract header list values); `None` is both null and failure.
///
/// One field of digits alone (`delta-seconds = 1*DIGIT`, RFC 9111, 1.2.2). What is greater than a `u64` is the greatest `u64`.
pub fn max_age(list: &HeaderList<'_>) -> Option<u64> {
    let mut fields = list.values("Access-Control-Max-Age");
    // Step 1.
    let field = fields.next()?;
    // Step 2: the ABNF allows a single header.
    if fields.next().is_some() {
        return None;
    }
    // Step 4.
    let (digits, rest) = split_digits(trim_tab_or_space(field));
    if rest.is_empty() { decimal(digits) } else { None }
}

/// The leading ASCII digits, and the rest.
fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len()))
}

/// Digits as a number, the greatest one there is if it does not fit; `None` without digits.
fn decimal(digits: &[u8]) -> Option<u64> {
    let number = digits.iter().fold(0_u64, |n, &digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    if digits.is_empty() { None } else { Some(number) }
}

/// Whether a number of any length is greater than another.
fn is_greater(digits: &[u8], than: &[u8]) -> bool {
    let (digits, than) = (significant(digits), significant(than));
    (digits.len(), digits) > (than.len(), than)
}

/// Digits without leading zeros.
fn significant(mut digits: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = digits {
        digits = rest;
    }
    digits
}

/// Start and end of a range (Fetch, parse a single range header value); `None` is failure.
///
/// What is greater than a `u64` is the greatest `u64`, but start and end are compared as they were written.
pub fn single_range(value: &[u8], allow_whitespace: bool) -> Option<(Option<u64>, Option<u64>)> {
    let skip = |data| if allow_whitespace { skip_tab_or_space(data) } else { data };
    // Steps 1 to 4. The steps look at ASCII alone, which bytes and their isomorphic decoding have in common.
    let data = skip(value.strip_prefix(b"bytes")?);
    // Steps 5 to 7.
    let data = skip(data.strip_prefix(b"=")?);
    // Steps 8 to 10.
    let (start, data) = split_digits(data);
    let data = skip(data);
    // Steps 11 to 13.
    let data = skip(data.strip_prefix(b"-")?);
    // Steps 14 and 15.
    let (end, data) = split_digits(data);
    // Steps 16 to 18.
    let both = !start.is_empty() && !end.is_empty();
    if !data.is_empty() || start.is_empty() && end.is_empty() || both && is_greater(start, end) {
        return None;
    }
    // Step 19.
    Some((decimal(start), decimal(end)))
}

fn skip_tab_or_space(mut bytes: &[u8]) -> &[u8] {
    while let [b'\t' | b' ', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// The essence of a MIME type (MIME Sniffing, parse a MIME type, on the isomorphic decoding of a value), in lower case; `None`
/// is failure. Parameters never make it fail.
pub fn mime_essence(value: &[u8]) -> Option<Cow<'_, str>> {
    // Step 1.
    let input = normalize(value);
    // Steps 3 and 5.
    let slash = input.iter().position(|&b| b == b'/')?;
    // Steps 6 and 7.
    let end = input[slash..].iter().position(|&b| b == b';').map_or(input.len(), |at| slash + at);
    // Step 8.
    let essence = normalize(&input[..end]);
    // Steps 4 and 9. A slash is no part of a token, so `essence` still has this one.
    if !is_token(&essence[..slash]) || !is_token(&essence[slash + 1..]) {
        return None;
    }
    // Step 10. Step 11 is about parameters.
    str::from_utf8(essence).ok().map(lowercase)
}

/// Whether a MIME type's essence is that of JavaScript (MIME Sniffing, JavaScript MIME type).
pub fn is_javascript_mime_essence(essence: &str) -> bool {
    matches!(
        essence,
        "application/ecmascript"
            | "application/javascript"
            | "application/x-ecmascript"
            | "application/x-javascript"
            | "text/ecmascript"
            | "text/javascript"
            | "text/javascript1.0"
            | "text/javascript1.1"
            | "text/javascript1.2"
            | "text/javascript1.3"
            | "text/javascript1.4"
            | "text/javascript1.5"
            | "text/jscript"
            | "text/livescript"
            | "text/x-ecmascript"
            | "text/x-javascript"
    )
}

/// A Content-Type whose `charset` parameter is another than UTF-8, with that parameter set to `UTF-8` (XMLHttpRequest, send(),
/// step 4.5.1.2); `None` where nothing is to be changed.
pub fn with_charset_utf8(value: &[u8]) -> Option<String> {
    let mut mime: data_url::mime::Mime = isomorphic_decode(value).parse().ok()?;
    let (_, charset) = mime.parameters.iter_mut().find(|(name, _)| name == "charset")?;
    if charset.eq_ignore_ascii_case("UTF-8") {
        return None;
    }
    *charset = "UTF-8".to_owned();
    Some(mime.to_string())
}

/// In ASCII lower case; borrowed where it already is.
pub(super) fn lowercase(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }
}

/// Each byte as the code point of the same number (Infra, isomorphic decode); borrowed where all are ASCII.
pub fn isomorphic_decode(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect()),
    }
}

/// Each code point as the byte of the same number (Infra, isomorphic encode); `None` where one is above U+00FF.
pub fn isomorphic_encode(text: &str) -> Option<Cow<'_, [u8]>> {
    if text.is_ascii() {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>().map(Cow::Owned)
}

/// The method, upper-cased if it is one of six (Fetch, normalize a method).
pub fn normalize_method(method: &str) -> &str {
    NORMALIZED_METHODS.into_iter().find(|m| m.eq_ignore_ascii_case(method)).unwrap_or(method)
}

/// Null body status (Fetch, Statuses).
pub fn is_null_body_status(status: u16) -> bool {
    matches!(status, 101 | 103 | 204 | 205 | 304)
}

/// Ok status (Fetch, Statuses).
pub fn is_ok_status(status: u16) -> bool {
    matches!(status, 200..=299)
}

/// Range status (Fetch, Statuses).
pub fn is_range_status(status: u16) -> bool {
    matches!(status, 206 | 416)
}

/// Redirect status (Fetch, Statuses).
pub fn is_redirect_status(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(fields: &[(&'static str, &'static [u8])]) -> HeaderList<'static> {
        let mut list = HeaderList::new();
        for &(name, value) in fields {
            list.append(name, value);
        }
        list
    }

    fn fields(name: &'static str, values: &[&'static [u8]]) -> HeaderList<'static> {
        list(&values.iter().map(|&value| (name, value)).collect::<Vec<_>>())
    }

    #[test]
    fn token_bytes() {
        let delimiters = b"\"(),/:;<=>?@[\\]{}";
        for byte in 0..=255 {
            let token = (0x21..0x7f).contains(&byte) && !delimiters.contains(&byte);
            for bytes in [&[byte][..], &[b'a', byte], &[byte, b'a']] {
                assert_eq!(is_token(bytes), token, "{byte:#04x}");
            }
        }
        assert!(!is_token(b""));
        assert!(is_token(b"*") && is_token(b"CHICKEN") && !is_token(b"GET,PUT") && !is_token("PüT".as_bytes()));
    }

    #[test]
    fn header_values() {
        for byte in 0..=255 {
            let (inside, alone) = (!matches!(byte, 0 | 10 | 13), !matches!(byte, 0 | 9 | 10 | 13 | 32));
            assert_eq!(is_header_value(&[b'a', byte, b'a']), inside, "{byte:#04x}");
            for bytes in [&[byte][..], &[b'a', byte], &[byte, b'a'], &[byte, byte]] {
                assert_eq!(is_header_value(bytes), alone, "{byte:#04x}");
            }
        }
        assert!(is_header_value(b""));
    }

    #[test]
    fn normalization() {
        let table: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b" \t\r\n", b""),
            (b"\t\r\nde\r\n\t", b"de"),
            (b"  a\r\n b ", b"a\r\n b"),
            (b"a", b"a"),
            (b"\x0Ba\x0C", b"\x0Ba\x0C"),
            (b"\0 a \0", b"\0 a \0"),
            (b"\x85a\xA0", b"\x85a\xA0"),
        ];
        for (value, normalized) in table {
            assert_eq!(normalize(value), *normalized, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn token_lists() {
        use Extracted::{Absent, Failure};
        let values = |v: &[&'static str]| Extracted::Values(v.to_vec());
        let table: &[(&[&'static [u8]], Extracted<'_>)] = &[
            (&[], Absent),
            (&[b""], values(&[])),
            (&[b"", b""], values(&[])),
            (&[b","], values(&[])),
            (&[b", \t,"], values(&[])),
            (&[b"PUT"], values(&["PUT"])),
            (&[b"put"], values(&["put"])),
            (&[b"GET,PUT"], values(&["GET", "PUT"])),
            (&[b"GET, PUT, DELETE"], values(&["GET", "PUT", "DELETE"])),
            (&[b"GET \t,\t PUT"], values(&["GET", "PUT"])),
            (&[b",, PUT ,"], values(&["PUT"])),
            (&[b"a,a,A"], values(&["a", "a", "A"])),
            (&[b"GET", b"PUT"], values(&["GET", "PUT"])),
            (&[b"", b"X-Token"], values(&["X-Token"])),
            (&[b"a,b", b",", b"c"], values(&["a", "b", "c"])),
            (&[b"*"], values(&["*"])),
            (&[b"X-Other, *"], values(&["X-Other", "*"])),
            (&[b"X-*"], values(&["X-*"])),
            (&[b"!#$%&'*+-.^_`|~"], values(&["!#$%&'*+-.^_`|~"])),
            (&[b"PUT DELETE"], Failure),
            (&[b"* X-A"], Failure),
            (&[b"PUT\tDELETE"], Failure),
            (&[b"PUT, P@T"], Failure),
            (&[b"\"PUT\""], Failure),
            (&[b"*, \"X-A\""], Failure),
            (&[b"X-A;X-B"], Failure),
            (&[b"X-A:"], Failure),
            (&[b"[X-A]"], Failure),
            (&[b"X-A, X\xE9"], Failure),
            (&[b"X-A,\x0BX-B"], Failure),
            (&[b"X-A,\0"], Failure),
            (&[b"X-A,\r\n X-B"], Failure),
            (&[b"PUT", b"P@T"], Failure),
            (&[b"P@T", b"PUT"], Failure),
            (&[b"\xFF\xFE\x80"], Failure),
        ];
        for (input, extracted) in table {
            let mut list = fields("Access-Control-Allow-Methods", input);
            list.append("Access-Control-Allow-Headers", &b"x:y"[..]);
            assert_eq!(extract_tokens(&list, "access-control-ALLOW-methods"), *extracted, "{input:?}");
        }
    }

    #[test]
    fn tokens_of_every_byte() {
        for byte in 0..=255 {
            let value = [b'a', byte, b'b'];
            let mut list = HeaderList::new();
            list.append("A", &value[..]);
            let extracted = extract_tokens(&list, "a");
            match byte {
                b',' => assert_eq!(extracted, Extracted::Values(vec!["a", "b"])),
                _ if is_token(&[byte]) => assert!(matches!(&extracted, Extracted::Values(v) if v.len() == 1)),
                _ => assert_eq!(extracted, Extracted::Failure, "{byte:#04x}"),
            }
        }
    }

    #[test]
    fn max_ages() {
        let table: &[(&[&'static [u8]], Option<u64>)] = &[
            (&[], None),
            (&[b""], None),
            (&[b"0"], Some(0)),
            (&[b"00"], Some(0)),
            (&[b"60"], Some(60)),
            (&[b"00060"], Some(60)),
            (&[b"2147483648"], Some(2_147_483_648)),
            (&[b"18446744073709551615"], Some(u64::MAX)),
            (&[b"18446744073709551614"], Some(u64::MAX - 1)),
            (&[b"18446744073709551616"], Some(u64::MAX)),
            (&[b"99999999999999999999999999999999999999999999"], Some(u64::MAX)),
            (&[b"0000000000000000000000000000000000000000000007"], Some(7)),
            (&[b"-1"], None),
            (&[b"+10"], None),
            (&[b"1.5"], None),
            (&[b"1e2"], None),
            (&[b"10s"], None),
            (&[b"abc"], None),
            (&[b"10, 20"], None),
            (&[b"10,"], None),
            (&[b"\"10\""], None),
            (&[b"1 0"], None),
            (&[b"0x10"], None),
            (&[b"10;x"], None),
            (&[b"\xB2"], None),
            (&["٣".as_bytes()], None),
            (&[b"10", b"10"], None),
            (&[b"10", b""], None),
            (&[b"", b"10"], None),
        ];
        for (input, seconds) in table {
            let mut list = fields("access-control-max-age", input);
            list.append("Max-Age", &b"1"[..]);
            assert_eq!(max_age(&list), *seconds, "{input:?}");
        }
    }

    type Range = Option<(Option<u64>, Option<u64>)>;

    #[test]
    fn single_ranges() {
        let both = |start, end| Some((Some(start), Some(end)));
        // What it is without white space, and with it.
        let table: &[(&[u8], Range, Range)] = &[
            (b"bytes=0-499", both(0, 499), both(0, 499)),
            (b"bytes=5-5", both(5, 5), both(5, 5)),
            (b"bytes=00-01", both(0, 1), both(0, 1)),
            (b"bytes=010-9", None, None),
            (b"bytes=09-10", both(9, 10), both(9, 10)),
            (b"bytes=500-", Some((Some(500), None)), Some((Some(500), None))),
            (b"bytes=-500", Some((None, Some(500))), Some((None, Some(500)))),
            (b"bytes=-0", Some((None, Some(0))), Some((None, Some(0)))),
            (b"bytes=0-18446744073709551615", both(0, u64::MAX), both(0, u64::MAX)),
            (b"bytes=0-99999999999999999999999", both(0, u64::MAX), both(0, u64::MAX)),
            (b"bytes=99999999999999999999998-99999999999999999999999", both(u64::MAX, u64::MAX), both(u64::MAX, u64::MAX)),
            (b"bytes=99999999999999999999999-99999999999999999999998", None, None),
            (b"bytes=100000000000000000000000-99999999999999999999999", None, None),
            (b"bytes=000000000000000000000000000001-2", both(1, 2), both(1, 2)),
            (b"", None, None),
            (b"byte", None, None),
            (b"bytes", None, None),
            (b"bytes=", None, None),
            (b"bytes=5", None, None),
            (b"bytes=-", None, None),
            (b"bytes=5-0", None, None),
            (b"bytes=0-1,2-3", None, None),
            (b"bytes=0-1x", None, None),
            (b"bytes=0-1 ", None, None),
            (b"bytes=0--1", None, None),
            (b"bytes=+0-1", None, None),
            (b"bytes=a-b", None, None),
            (b"bytes==0-1", None, None),
            (b"bytess=0-1", None, None),
            (b" bytes=0-1", None, None),
            (b"Bytes=0-1", None, None),
            (b"BYTES=0-1", None, None),
            (b"items=0-1", None, None),
            (b"bytes:0-1", None, None),
            (b"bytes 0-1", None, None),
            (b"bytes=\xB9-\xB2", None, None),
            (b"bytes\xFF=0-1", None, None),
            (b"bytes =0-1", None, both(0, 1)),
            (b"bytes= 0-1", None, both(0, 1)),
            (b"bytes=0 -1", None, both(0, 1)),
            (b"bytes=0- 1", None, both(0, 1)),
            (b"bytes \t= \t0 \t- \t1", None, both(0, 1)),
            (b"bytes = 5 - ", None, Some((Some(5), None))),
            (b"bytes = - 5", None, Some((None, Some(5)))),
            (b"bytes= - ", None, None),
            (b"bytes=1 0-1", None, None),
            (b"bytes=\n0-1", None, None),
        ];
        for (value, strict, lenient) in table {
            assert_eq!(single_range(value, false), *strict, "{}", value.escape_ascii());
            assert_eq!(single_range(value, true), *lenient, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn mime_essences() {
        let long = [&b"text/plain;"[..], &[b'a'; 5000]].concat();
        let table: &[(&[u8], Option<&str>)] = &[
            (b"text/plain", Some("text/plain")),
            (b"TEXT/Plain", Some("text/plain")),
            (b" \t\r\ntext/plain\r\n\t ", Some("text/plain")),
            (b"text/plain \t\r\n;", Some("text/plain")),
            (b"text/plain;", Some("text/plain")),
            (b"text/plain;charset=utf-8", Some("text/plain")),
            (b"text/plain;charset=\"utf-8\"", Some("text/plain")),
            (b"text/plain;garbage", Some("text/plain")),
            (b"text/plain;;;=;=a;\"", Some("text/plain")),
            (b"text/plain;a=b,c", Some("text/plain")),
            (b"text/plain;a/b", Some("text/plain")),
            (b"text/plain;\0\xFF", Some("text/plain")),
            (&long, Some("text/plain")),
            (b"multipart/form-data; boundary=abc", Some("multipart/form-data")),
            (b"*/*", Some("*/*")),
            (b"!#$%&'*+-.^_`|~/!#$%&'*+-.^_`|~", Some("!#$%&'*+-.^_`|~/!#$%&'*+-.^_`|~")),
            (b"", None),
            (b" ", None),
            (b"text", None),
            (b"text;", None),
            (b"/", None),
            (b"/plain", None),
            (b"text/", None),
            (b"text/ ", None),
            (b"text/;", None),
            (b"text/ ;x=y", None),
            (b";text/plain", None),
            (b"text;x=a/plain", None),
            (b"text /plain", None),
            (b"text/ plain", None),
            (b"te xt/plain", None),
            (b"text/pl ain", None),
            (b"text//plain", None),
            (b"text/plain/x", None),
            (b"text/plain,", None),
            (b",text/plain", None),
            (b"text/plain,text/plain", None),
            (b"text/plain, x/x;a=b", None),
            (b"text/plain\x0B", None),
            (b"\x0Ctext/plain", None),
            (b"text/pl\xE4in", None),
            (b"t\xE9xt/plain", None),
            (b"\xA0text/plain", None),
            ("t\u{e9}xt/plain".as_bytes(), None),
            (b"text/plain\0", None),
        ];
        for (value, essence) in table {
            assert_eq!(mime_essence(value).as_deref(), *essence, "{}", value.escape_ascii());
        }
        assert!(matches!(mime_essence(b"text/plain;A"), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn charsets_are_rewritten() {
        for (value, changed) in [
            ("text/plain;charset=iso-8859-1", Some("text/plain;charset=UTF-8")),
            ("Text/Plain; a=b; CHARSET=\"x\"", Some("text/plain;a=b;charset=UTF-8")),
            ("text/plain;charset=utf-8", None),
            ("text/plain", None),
            ("nonsense;charset=x", None),
        ] {
            assert_eq!(with_charset_utf8(value.as_bytes()).as_deref(), changed, "{value}");
        }
    }

    #[test]
    fn isomorphic_coding() {
        let all: Vec<u8> = (0..=255).collect();
        let text = isomorphic_decode(&all);
        assert!(text.chars().map(u32::from).eq(0..=255));
        assert_eq!(isomorphic_encode(&text).as_deref(), Some(&all[..]));
        // UTF-8 is not undone.
        assert_eq!(isomorphic_decode("é".as_bytes()), "\u{c3}\u{a9}");
        assert!(matches!(isomorphic_decode(&all[..128]), Cow::Borrowed(_)));
        let ascii = isomorphic_decode(&all[..128]);
        assert!(matches!(isomorphic_encode(&ascii), Some(Cow::Borrowed(_))));
        for (text, bytes) in [("", Some(&b""[..])), ("aÿ", Some(b"a\xFF")), ("Ā", None), ("a€", None), ("\u{1f600}", None)] {
            assert_eq!(isomorphic_encode(text).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn methods_are_normalized() {
        for method in ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"] {
            let lower = method.to_ascii_lowercase();
            let mixed = format!("{}{}", &method[..1], &lower[1..]);
            for written in [method, &lower, &mixed] {
                assert_eq!(normalize_method(written), method);
            }
        }
        for method in ["patch", "Patch", "PATCH", "eGg", "trace", "connect", "track", "", "gets", "ge", "gét", "*"] {
            assert_eq!(normalize_method(method), method);
        }
    }

    #[test]
    fn statuses() {
        let of = |is: fn(u16) -> bool| (0..=u16::MAX).filter(|&s| is(s)).collect::<Vec<_>>();
        assert_eq!(of(is_null_body_status), [101, 103, 204, 205, 304]);
        assert_eq!(of(is_ok_status), (200..300).collect::<Vec<_>>());
        assert_eq!(of(is_range_status), [206, 416]);
        assert_eq!(of(is_redirect_status), [301, 302, 303, 307, 308]);
    }
}
