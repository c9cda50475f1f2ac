//! The fixed application that stands behind every certified middleware, the same in every language.

use std::borrow::Cow;

/// The field by which the application signs its own answers.
pub const SIGNATURE: (&str, &str) = ("X-App", "corscheck");

/// The body of a resource.
pub const RESOURCE: &str = "resource";

/// What stands behind the middleware.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Application {
    /// The fixed application.
    #[default]
    Fixed,
    /// A service of which this much was seen.
    Observed(Observed),
}

impl Application {
    /// What it answers.
    pub fn answer(&self, method: &str, path: &str, query: Option<&str>) -> Answer {
        match self {
            Application::Fixed => answer(method, path, query),
            Application::Observed(seen) => Answer { status: seen.status, fields: seen.fields.clone(), body: None, own: false },
        }
    }
}

/// What a service answers on a path when no page asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The status.
    pub status: u16,
    /// The fields that are about neither the connection nor CORS.
    pub fields: Vec<(Cow<'static, str>, String)>,
}

/// An answer of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Fields, without the signature.
    pub fields: Vec<(Cow<'static, str>, String)>,
    /// The body; absent where it is the framework's.
    pub body: Option<&'static str>,
    /// Whether it is the application's own, and signed; else it is the framework's.
    pub own: bool,
}

/// Paths that a smoke check looks at.
pub const PATHS: &[&str] = &[
    "/r",
    "/401",
    "/403",
    "/404",
    "/405",
    "/413",
    "/500",
    "/302",
    "/304",
    "/dup",
    "/opt",
    "/img",
    "/get",
    "/public/r",
    "/private/r",
    "/nowhere",
];

/// What the application answers.
pub fn answer(method: &str, path: &str, query: Option<&str>) -> Answer {
    let plain = |status, body| Answer { status, fields: Vec::new(), body: Some(body), own: true };
    let framework = |status| Answer { status, fields: Vec::new(), body: None, own: false };
    let resource = || Answer {
        status: 200,
        fields: vec![
            ("Content-Type".into(), "text/plain".to_owned()),
            ("Vary".into(), "Accept-Language".to_owned()),
            ("X-Secret".into(), "secret".to_owned()),
            ("X-Other".into(), "other".to_owned()),
            ("ETag".into(), "\"r\"".to_owned()),
            ("Cache-Control".into(), "max-age=600".to_owned()),
        ],
        body: Some(RESOURCE),
        own: true,
    };
    match path {
        "/r" | "/public/r" | "/private/r" | "/slow" => resource(),
        "/dup" => {
            let mut answer = resource();
            answer.fields.push(("Access-Control-Allow-Origin".into(), "https://handler.test".to_owned()));
            answer
        }
        "/get" if matches!(method, "GET" | "HEAD") => resource(),
        "/get" => framework(405),
        "/401" => plain(401, "error"),
        "/403" => plain(403, "error"),
        "/404" => plain(404, "error"),
        "/405" => plain(405, "error"),
        "/413" => plain(413, "error"),
        "/500" => framework(500),
        "/302" => Answer {
            status: 302,
            fields: vec![("Location".into(), query.map_or_else(|| "/r".to_owned(), |query| format!("/r?{query}")))],
            body: None,
            own: true,
        },
        "/304" => Answer { status: 304, fields: vec![("ETag".into(), "\"r\"".to_owned())], body: Some(""), own: true },
        "/opt" => plain(200, if method == "OPTIONS" { "own options" } else { "no options" }),
        "/img" => Answer { status: 200, fields: vec![("Content-Type".into(), "image/png".to_owned())], body: None, own: true },
        _ => framework(404),
    }
}

/// The smallest PNG there is: one transparent pixel.
pub const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63,
    0x60, 0x60, 0x60, 0x60, 0x00, 0x00, 0x00, 0x05, 0x00, 0x01, 0xa5, 0xf6, 0x45, 0x40, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44,
    0xae, 0x42, 0x60, 0x82,
];
