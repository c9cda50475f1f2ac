//! Policies: what an owner means, and what is written into a middleware's options for it.

use serde::{Deserialize, Deserializer, Serialize};

use super::{CertifyError, application::Application};

/// What an owner means, or a trap.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its id: `p3`, `t1`.
    pub id: String,
    /// A few words.
    pub title: String,
    /// What it is about, in one sentence.
    pub why: String,
    /// What is wrong with the configuration, where it is one that a middleware should refuse.
    pub trap: Option<String>,
    /// What is written into the options.
    pub written: Written,
    /// What stands behind it.
    pub application: Application,
    /// What is meant: by path, the most special first; the last is for every other path.
    meant: Vec<(String, Grant)>,
}

/// What a program gets as `CORSCHECK_POLICY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Written {
    /// The middleware's defaults.
    Default {
        /// True.
        default: bool,
    },
    /// One policy by path.
    Paths {
        /// Each with its path.
        paths: Vec<PathOptions>,
    },
    /// One for all paths.
    Options(Options),
}

/// Options of everything below a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathOptions {
    /// The path.
    pub path: String,
    /// The options.
    #[serde(flatten)]
    pub options: Options,
}

/// What a middleware is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// Origins, patterns, `null` or `*`.
    pub origins: Strings,
    /// Whether requests with credentials are allowed.
    pub credentials: bool,
    /// Methods, or `*`.
    pub methods: Vec<String>,
    /// Request headers, or `*`.
    pub request_headers: Vec<String>,
    /// Response headers that script may read, or `*`.
    pub expose: Vec<String>,
    /// How long the answer to a preflight may be kept, in seconds.
    pub max_age: Option<i64>,
}

/// One string or a list of them: some policies are mistakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Strings {
    /// One.
    One(String),
    /// A list.
    List(Vec<String>),
}

/// What is granted to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who may read.
    pub origins: Origins,
    /// Whether with credentials.
    pub credentials: bool,
    /// Methods besides the safelisted ones; `*` for any.
    pub methods: Vec<String>,
    /// Request headers besides the safelisted ones; `*` for any.
    pub request_headers: Vec<String>,
    /// Response headers that script may read; absent where that is left open.
    pub expose: Option<Vec<String>>,
    /// How long the answer to a preflight may be kept, in seconds.
    pub max_age: Option<i64>,
}

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Everybody.
    Any,
    /// Left open: with credentials nobody may, without them either is right.
    Open,
    /// These: serialized origins, `null`, and patterns with one `*`.
    List(Vec<String>),
}

impl Origins {
    /// Whether an origin may read.
    pub fn allow(&self, origin: &str) -> bool {
        match self {
            Origins::Any => true,
            Origins::Open => false,
            Origins::List(list) => list.iter().any(|one| match one.split_once('*') {
                None => one == origin,
                Some((before, behind)) => {
                    // At least one character, and none of another scheme, host or port.
                    let inner = (origin.len() > before.len() + behind.len() && origin.starts_with(before) && origin.ends_with(behind))
                        .then(|| &origin[before.len()..origin.len() - behind.len()]);
                    inner.is_some_and(|inner| {
                        !inner.contains([':', '/', '@']) && !inner.starts_with('.') && !inner.ends_with('.') && !inner.contains("..")
                    })
                }
            }),
        }
    }
}

impl Grant {
    /// Nothing for anybody.
    pub fn nothing() -> Self {
        Self {
            origins: Origins::List(Vec::new()),
            credentials: false,
            methods: Vec::new(),
            request_headers: Vec::new(),
            expose: Some(Vec::new()),
            max_age: None,
        }
    }

    /// Whether the list of methods is `*`.
    pub fn any_method(&self) -> bool {
        self.methods.iter().any(|m| m == "*")
    }

    /// Whether the list of request headers is `*`.
    pub fn any_header(&self) -> bool {
        self.request_headers.iter().any(|h| h == "*")
    }
}

impl Policy {
    /// What is granted for a path.
    pub fn grant(&self, path: &str) -> &Grant {
        let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let found = self.meant.iter().find(|(prefix, _)| below(prefix.trim_end_matches('/')));
        found.map_or_else(|| &self.meant[self.meant.len() - 1].1, |(_, grant)| grant)
    }

    /// Whether a refusal at start is right.
    pub fn is_trap(&self) -> bool {
        self.trap.is_some()
    }

    /// A policy with one grant for all paths.
    pub fn of(id: &str, title: &str, written: Options) -> Self {
        let grant = grant(&written, &Means::default());
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            why: String::new(),
            trap: None,
            written: Written::Options(written),
            application: Application::Fixed,
            meant: vec![("/".to_owned(), grant)],
        }
    }

    /// The same by path; what is below none of them is granted to nobody.
    pub fn by_path(id: &str, title: &str, paths: Vec<(String, Options)>) -> Self {
        let mut meant: Vec<_> = paths.iter().map(|(path, options)| (path.clone(), grant(options, &Means::default()))).collect();
        // The most special first.
        meant.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        meant.push(("/".to_owned(), Grant::nothing()));
        let paths = paths.into_iter().map(|(path, options)| PathOptions { path, options }).collect();
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            why: String::new(),
            trap: None,
            written: Written::Paths { paths },
            application: Application::Fixed,
            meant,
        }
    }
}

/// The methods that are written where a policy names none.
const USUAL_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT"];

/// The request headers that are written where a policy names none.
const USUAL_HEADERS: &[&str] = &["X-A"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    id: String,
    title: String,
    why: String,
    trap: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    paths: Vec<PathEntry>,
    #[serde(default)]
    means: Means,
    origins: Option<Strings>,
    #[serde(default)]
    credentials: bool,
    methods: Option<Vec<String>>,
    request_headers: Option<Vec<String>>,
    #[serde(default)]
    expose: Vec<String>,
    max_age: Option<i64>,
}

