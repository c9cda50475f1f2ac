//! What the consoles of Chrome and Firefox say of a request: their well-known sentences, put together from the evidence.
//!
//! The wording is that of Chromium 156 and Firefox 153; a test holds it against what the real browsers say. The way back, from
//! their words to reasons, is [`chromium_reason`](crate::browser::chromium_reason) and
//! [`firefox_reason`](crate::browser::firefox_reason).

use corscheck_cases::{
    Outcome, Reason,
    bind::ApiWord,
    oracle::{grammar::is_token, network::Fault, safelist::is_non_wildcard_name},
};
use serde::Serialize;
use url::Url;

use super::{
    evidence::Evidence,
    reach::{Reach, TlsFault},
    symptoms::names_not_granted,
    wire::{Exchange, Response},
};

/// What the consoles say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Consoles {
    /// Chrome's lines.
    pub chrome: Vec<String>,
    /// Firefox's lines.
    pub firefox: Vec<FirefoxLine>,
    /// Where engines are known to do otherwise than the standard demands, what they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// A line of Firefox's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirefoxLine {
    /// The line.
    pub text: String,
    /// Its category, as the line's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<&'static str>,
    /// MDN's page about it: where "Learn More" leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Where MDN explains the categories.
const MDN: &str = "https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/";

/// Schemes that Chrome names.
const CHROME_SCHEMES: &str =
    "chrome, chrome-experimental-site-token-provider, chrome-extension, chrome-untrusted, data, http, https, isolated-app";

/// What the consoles say of this; nothing where the page may read.
pub fn consoles(e: &Evidence) -> Consoles {
    if !matches!(e.run.outcome(), Outcome::Blocked) {
        return Consoles::default();
    }
    if let Some(name) = refused_name(e)
        && let Some((_, response)) = e.refused_for(&[Reason::HeaderNotAllowed])
        && is_non_wildcard_name(&name)
        && response.lists("Access-Control-Allow-Headers", "*")
        && !e.question.includes_credentials()
    {
        return only_warned(url(e));
    }
    Consoles { chrome: chrome(e), firefox: firefox(e), note: None }
}

/// Authorization under `*`: blocked by the standard, and let pass by the engines of today.
fn only_warned(url: &Url) -> Consoles {
    let text = format!(
        "Cross-Origin Request Warning: The Same Origin Policy will disallow reading the remote resource at {url} soon. (Reason: When the \
         `Access-Control-Allow-Headers` is `*`, the `Authorization` header is not covered. To include the `Authorization` header, it must be \
         explicitly listed in CORS header `Access-Control-Allow-Headers`)."
    );
    Consoles {
        chrome: Vec::new(),
        firefox: vec![FirefoxLine { text, category: Some("CORSAllowHeaderFromPreflightDeprecation"), link: None }],
        note: Some("Chromium, Firefox and WebKit let this request pass today, against the standard; Chrome says nothing, Firefox warns."),
    }
}

fn is_xhr(e: &Evidence) -> bool {
    e.question.call.action.api == ApiWord::Xhr
}

/// The URL that the consoles name.
fn url(e: &Evidence) -> &Url {
    e.decisive().map_or(&e.question.url, |x| &x.url)
}

