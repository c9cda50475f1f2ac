//! Which methods, request headers and response headers are safe, privileged or forbidden (Fetch, Methods; Fetch, Headers).

use std::borrow::Cow;

use super::{
    grammar::{all_in, lowercase, mime_essence, single_range, table},
    headers::{HeaderList, split},
};

/// The longest value that is safelisted (Fetch, CORS-safelisted request-header, step 1).
const MAX_VALUE: usize = 128;

/// The greatest sum of safelisted values' lengths (Fetch, CORS-unsafe request-header names, step 5).
const MAX_TOTAL: usize = 1024;

/// The bytes that are not CORS-unsafe request-header bytes.
const SAFE: [bool; 256] = {
    // Every byte from 0x20 on, and HT …
    let mut safe = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        safe[control] = control == 0x09;
        control += 1;
    }
    // … without these.
    let written = table(b"\"():<>?@[\\]{}\x7f");
    let mut byte = 0;
    while byte < 256 {
        safe[byte] &= !written[byte];
        byte += 1;
    }
    safe
};

/// The bytes of `Accept-Language` and `Content-Language` (Fetch, CORS-safelisted request-header, step 2).
const LANGUAGE: [bool; 256] = table(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz *,-.;=");

/// The essences that forms can send (Fetch, CORS-safelisted request-header, step 2, `content-type`).
const FORM_TYPES: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Fetch, no-CORS-safelisted request-header name.
const NO_CORS_NAMES: [&str; 4] = ["Accept", "Accept-Language", "Content-Language", "Content-Type"];

/// Fetch, forbidden request-header, step 1.
const FORBIDDEN_REQUEST_NAMES: [&str; 21] = [
    "Accept-Charset",
    "Accept-Encoding",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Connection",
    "Content-Length",
    "Cookie",
    "Cookie2",
    "Date",
    "DNT",
    "Expect",
    "Host",
    "Keep-Alive",
    "Origin",
    "Referer",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
];

/// Fetch, forbidden request-header, step 2.
const FORBIDDEN_REQUEST_PREFIXES: [&[u8]; 2] = [b"proxy-", b"sec-"];

/// Fetch, forbidden request-header, step 3.
const METHOD_OVERRIDES: [&str; 3] = ["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"];

/// Fetch, forbidden method.
const FORBIDDEN_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// Fetch, forbidden response-header name.
const FORBIDDEN_RESPONSE_NAMES: [&str; 2] = ["Set-Cookie", "Set-Cookie2"];

/// Fetch, request-body-header name.
const REQUEST_BODY_NAMES: [&str; 4] = ["Content-Encoding", "Content-Language", "Content-Location", "Content-Type"];

/// Fetch, CORS-safelisted response-header name, without the list.
const SAFELISTED_RESPONSE_NAMES: [&str; 7] =
    ["Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma"];

/// Whether the name is a byte-case-insensitive match for one of the names.
fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// Fetch, CORS-unsafe request-header byte.
pub fn is_unsafe_byte(byte: u8) -> bool {
    !SAFE[usize::from(byte)]
}

/// Fetch, CORS-safelisted request-header.
pub fn is_cors_safelisted(name: &str, value: &[u8]) -> bool {
    // Step 1.
    if value.len() > MAX_VALUE {
        return false;
    }
    let is = |safe: &str| name.eq_ignore_ascii_case(safe);
    // Step 2.
    if is("accept") {
        all_in(&SAFE, value)
    } else if is("accept-language") || is("content-language") {
        all_in(&LANGUAGE, value)
    } else if is("content-type") {
        all_in(&SAFE, value) && mime_essence(value).is_some_and(|essence| FORM_TYPES.contains(&&*essence))
    } else if is("range") {
        matches!(single_range(value, false), Some((Some(_), _)))
    } else {
        false
    }
}

/// The names that need a preflight, in lower case, sorted, each once (Fetch, CORS-unsafe request-header names).
pub fn unsafe_names<'h>(list: &'h HeaderList<'_>) -> Vec<Cow<'h, str>> {
    // Steps 1 and 3.
    let mut unsafe_names = Vec::new();
    let mut safelist_value_size = 0;
    // Step 4. Who is in potentiallyUnsafeNames needs no list: everyone who is not in unsafeNames.
    for header in list.iter() {
        if is_cors_safelisted(&header.name, &header.value) {
            safelist_value_size += header.value.len();
        } else {
            unsafe_names.push(lowercase(&header.name));
        }
    }
    // Step 5.
    if safelist_value_size > MAX_TOTAL {
        unsafe_names.clear();
        unsafe_names.extend(list.iter().map(|header| lowercase(&header.name)));
    }
    // Step 6: convert header names to a sorted-lowercase set.
    unsafe_names.sort_unstable();
    unsafe_names.dedup();
    unsafe_names
}

/// Whether there are any [`unsafe_names`].
pub fn has_unsafe_names(list: &HeaderList<'_>) -> bool {
    let mut safelist_value_size = 0;
    for header in list.iter() {
        if !is_cors_safelisted(&header.name, &header.value) {
            return true;
        }
        safelist_value_size += header.value.len();
    }
    safelist_value_size > MAX_TOTAL
}

/// Fetch, no-CORS-safelisted request-header.
pub fn is_no_cors_safelisted(name: &str, value: &[u8]) -> bool {
    is_no_cors_safelisted_name(name) && is_cors_safelisted(name, value)
}

/// Fetch, no-CORS-safelisted request-header name.
pub fn is_no_cors_safelisted_name(name: &str) -> bool {
    is_one_of(name, &NO_CORS_NAMES)
}

/// Fetch, privileged no-CORS request-header name.
pub fn is_privileged_no_cors_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("Range")
}

