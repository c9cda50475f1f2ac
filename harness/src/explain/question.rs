//! What is asked: a request, and the page that makes it.

use corscheck_cases::{
    bind::Action,
    format::{Api, BodyEntry, Credentials, Mode, RedirectMode, UploadListener},
    oracle::{
        Call, Environment, ReferrerPolicy, ReferrerSource,
        origin::{Origin, is_potentially_trustworthy},
    },
};
use serde::Deserialize;
use url::Url;

/// The page's origin where none is given.
const USUAL_ORIGIN: &str = "https://app.example";

/// The same for a URL that a page of [`USUAL_ORIGIN`] could not ask for: that would be mixed content.
const USUAL_PLAIN_ORIGIN: &str = "http://app.example";

/// The URL where none is given and none is needed, because the answers are described.
pub const USUAL_URL: &str = "https://api.example/resource";

/// A request as far as somebody has said what it is: by options, or in a file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Asked {
    /// The URL.
    pub url: Option<String>,
    /// The origin of the page that asks, or `null`.
    pub origin: Option<String>,
    /// Whether it asks from a context with an opaque origin, such as a sandboxed frame.
    pub opaque_origin: bool,
    /// The method, as script passes it.
    pub method: Option<String>,
    /// Header pairs, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<BodyEntry>,
    /// The credentials mode; for XMLHttpRequest `include` means withCredentials.
    pub credentials: Option<Credentials>,
    /// The request mode, of `fetch()`.
    pub mode: Option<Mode>,
    /// The redirect mode, of `fetch()`.
    pub redirect: Option<RedirectMode>,
    /// The API.
    pub api: Option<Api>,
    /// Whether there are listeners on `xhr.upload`.
    pub upload_listener: bool,
    /// Response headers that script means to read.
    pub expects_headers: Vec<String>,
}

/// A request that can be made.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where it goes.
    pub url: Url,
    /// The page that makes it.
    pub environment: Environment,
    /// The call of its script.
    pub call: Call,
    /// Response headers that script means to read.
    pub expects: Vec<String>,
    /// What was taken for granted, in sentences.
    pub remarks: Vec<String>,
}

impl Asked {
    /// What is said here, and for the rest what is said there.
    pub fn or(self, other: Asked) -> Asked {
        Asked {
            url: self.url.or(other.url),
            // An opaque origin on either side is meant.
            opaque_origin: self.opaque_origin || (self.origin.is_none() && other.opaque_origin),
            origin: self.origin.or(other.origin),
            method: self.method.or(other.method),
            headers: if self.headers.is_empty() { other.headers } else { self.headers },
            body: self.body.or(other.body),
            credentials: self.credentials.or(other.credentials),
            mode: self.mode.or(other.mode),
            redirect: self.redirect.or(other.redirect),
            api: self.api.or(other.api),
            upload_listener: self.upload_listener || other.upload_listener,
            expects_headers: if self.expects_headers.is_empty() { other.expects_headers } else { self.expects_headers },
        }
    }

    /// Makes it ready.
    ///
    /// # Errors
    ///
    /// What cannot be, and what is expected instead.
    pub fn question(self) -> Result<Question, String> {
        let mut remarks = Vec::new();
        let text = self.url.as_deref().ok_or("there is no URL: name the one that the page asks for")?;
        let url = Url::parse(text).map_err(|e| format!("`{text}` is no URL ({e}): expected one like https://api.example/resource"))?;
        if url.cannot_be_a_base() && !matches!(url.scheme(), "about" | "blob" | "data") {
            return Err(format!("`{text}` has no scheme: expected a URL like http://{text}"));
        }
        let (page_origin, page, opaque) = asker(self.origin.as_deref(), self.opaque_origin, &url, &mut remarks)?;
        let api = self.api.unwrap_or_default();
        if api.is_initiator() {
            return Err(format!("`{}` is not explained yet: `fetch` or `xhr`", api.word()));
        }
        let xhr = api == Api::Xhr;
        if xhr && (self.mode.is_some() || self.redirect.is_some()) {
            return Err("`mode` and `redirect` belong to fetch: XMLHttpRequest has no such option".to_owned());
        }
        if xhr && self.credentials == Some(Credentials::Omit) {
            return Err("XMLHttpRequest has no credentials mode `omit`: `same-origin` or `include` (withCredentials)".to_owned());
        }
        if !xhr && self.upload_listener {
            return Err("an upload listener belongs to XMLHttpRequest: ask with the API xhr".to_owned());
        }
        if xhr && matches!(self.body, Some(BodyEntry::Stream(_))) {
            return Err("a stream belongs to fetch: XMLHttpRequest cannot send it".to_owned());
        }
        let action = Action {
            wait_ms: 0,
            api,
            crossorigin: None,
            destination: None,
            timing: false,
            url: url.to_string(),
            method: self.method,
            headers: self.headers,
            body: self.body,
            credentials: self.credentials,
            abort_after_ms: None,
            mode: self.mode,
            redirect: self.redirect,
            cache: None,
            referrer: None,
            referrer_policy: None,
            integrity: None,
            keepalive: false,
            handling: corscheck_cases::handling::Handling::default(),
            worker: None,
            blob: None,
            entry: Vec::new(),
            sync: false,
            upload_listener: self.upload_listener.then_some(UploadListener::Add),
            timeout_ms: None,
            open_credentials: None,
            late_credentials: false,
            probe_headers: self.expects_headers.clone(),
        };
        let call = Call::new(action, &page);
        let environment = Environment {
            partition: page_origin.site(),
            origin: if opaque { Origin::Opaque } else { page_origin.clone() },
            base_origin: page_origin.clone(),
            page_origin,
            referrer: ReferrerSource::new(page.clone()),
            base: page.clone(),
            inherits_origin: false,
            policies: corscheck_cases::oracle::policy::Policies::default(),
            url: page,
            is_window: true,
            referrer_policy: ReferrerPolicy::StrictOriginWhenCrossOrigin,
            worker: None,
            has_cross_site_ancestor: opaque,
        };
        Ok(Question { url, environment, call, expects: self.expects_headers, remarks })
    }
}

