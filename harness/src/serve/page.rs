//! The page of `corscheck serve`: the look of the report, and a script of its own.

use axum::http::{HeaderName, HeaderValue, header};

use crate::report::html::{STYLE, hash};

const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("../../report/words.js"),
    include_str!("../../report/dom.js"),
    include_str!("../../report/serve.js"),
    "})();\n",
);

/// The document.
pub(super) fn document() -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>corscheck</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n<main id=\"main\"><p>This page needs script: it runs cases in this browser.</p></main>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// The fields that go with it: nothing but what is in it runs, and nobody frames it.
pub(super) fn headers() -> [(HeaderName, HeaderValue); 2] {
    let policy = format!(
        "default-src 'none'; connect-src 'self' ws:; img-src data:; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
