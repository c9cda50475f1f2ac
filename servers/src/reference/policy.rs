//! What the reference is told: the policy, read and refused by itself.

use serde::Deserialize;

use super::patterns::Pattern;

/// A configuration that should not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub(super) String);

/// Everything that the reference is told.
#[derive(Debug)]
pub struct Settings {
    pub(super) scopes: Vec<Scope>,
    pub(super) defect: Option<&'static str>,
    pub(super) is_default: bool,
}

/// What holds below a path.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) path: String,
    pub(super) origins: Vec<Pattern>,
    /// As they were written.
    pub(super) written: Vec<String>,
    pub(super) credentials: bool,
    pub(super) methods: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) expose: Vec<String>,
    pub(super) max_age: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Json {
    default: bool,
    paths: Vec<PathJson>,
    origins: Option<Strings>,
    credentials: bool,
    methods: Vec<String>,
    request_headers: Vec<String>,
    expose: Vec<String>,
    max_age: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PathJson {
    path: String,
    #[serde(flatten)]
    rest: Json2,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json2 {
    origins: Strings,
    #[serde(default)]
    credentials: bool,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    request_headers: Vec<String>,
    #[serde(default)]
    expose: Vec<String>,
    max_age: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Strings {
    One(String),
    List(Vec<String>),
}

impl Settings {
    pub(super) fn parse(policy: &str, defect: Option<&'static str>) -> Result<Self, Refusal> {
        let json: Json = serde_json::from_str(policy).map_err(|e| Refusal(format!("no policy: {e}")))?;
        let is = |name| defect == Some(name);
        if json.default {
            // Who sets nothing allows nobody.
            let scope = Scope {
                path: String::new(),
                origins: if is("S02") || is("S03") { vec![Pattern::Any] } else { Vec::new() },
                written: Vec::new(),
                credentials: is("S02"),
                methods: Vec::new(),
                headers: Vec::new(),
                expose: Vec::new(),
                max_age: None,
            };
            return Ok(Self { scopes: vec![scope], defect, is_default: true });
        }
        let parts = if json.paths.is_empty() {
            let origins = json.origins.ok_or_else(|| Refusal("`origins` is missing".to_owned()))?;
            vec![(String::new(), origins, json.credentials, json.methods, json.request_headers, json.expose, json.max_age)]
        } else {
            let part = |p: PathJson| {
                (p.path, p.rest.origins, p.rest.credentials, p.rest.methods, p.rest.request_headers, p.rest.expose, p.rest.max_age)
            };
            json.paths.into_iter().map(part).collect()
        };
        let scopes = parts
            .into_iter()
            .map(|(path, origins, credentials, methods, headers, expose, max_age)| {
                let written = match origins {
                    Strings::One(text) if is("F31") => text.chars().map(String::from).collect(),
                    Strings::One(text) => vec![text],
                    Strings::List(list) => list,
                };
                let lenient = is("S10") || is("S11");
                let read = |text: &String| match defect {
                    // Taken as it stands, it never matches.
                    Some("F30" | "F31") if !text.contains('*') => Ok(Pattern::Origin(text.clone())),
                    Some("F19") if text == "*" => Ok(Pattern::Origin("*".to_owned())),
                    Some("S10") if text == "https://*" => Ok(Pattern::Wild("https://".to_owned(), String::new())),
                    _ => Pattern::parse(text, credentials && !lenient),
                };
                let origins = written.iter().map(read).collect::<Result<Vec<_>, _>>()?;
                if origins.contains(&Pattern::Any) && credentials && !is("S01") && !is("F20") {
                    return Err(Refusal("every origin with credentials: any site could act as any user; list the origins".to_owned()));
                }
                Ok(Scope { path, origins, written, credentials, methods, headers, expose, max_age })
            })
            .collect::<Result<Vec<_>, Refusal>>()?;
        Ok(Self { scopes, defect, is_default: false })
    }
}