/// The origin of the page, the page's URL, and whether the request comes from an opaque origin.
fn asker(origin: Option<&str>, opaque: bool, url: &Url, remarks: &mut Vec<String>) -> Result<(Origin, Url, bool), String> {
    let usual = if url.scheme() == "http" && !is_potentially_trustworthy(url) { USUAL_PLAIN_ORIGIN } else { USUAL_ORIGIN };
    let (text, opaque) = match origin {
        None => {
            remarks.push(format!("No origin was given: the page is taken to be one of {usual}."));
            (usual, opaque)
        }
        Some("null") => (usual, true),
        Some(text) if text.starts_with("file:") || text.starts_with("data:") => {
            remarks.push(format!("Pages of {}: URLs have an opaque origin: they send `Origin: null`.", &text[..4]));
            (usual, true)
        }
        Some(text) => (text, opaque),
    };
    let page = Url::parse(text).ok().filter(|page| matches!(page.scheme(), "http" | "https") && page.has_host());
    let page = page.ok_or_else(|| {
        format!("`{text}` is no origin of a page: expected SCHEME://HOST or SCHEME://HOST:PORT with http or https, or null")
    })?;
    let origin = Origin::of(&page);
    if origin.serialized() != text {
        remarks.push(format!("`{text}` is not how browsers write an origin: they send {}.", origin.serialized()));
    }
    Ok((origin, page, opaque))
}

impl Question {
    /// The method as it will be on the wire.
    pub fn method(&self) -> &str {
        let method = self.call.action.method.as_deref().unwrap_or("GET");
        corscheck_cases::oracle::grammar::normalize_method(method)
    }

    /// What `Origin` says until redirects have led astray.
    pub fn origin(&self) -> &str {
        self.environment.origin.serialized()
    }

    /// Whether the credentials mode is `include`.
    pub fn includes_credentials(&self) -> bool {
        self.call.action.credentials == Some(Credentials::Include)
    }

    /// The request mode.
    pub fn mode(&self) -> Mode {
        self.call.action.mode.unwrap_or(Mode::Cors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, origin: Option<&str>) -> Asked {
        Asked { url: Some(url.to_owned()), origin: origin.map(str::to_owned), ..Asked::default() }
    }

    #[test]
    fn an_origin_that_was_not_given_is_told() {
        let of = |url| asked(url, None).question().expect("a question");
        assert_eq!(of("http://127.0.0.1:8080/x").origin(), "https://app.example");
        assert_eq!(of("https://api.example/x").origin(), "https://app.example");
        // A secure page could not ask there at all.
        assert_eq!(of("http://api.example/x").origin(), "http://app.example");
        assert_eq!(of("http://api.example/x").remarks, ["No origin was given: the page is taken to be one of http://app.example."]);
    }

    #[test]
    fn an_origin_is_what_browsers_make_of_it() {
        let question = asked("https://api.example/", Some("https://App.example:443/path")).question().expect("a question");
        assert_eq!(question.origin(), "https://app.example");
        assert_eq!(
            question.remarks,
            ["`https://App.example:443/path` is not how browsers write an origin: they send https://app.example."]
        );
        assert!(asked("https://api.example/", Some("https://app.example")).question().expect("a question").remarks.is_empty());
        assert_eq!(asked("https://api.example/", Some("null")).question().expect("a question").origin(), "null");
        let file = asked("https://api.example/", Some("file:///x.html")).question().expect("a question");
        assert_eq!((file.origin(), file.remarks.len()), ("null", 1));
        for wrong in ["app.example", "app.example:80", "ftp://x", "", "*"] {
            let error = asked("https://api.example/", Some(wrong)).question().expect_err("no origin");
            assert!(error.contains("SCHEME://HOST"), "{error}");
        }
    }

    #[test]
    fn options_go_before_the_file() {
        let options = Asked { method: Some("PUT".to_owned()), ..asked("https://a.example/", None) };
        let file = Asked {
            method: Some("GET".to_owned()),
            credentials: Some(Credentials::Include),
            opaque_origin: true,
            ..asked("https://b.example/", Some("https://page.example"))
        };
        let both = options.or(file);
        assert_eq!(both.url.as_deref(), Some("https://a.example/"));
        let question = both.question().expect("a question");
        assert_eq!((question.method(), question.includes_credentials(), question.origin()), ("PUT", true, "null"));
    }

    #[test]
    fn what_an_api_lacks_is_a_mistake() {
        let xhr = || Asked { api: Some(Api::Xhr), ..asked("https://b.example/", None) };
        let errors = [
            Asked { mode: Some(Mode::NoCors), ..xhr() },
            Asked { redirect: Some(RedirectMode::Error), ..xhr() },
            Asked { credentials: Some(Credentials::Omit), ..xhr() },
            Asked { body: Some(BodyEntry::Stream(Vec::new())), ..xhr() },
            Asked { upload_listener: true, ..asked("https://b.example/", None) },
            Asked { url: Some("b.example".to_owned()), ..Asked::default() },
            Asked { url: Some("localhost:8080/x".to_owned()), ..Asked::default() },
            Asked::default(),
        ];
        for asked in errors {
            assert!(asked.clone().question().is_err(), "{asked:?}");
        }
    }
}