fn chrome(e: &Evidence) -> Vec<String> {
    let url = url(e);
    let origin = e.question.origin();
    let mut lines = Vec::new();
    if let Some(sentence) = chrome_sentence(e) {
        let api = if is_xhr(e) { "XMLHttpRequest" } else { "fetch" };
        let led = if *url == e.question.url { String::new() } else { format!(" (redirected from '{}')", e.question.url) };
        lines.push(format!("Access to {api} at '{url}'{led} from origin '{origin}' has been blocked by CORS policy: {sentence}"));
    } else if e.reason() == Some(Reason::BlockedByPolicy) {
        let what = if is_xhr(e) { "XMLHttpRequest endpoint" } else { "resource" };
        lines.push(format!(
            "Mixed Content: The page at '{}' was loaded over HTTPS, but requested an insecure {what} '{}'. This request has been blocked; \
             the content must be served over HTTPS.",
            e.question.environment.url,
            blocked_url(e)
        ));
    } else if e.reason() == Some(Reason::ModeSameOrigin) {
        lines.push(format!(
            "Fetch API cannot load {}. Request mode is \"same-origin\" but the URL's origin is not same as the request origin {origin}.",
            blocked_url(e)
        ));
    }
    if let Some(code) = chrome_code(e) {
        lines.push(format!("{} {} {code}", e.question.method(), blocked_url(e)));
    }
    if !is_xhr(e) {
        lines.push("Uncaught (in promise) TypeError: Failed to fetch".to_owned());
    }
    lines
}

/// The URL that was not asked any more: where a redirect led, if it was one.
fn blocked_url(e: &Evidence) -> Url {
    let redirect = e.decisive().and_then(|x| Some((x, x.response().filter(|r| r.is_redirect())?)));
    let before_the_wire = matches!(e.reason(), Some(Reason::BlockedByPolicy | Reason::ModeSameOrigin | Reason::BadPort));
    redirect.filter(|_| before_the_wire).and_then(|(x, r)| x.url.join(&r.text("Location")?).ok()).unwrap_or_else(|| url(e).clone())
}

fn chrome_sentence(e: &Evidence) -> Option<String> {
    let reason = e.reason()?;
    let exchange = e.decisive();
    let response = exchange.and_then(Exchange::response);
    let on_preflight = exchange.is_some_and(|x| x.is_preflight);
    let value = response.and_then(Response::allow_origin).unwrap_or_default();
    let valid = if is_xhr(e) { "" } else { " Have the server send the header with a valid value." };
    let xhr = " The credentials mode of requests initiated by the XMLHttpRequest is controlled by the withCredentials attribute.";
    let xhr = if is_xhr(e) { xhr } else { "" };
    let sentence = match reason {
        Reason::AcaoMissing => "No 'Access-Control-Allow-Origin' header is present on the requested resource.".to_owned(),
        Reason::WildcardWithCredentials => format!(
            "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'.{xhr}"
        ),
        Reason::AcaoMismatch | Reason::AcaoInvalid | Reason::AcaoMultiple if value.contains([',', ' ']) => {
            format!("The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is allowed.{valid}")
        }
        Reason::AcaoMismatch | Reason::AcaoInvalid | Reason::AcaoMultiple => match Url::parse(&value) {
            Err(_) if value != "null" => {
                format!("The 'Access-Control-Allow-Origin' header contains the invalid value '{value}'.{valid}")
            }
            _ => format!("The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied origin.{valid}"),
        },
        Reason::AcacNotTrue => {
            let value = response.and_then(|r| r.text("Access-Control-Allow-Credentials")).unwrap_or_default();
            format!(
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '{value}' which must be 'true' when the request's credentials mode is 'include'.{xhr}"
            )
        }
        Reason::PreflightRedirect if response.is_some_and(|r| r.headers.contains("Location")) => {
            "Redirect is not allowed for a preflight request.".to_owned()
        }
        Reason::PreflightNotOk | Reason::PreflightRedirect => "It does not have HTTP ok status.".to_owned(),
        Reason::MethodNotAllowed => {
            return Some(format!("Method {} is not allowed by Access-Control-Allow-Methods in preflight response.", e.question.method()));
        }
        Reason::HeaderNotAllowed => {
            let name = refused_name(e)?;
            return Some(format!("Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response."));
        }
        Reason::AllowMethodsMalformed => {
            return Some("Cannot parse Access-Control-Allow-Methods response header field in preflight response.".to_owned());
        }
        Reason::AllowHeadersMalformed => {
            return Some("Cannot parse Access-Control-Allow-Headers response header field in preflight response.".to_owned());
        }
        Reason::RedirectUserinfo => {
            return Some(
                "Redirect location '' contains a username and password, which is disallowed for cross-origin requests.".to_owned(),
            );
        }
        Reason::SchemeNotAllowed => {
            return Some(format!("Cross origin requests are only supported for protocol schemes: {CHROME_SCHEMES}."));
        }
        _ => return None,
    };
    let check = if on_preflight { "Response to preflight request doesn't pass access control check: " } else { "" };
    Some(format!("{check}{sentence}"))
}