/// Fetch, CORS-safelisted method. Methods are case-sensitive.
pub fn is_cors_safelisted_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

/// Fetch, forbidden method, in any case.
pub fn is_forbidden_method(method: &str) -> bool {
    is_one_of(method, &FORBIDDEN_METHODS)
}

/// Fetch, forbidden request-header.
pub fn is_forbidden_request_header(name: &str, value: &[u8]) -> bool {
    // Step 2, by bytes: a name may have characters of several.
    let has_prefix = |prefix: &&[u8]| name.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    // Step 3.2.
    let is_forbidden = |method: &[u8]| FORBIDDEN_METHODS.iter().any(|m| m.as_bytes().eq_ignore_ascii_case(method));
    is_one_of(name, &FORBIDDEN_REQUEST_NAMES)
        || FORBIDDEN_REQUEST_PREFIXES.iter().any(has_prefix)
        || is_one_of(name, &METHOD_OVERRIDES) && split(value).any(is_forbidden)
}

/// Fetch, forbidden response-header name.
pub fn is_forbidden_response_header_name(name: &str) -> bool {
    is_one_of(name, &FORBIDDEN_RESPONSE_NAMES)
}

/// Fetch, request-body-header name.
pub fn is_request_body_header_name(name: &str) -> bool {
    is_one_of(name, &REQUEST_BODY_NAMES)
}

/// Fetch, CORS non-wildcard request-header name.
pub fn is_non_wildcard_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("Authorization")
}