/// Options as they stand in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OptionsEntry {
    /// Who may read.
    #[serde(deserialize_with = "list")]
    pub origins: Strings,
    /// Whether with credentials.
    #[serde(default)]
    pub credentials: bool,
    /// Methods; the usual ones when absent.
    pub methods: Option<Vec<String>>,
    /// Request headers.
    pub request_headers: Option<Vec<String>>,
    /// Response headers that script may read.
    #[serde(default)]
    pub expose: Vec<String>,
    /// In seconds.
    pub max_age: Option<i64>,
}

fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Strings, D::Error> {
    Vec::deserialize(deserializer).map(Strings::List)
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PathEntry {
    path: String,
    #[serde(flatten)]
    options: OptionsEntry,
}

/// What is meant where it is not what is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Means {
    origins: Option<Vec<String>>,
    credentials: Option<bool>,
    expose: Option<Vec<String>>,
}

impl From<OptionsEntry> for Options {
    fn from(entry: OptionsEntry) -> Self {
        let usual = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        Options {
            origins: entry.origins,
            credentials: entry.credentials,
            methods: entry.methods.unwrap_or_else(|| usual(USUAL_METHODS)),
            request_headers: entry.request_headers.unwrap_or_else(|| usual(USUAL_HEADERS)),
            expose: entry.expose,
            max_age: entry.max_age,
        }
    }
}

fn grant(options: &Options, means: &Means) -> Grant {
    let written = match &options.origins {
        Strings::One(one) => vec![one.clone()],
        Strings::List(list) => list.clone(),
    };
    let origins = means.origins.clone().unwrap_or(written);
    Grant {
        origins: match origins.as_slice() {
            [one] if one == "*" => Origins::Any,
            [one] if one == "?" => Origins::Open,
            _ => Origins::List(origins),
        },
        credentials: means.credentials.unwrap_or(options.credentials),
        methods: options.methods.clone(),
        request_headers: options.request_headers.clone(),
        expose: Some(means.expose.clone().unwrap_or_else(|| options.expose.clone())).filter(|list| list.iter().all(|h| h != "?")),
        max_age: options.max_age,
    }
}

fn policy(entry: &Entry) -> Result<Policy, String> {
    let named = |mut policy: Policy| {
        (policy.id, policy.title, policy.why, policy.trap) = (entry.id.clone(), entry.title.clone(), entry.why.clone(), entry.trap.clone());
        policy
    };
    if !entry.paths.is_empty() {
        let paths = entry.paths.iter().map(|p| (p.path.clone(), p.options.clone().into())).collect();
        return Ok(named(Policy::by_path("", "", paths)));
    }
    let options = OptionsEntry {
        origins: entry
            .origins
            .clone()
            .or_else(|| entry.default.then(|| Strings::List(Vec::new())))
            .ok_or_else(|| format!("the policy {} has no `origins`", entry.id))?,
        credentials: entry.credentials,
        methods: entry.methods.clone(),
        request_headers: entry.request_headers.clone(),
        expose: entry.expose.clone(),
        max_age: entry.max_age,
    };
    let options = Options::from(options);
    let meant = vec![("/".to_owned(), grant(&options, &entry.means))];
    let mut policy = named(Policy::of("", "", options));
    policy.meant = meant;
    if entry.default {
        policy.written = Written::Default { default: true };
    }
    Ok(policy)
}

/// Parses a file of policies.
pub(super) fn parse(file: &'static str, text: &str) -> Result<Vec<Policy>, CertifyError> {
    let parsed: File = toml::from_str(text).map_err(|e| CertifyError::Parse { file, error: e.to_string() })?;
    parsed.policy.iter().map(policy).collect::<Result<_, _>>().map_err(|words| CertifyError::Wrong { file, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_end_where_they_are_meant_to_end() {
        let origins = Origins::List(vec!["https://*.base.test".to_owned(), "null".to_owned(), "https://ab*ba.base.test".to_owned()]);
        for (origin, allowed) in [
            ("https://x.base.test", true),
            ("https://x.y.z.base.test", true),
            ("https://base.test", false),
            ("https://evilbase.test", false),
            ("https://.base.test", false),
            ("https://a..base.test", false),
            ("http://x.base.test", false),
            ("https://x.base.test:8443", false),
            ("https://x.base.test.evil.test", false),
            ("https://evil.test/.base.test", false),
            ("https://user@x.base.test", false),
            ("https://evil.test:1.base.test", false),
            ("null", true),
            ("https://aba.base.test", true),
        ] {
            assert_eq!(origins.allow(origin), allowed, "{origin}");
        }
        let inner = Origins::List(vec!["https://ab*ba.base.test".to_owned()]);
        assert!(inner.allow("https://abxba.base.test") && !inner.allow("https://aba.base.test") && !inner.allow("https://abba.base.test"));
    }

    #[test]
    fn the_most_special_path_decides() {
        let options = |origin: &str| Options {
            origins: Strings::List(vec![origin.to_owned()]),
            credentials: false,
            methods: Vec::new(),
            request_headers: Vec::new(),
            expose: Vec::new(),
            max_age: None,
        };
        let policy = Policy::by_path("x", "x", vec![("/a".to_owned(), options("*")), ("/a/b".to_owned(), options("https://x.test"))]);
        assert_eq!(policy.grant("/a/c").origins, Origins::Any);
        assert_ne!(policy.grant("/a/b/c").origins, Origins::Any);
        assert_eq!(policy.grant("/ab").origins, Origins::List(Vec::new()));
    }
}