/// The header that the preflight's answer does not grant: engines name the first.
fn refused_name(e: &Evidence) -> Option<String> {
    let (exchange, response) = e.refused_for(&[Reason::HeaderNotAllowed])?;
    names_not_granted(exchange, response, e.question.includes_credentials()).into_iter().next()
}

/// Chrome's code for a failed load, as it stands behind method and URL.
fn chrome_code(e: &Evidence) -> Option<String> {
    let code = match e.reason()? {
        Reason::BadPort => "net::ERR_UNSAFE_PORT",
        Reason::RedirectLimit => "net::ERR_TOO_MANY_REDIRECTS",
        Reason::RedirectScheme => "net::ERR_UNSAFE_REDIRECT",
        Reason::RedirectLocationInvalid => "net::ERR_INVALID_REDIRECT",
        Reason::Corp => "net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin",
        Reason::BlockedByPolicy | Reason::ModeSameOrigin => return None,
        _ if e.run.is_unanswered() => unanswered_code(e),
        _ => "net::ERR_FAILED",
    };
    let status = e.decisive().filter(|x| !x.is_preflight && !x.is_assumed()).and_then(Exchange::response);
    Some(match status {
        Some(response) => {
            let status = http::StatusCode::from_u16(response.status).ok();
            format!("{code} {} ({})", response.status, status.and_then(|s| s.canonical_reason()).unwrap_or_default())
        }
        None => code.to_owned(),
    })
}

fn unanswered_code(e: &Evidence) -> &'static str {
    match (&e.reach, e.decisive().and_then(Exchange::fault)) {
        (Some(Reach::Unresolved { .. }), _) => "net::ERR_NAME_NOT_RESOLVED",
        (Some(Reach::Refused { .. }), _) => "net::ERR_CONNECTION_REFUSED",
        (Some(Reach::NoConnection { .. }), _) => "net::ERR_CONNECTION_TIMED_OUT",
        (Some(Reach::Tls { fault: TlsFault::UnknownIssuer, .. }), _) => "net::ERR_CERT_AUTHORITY_INVALID",
        (Some(Reach::Tls { fault: TlsFault::WrongName, .. }), _) => "net::ERR_CERT_COMMON_NAME_INVALID",
        (Some(Reach::Tls { fault: TlsFault::Expired, .. }), _) => "net::ERR_CERT_DATE_INVALID",
        (Some(Reach::Tls { fault: TlsFault::Other, .. } | Reach::PlainOnTls), _) => "net::ERR_SSL_PROTOCOL_ERROR",
        (Some(Reach::NotHttp { .. } | Reach::TlsOnPlain), _) => "net::ERR_INVALID_HTTP_RESPONSE",
        (_, Some(Fault::TimedOut)) | (Some(Reach::Silent { .. }), _) => "net::ERR_TIMED_OUT",
        _ => "net::ERR_EMPTY_RESPONSE",
    }
}

fn firefox(e: &Evidence) -> Vec<FirefoxLine> {
    let mut lines = firefox_lines(e);
    if !is_xhr(e) {
        let text = "Uncaught (in promise) TypeError: NetworkError when attempting to fetch resource.".to_owned();
        lines.push(FirefoxLine { text, category: None, link: None });
    }
    lines
}