/// Fetch, CORS-safelisted response-header name, given a list of header names.
pub fn is_safelisted_response_name(name: &str, exposed: &[&str]) -> bool {
    is_one_of(name, &SAFELISTED_RESPONSE_NAMES) || is_one_of(name, exposed) && !is_forbidden_response_header_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFELISTED: [&str; 5] = ["accept", "accept-language", "content-language", "content-type", "range"];

    fn list<'a>(headers: &[(&'a str, &'a [u8])]) -> HeaderList<'a> {
        let mut list = HeaderList::new();
        for &(name, value) in headers {
            list.append(name, value);
        }
        list
    }

    /// A name as it is, in lower case, in upper case, and in a mixture.
    fn casings(name: &str) -> [String; 4] {
        let mixed = name.chars().enumerate().map(|(at, c)| if at % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
        [name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase(), mixed.collect()]
    }

    /// A set of names has these names in any case, and none that is shorter, longer or other.
    fn assert_names(is: impl Fn(&str) -> bool, names: &[&str], others: &[&str]) {
        for name in names {
            for name in casings(name) {
                assert!(is(&name), "{name}");
                assert!(!is(&format!("{name}x")) && !is(&format!("x{name}")) && !is(&format!("{name} ")) && !is(&format!(" {name}")));
            }
        }
        for name in others.iter().chain(&["", "X-Test", "*", "é", "\u{212A}"]) {
            assert!(!is(name), "{name}");
        }
    }

    #[test]
    fn unsafe_bytes() {
        let written = b"\"():<>?@[\\]{}\x7f";
        for byte in 0..=255 {
            assert_eq!(is_unsafe_byte(byte), byte < 0x20 && byte != 9 || written.contains(&byte), "{byte:#04x}");
        }
    }

    #[test]
    fn every_byte_in_every_safelisted_name() {
        for byte in 0..=255 {
            let inside = [b'a', byte, b'b'];
            let fine = !is_unsafe_byte(byte);
            let language = byte.is_ascii_alphanumeric() || b" *,-.;=".contains(&byte);
            for value in [&[byte][..], &inside] {
                assert_eq!(is_cors_safelisted("Accept", value), fine, "{byte:#04x}");
                assert_eq!(is_cors_safelisted("Accept-Language", value), language, "{byte:#04x}");
                assert_eq!(is_cors_safelisted("Content-Language", value), language, "{byte:#04x}");
                assert!(!is_cors_safelisted("Range", value) && !is_cors_safelisted("X-Test", value));
            }
            // In a parameter, every byte that is not unsafe.
            assert_eq!(is_cors_safelisted("Content-Type", &[b"text/plain;a=", &inside[..]].concat()), fine, "{byte:#04x}");
            // After the essence, white space, a semicolon, or nothing.
            let after = fine && matches!(byte, b'\t' | b' ' | b';');
            assert_eq!(is_cors_safelisted("Content-Type", &[b"text/plain", &[byte][..]].concat()), after, "{byte:#04x}");
            let before = fine && matches!(byte, b'\t' | b' ');
            assert_eq!(is_cors_safelisted("Content-Type", &[&[byte][..], b"text/plain"].concat()), before, "{byte:#04x}");
            // Around and in a range, digits alone.
            assert_eq!(is_cors_safelisted("Range", &[b"bytes=0-", &[byte][..]].concat()), byte.is_ascii_digit(), "{byte:#04x}");
            assert!(!is_cors_safelisted("Range", &[&[byte][..], b"bytes=0-1"].concat()), "{byte:#04x}");
        }
    }

    #[test]
    fn names_that_are_safelisted() {
        let values: [&[u8]; 5] = [b"text/html", b"de-CH", b"de-CH", b"text/plain", b"bytes=0-1"];
        for (name, value) in SAFELISTED.into_iter().zip(values) {
            for name in casings(name) {
                assert!(is_cors_safelisted(&name, value), "{name}");
                assert!(!is_cors_safelisted(&format!("{name}x"), value) && !is_cors_safelisted(&name[1..], value), "{name}");
            }
        }
        // All that are not: client hints, too, have no place in the standard's list.
        let others = [
            "",
            "X-Test",
            "Authorization",
            "Cache-Control",
            "Pragma",
            "If-None-Match",
            "If-Modified-Since",
            "X-Requested-With",
            "DPR",
            "Width",
            "Viewport-Width",
            "Device-Memory",
            "Downlink",
            "ECT",
            "RTT",
            "Save-Data",
            "Sec-CH-UA",
            "Last-Event-ID",
            "User-Agent",
            "Origin",
            "Accept-Encoding",
            "Content-Length",
            "*",
            "é",
        ];
        for name in others {
            for value in [&b""[..], b"1", b"text/plain", b"bytes=0-1"] {
                assert!(!is_cors_safelisted(name, value), "{name}");
            }
        }
    }

    #[test]
    fn values_that_are_safelisted() {
        let table: &[(&str, &[u8], bool)] = &[
            ("Accept", b"", true),
            ("Accept", b"text/html,\ttext/plain", true),
            ("Accept", b"a/b; c=d, *+-._~!#$%&'^`|", true),
            ("Accept", b"a\x80b\xE9\xFF", true),
            ("Accept", b"a\"b", false),
            ("Accept-Language", b"", true),
            ("Accept-Language", b"azAZ09 *,-.;=x", true),
            ("Accept-Language", b"de_x", false),
            ("Content-Language", b"", true),
            ("Content-Language", b"de\tx", false),
            ("Content-Type", b"application/x-www-form-urlencoded", true),
            ("Content-Type", b"multipart/form-data", true),
            ("Content-Type", b"multipart/form-data; boundary=abc", true),
            ("Content-Type", b"text/plain", true),
            ("Content-Type", b"TEXT/Plain", true),
            ("Content-Type", b"text/plain;charset=utf-8", true),
            ("Content-Type", b"text/plain;garbage", true),
            ("Content-Type", b"text/plain;", true),
            ("Content-Type", b"text/plain;a=b,c", true),
            ("Content-Type", b"text/plain;a=\xE9", true),
            ("Content-Type", b"text/plain;charset=\"utf-8\"", false),
            ("Content-Type", b"text/plain;a=(", false),
            ("Content-Type", b"text/plain;a=@", false),
            ("Content-Type", b"text/plain;a=\x01", false),
            ("Content-Type", b"", false),
            ("Content-Type", b"text", false),
            ("Content-Type", b"text /plain", false),
            ("Content-Type", b"text/plain,", false),
            ("Content-Type", b",text/plain", false),
            ("Content-Type", b"text/plain,text/plain", false),
            ("Content-Type", b"text/plain, text/plain", false),
            ("Content-Type", b"application/json", false),
            ("Content-Type", b"application/json;text/plain", false),
            ("Content-Type", b"text/html", false),
            ("Content-Type", b"text/plainx", false),
            ("Content-Type", b"application/csp-report", false),
            ("Range", b"bytes=0-499", true),
            ("Range", b"bytes=5-5", true),
            ("Range", b"bytes=500-", true),
            ("Range", b"bytes=00-01", true),
            ("Range", b"bytes=-500", false),
            ("Range", b"bytes=5-0", false),
            ("Range", b"bytes=0-1,2-3", false),
            ("Range", b"bytes=0-1, bytes=4-5", false),
            ("Range", b"bytes = 0-1", false),
            ("Range", b"bytes=0 -1", false),
            ("Range", b"items=0-1", false),
            ("Range", b"Bytes=0-1", false),
            ("Range", b"bytes=0-1x", false),
            ("Range", b"bytes=5", false),
            ("Range", b"bytes=-", false),
            ("Range", b"", false),
        ];
        for (name, value, safe) in table {
            assert_eq!(is_cors_safelisted(name, value), *safe, "{name}: {}", value.escape_ascii());
            assert_eq!(is_no_cors_safelisted(name, value), *safe && *name != "Range", "{name}: {}", value.escape_ascii());
        }
    }

    #[test]
    fn values_of_128_bytes() {
        for (name, start, fill, end) in [
            ("Accept", "", "a", ""),
            ("Accept-Language", "", "a", ""),
            ("Content-Language", "", "a", ""),
            ("Content-Type", "text/plain;", "a", ""),
            ("Range", "bytes=", "0", "-1"),
        ] {
            let value = |length: usize| format!("{start}{}{end}", fill.repeat(length - start.len() - end.len()));
            for (length, safe) in [(127, true), (128, true), (129, false), (1024, false)] {
                assert_eq!(value(length).len(), length);
                assert_eq!(is_cors_safelisted(name, value(length).as_bytes()), safe, "{name}, {length}");
            }
        }
        // It is bytes that count, after the value was normalized.
        assert!(!is_cors_safelisted("Accept", "é".repeat(65).as_bytes()) && is_cors_safelisted("Accept", "é".repeat(64).as_bytes()));
    }

    #[test]
    fn sorted_sets_of_unsafe_names() {
        type Example = (&'static [(&'static str, &'static [u8])], &'static [&'static str]);
        let table: &[Example] = &[
            (&[], &[]),
            (&[("Accept", b"text/html"), ("CONTENT-TYPE", b"text/plain"), ("Range", b"bytes=0-1")], &[]),
            (&[("X-Test", b"")], &["x-test"]),
            (&[("X-b", b"1"), ("x-a", b"1"), ("X-B", b"2"), ("Accept", b"*/*")], &["x-a", "x-b"]),
            (&[("b_", b"1"), ("b-", b"1"), ("bA", b"1"), ("B", b"1"), ("!", b"1"), ("~", b"1")], &["!", "b", "b-", "b_", "ba", "~"]),
            // Each field is judged by itself, and a name may be both.
            (&[("Content-Type", b"application/json"), ("Content-Type", b"text/plain")], &["content-type"]),
            (&[("Content-Type", b"text/plain"), ("Content-Type", b"text/plain")], &[]),
            (&[("Range", b"bytes=0-1"), ("Range", b"bytes=4-5")], &[]),
            (&[("Accept", b"a"), ("Accept", b"("), ("Accept", b")")], &["accept"]),
        ];
        for (headers, names) in table {
            assert_eq!(unsafe_names(&list(headers)), *names, "{headers:?}");
        }
        assert_eq!(unsafe_names(&list(&[("Accept", b"text/html")])).capacity(), 0);
        assert!(matches!(&unsafe_names(&list(&[("x-a", b"")]))[..], [Cow::Borrowed("x-a")]));
    }

    #[test]
    fn safelisted_values_of_1024_bytes() {
        let (full, long) = ([b'a'; 128], [b'a'; 129]);
        let mut headers: Vec<(&str, &[u8])> = vec![("Accept", &full); 7];
        headers.push(("Accept-Language", &full));
        assert_eq!(unsafe_names(&list(&headers)), [""; 0]);
        // What is unsafe does not count, nor does an empty value.
        headers.extend([("X-Test", &full[..]), ("Content-Language", &long), ("Content-Type", b"a"), ("Accept-Language", b"")]);
        assert_eq!(unsafe_names(&list(&headers)), ["content-language", "content-type", "x-test"]);
        // Above 1024, every name is unsafe.
        headers.push(("RANGE", b"bytes=0-"));
        assert_eq!(unsafe_names(&list(&headers)), ["accept", "accept-language", "content-language", "content-type", "range", "x-test"]);
        // One byte more is enough.
        headers.truncate(8);
        headers.push(("Content-Language", b"a"));
        assert_eq!(unsafe_names(&list(&headers)), ["accept", "accept-language", "content-language"]);
        // A value too long for itself does not count into the sum.
        assert_eq!(unsafe_names(&list(&[("Accept", &[b'a'; 2000]), ("Accept-Language", b"de")])), ["accept"]);
    }

    #[test]
    fn no_cors_names() {
        assert_names(is_no_cors_safelisted_name, &SAFELISTED[..4], &["Range", "DPR", "Content-Encoding"]);
        assert_names(is_privileged_no_cors_name, &["Range"], &["Accept", "Accept-Ranges", "If-Range"]);
        assert!(!is_no_cors_safelisted("X-Test", b"1") && is_no_cors_safelisted("aCCept", b"1") && !is_no_cors_safelisted("Accept", b"@"));
        assert!(!is_no_cors_safelisted("Accept", &[b'a'; 129]) && is_no_cors_safelisted("Accept-Language", b"de, en"));
        assert!(!is_no_cors_safelisted("Content-Type", b"text/plain, text/plain"));
    }

    #[test]
    fn methods() {
        for method in ["GET", "HEAD", "POST"] {
            assert!(is_cors_safelisted_method(method) && !is_cors_safelisted_method(&method.to_ascii_lowercase()));
        }
        for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "", "*", "GETS", "GE"] {
            assert!(!is_cors_safelisted_method(method), "{method}");
        }
        assert_names(is_forbidden_method, &["CONNECT", "TRACE", "TRACK"], &["GET", "OPTIONS", "TRACER", "TRAC"]);
    }

    #[test]
    fn forbidden_request_headers() {
        let listed = "accept-charset accept-encoding access-control-request-headers access-control-request-method connection \
                      content-length cookie cookie2 date dnt expect host keep-alive origin referer set-cookie te trailer \
                      transfer-encoding upgrade via";
        let listed: Vec<_> = listed.split_whitespace().collect();
        assert_eq!(listed.len(), 21);
        for value in [&b""[..], b"corscheck-1", b"\xFF\0\""] {
            let is = |name: &str| is_forbidden_request_header(name, value);
            let others = [
                "accept",
                "authorization",
                "set-cookie2",
                "user-agent",
                "referrer",
                "access-control-request-private-network",
                "second",
                "sec",
                "sec_x",
                "xsec-",
                "proxy",
                "proxy_x",
                "proxi-x",
                "éé",
                "sécrét-",
                "pro\u{fe}y-",
                "range",
                "content-type",
                "last-event-id",
                "x-http-method",
                "x-http-method-override",
                "x-method-override",
            ];
            assert_names(is, &listed, &others);
            for name in ["Sec-", "Sec-Fetch-Mode", "sEC-Corscheck", "SEC-é", "proxy-", "Proxy-Authorization", "PROXY-X"] {
                assert!(is(name), "{name}");
            }
        }
    }

    #[test]
    fn forbidden_method_overrides() {
        let table: &[(&[u8], bool)] = &[
            (b"TRACE", true),
            (b"CONNECT", true),
            (b"TRACK", true),
            (b"trace", true),
            (b"TrAcK", true),
            (b"GET, TRACE", true),
            (b"GET,TRACE,PUT", true),
            (b"\tconnect ,", true),
            (b",,track", true),
            (b"\"a,\",TRACE", true),
            (b"", false),
            (b",", false),
            (b"GET", false),
            (b"PUT", false),
            (b"PATCH", false),
            (b"TRACER", false),
            (b"TRACE TRACK", false),
            (b"TRACE;x", false),
            (b"TRACE\x0B", false),
            (b"TRACE\xE9", false),
            // In quotation marks it is another value.
            (b"\"TRACE\"", false),
            (b"\"TRACE", false),
            (b"\"a,TRACE,b\"", false),
            (b"\"a,TRACE", false),
        ];
        for (value, forbidden) in table {
            for name in METHOD_OVERRIDES.iter().flat_map(|name| casings(name)) {
                assert_eq!(is_forbidden_request_header(&name, value), *forbidden, "{name}: {}", value.escape_ascii());
            }
            for name in ["X-Method", "X-HTTP-Method-Overrides", "X-HTTP-Override"] {
                assert!(!is_forbidden_request_header(name, value), "{name}");
            }
        }
    }

    #[test]
    fn other_names() {
        assert_names(is_forbidden_response_header_name, &["Set-Cookie"], &["Cookie", "Set-Cookie3"]);
        assert_names(|n| is_forbidden_response_header_name(n) && n.len() > 10, &["Set-Cookie2"], &[]);
        assert_names(is_request_body_header_name, &REQUEST_BODY_NAMES, &["Content-Length", "Transfer-Encoding", "Content-Range"]);
        assert_names(is_non_wildcard_name, &["Authorization"], &["Proxy-Authorization", "*", "Cookie"]);
    }

    #[test]
    fn response_names() {
        let seven = ["Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma"];
        let never = ["ETag", "Date", "Server", "Location", "WWW-Authenticate", "Vary", "Set-Cookie", "Set-Cookie2", "Authorization"];
        assert_names(|n| is_safelisted_response_name(n, &[]), &seven, &never);
        assert_names(|n| is_safelisted_response_name(n, &["Set-Cookie", "set-cookie2"]), &seven, &never);
        let exposed = ["X-A", "etag", "SET-COOKIE", "Set-Cookie2", "*", "Pragma"];
        let is = |name: &str| is_safelisted_response_name(name, &exposed);
        for (name, shown) in [("x-a", true), ("ETag", true), ("X-B", false), ("X-", false), ("*", true), ("pragma", true)] {
            assert_eq!(is(name), shown, "{name}");
        }
        assert!(!is("Set-Cookie") && !is("set-cookie2") && is("Expires"));
    }
}