fn firefox_lines(e: &Evidence) -> Vec<FirefoxLine> {
    let Some(reason) = e.reason() else { return Vec::new() };
    let exchange = e.decisive();
    let response = exchange.and_then(Exchange::response);
    let value = response.and_then(Response::allow_origin).unwrap_or_default();
    let status = response.map_or(0, |r| r.status);
    let url = url(e);
    let line = |category: &'static str, reason: String| {
        let text = format!(
            "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at {url}. (Reason: {reason}"
        );
        let slug = category.trim_end_matches(|c: char| c.is_ascii_digit());
        vec![FirefoxLine { text, category: Some(category), link: Some(format!("{MDN}{slug}")) }]
    };
    let fields = response.map_or(0, |r| r.headers.values("Access-Control-Allow-Origin").count());
    let general = || line("CORSDidNotSucceed2", "CORS request did not succeed). Status code: (null).".to_owned());
    let preflight = || line("CORSPreflightDidNotSucceed3", format!("CORS preflight response did not succeed). Status code: {status}."));
    match reason {
        Reason::AcaoMissing => {
            line("CORSMissingAllowOrigin2", format!("CORS header ‘Access-Control-Allow-Origin’ missing). Status code: {status}."))
        }
        Reason::AcaoMultiple if fields > 1 => {
            line("CORSMultipleAllowOriginNotAllowed", "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed).".to_owned())
        }
        Reason::AcaoMismatch | Reason::AcaoInvalid | Reason::AcaoMultiple => {
            line("CORSAllowOriginNotMatchingOrigin", format!("CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’)."))
        }
        Reason::WildcardWithCredentials => {
            let mut lines = line(
                "CORSNotSupportingCredentials",
                "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’).".to_owned(),
            );
            // The one sentence with its URL in quotes.
            for line in &mut lines {
                line.text = line.text.replacen(&format!("at {url}."), &format!("at ‘{url}’."), 1);
            }
            lines
        }
        Reason::AcacNotTrue => {
            line("CORSMissingAllowCredentials", "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’).".to_owned())
        }
        Reason::PreflightNotOk => preflight(),
        Reason::PreflightRedirect => {
            let mut lines = Vec::new();
            if response.is_some_and(|r| r.headers.contains("Location")) {
                lines.extend(line("CORSExternalRedirectNotAllowed", "CORS request external redirect not allowed).".to_owned()));
            }
            lines.extend(preflight());
            lines
        }
        Reason::MethodNotAllowed => {
            line("CORSMethodNotFound", "Did not find method in CORS header ‘Access-Control-Allow-Methods’).".to_owned())
        }
        Reason::HeaderNotAllowed => line(
            "CORSMissingAllowHeaderFromPreflight2",
            format!(
                "header ‘{}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response).",
                refused_name(e).unwrap_or_default()
            ),
        ),
        Reason::AllowMethodsMalformed => line(
            "CORSInvalidAllowMethod",
            format!(
                "invalid token ‘{}’ in CORS header ‘Access-Control-Allow-Methods’).",
                broken_token(response, "Access-Control-Allow-Methods")
            ),
        ),
        Reason::AllowHeadersMalformed => line(
            "CORSInvalidAllowHeader",
            format!(
                "invalid token ‘{}’ in CORS header ‘Access-Control-Allow-Headers’).",
                broken_token(response, "Access-Control-Allow-Headers")
            ),
        ),
        Reason::SchemeNotAllowed => line("CORSRequestNotHttp", "CORS request not http).".to_owned()),
        Reason::BlockedByPolicy => {
            let text = format!("Blocked loading mixed active content “{}”", blocked_url(e));
            vec![FirefoxLine { text, category: Some("Mixed Content Blocker"), link: None }]
        }
        Reason::ModeSameOrigin | Reason::BadPort | Reason::NoCorsRedirectMode | Reason::Corp | Reason::ApiRefused => Vec::new(),
        _ => general(),
    }
}

/// The first element of a list that is no token.
fn broken_token(response: Option<&Response>, name: &str) -> String {
    let list = response.map(|r| r.list(name)).unwrap_or_default();
    list.into_iter().find(|element| !is_token(element.as_bytes())).unwrap_or_default()
}
