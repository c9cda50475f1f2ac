//! What the engines themselves say of a blocked request, and the reason it stands for.
//!
//! A page learns nothing of the reason, but Chromium logs a sentence and Firefox a stable category.

use std::collections::HashSet;

use corscheck_cases::Reason;
use serde_json::Value;

/// One thing that the browser said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The sentence.
    pub text: String,
    /// The engine's own code for it: Firefox's category, such as `CORSMissingAllowOrigin2`.
    pub category: Option<String>,
    /// The reason it stands for, where it stands for one.
    pub reason: Option<Reason>,
    /// The tokens of the requests it speaks of: all 32-digit ones behind `/t/`, the first first, each once.
    pub tokens: Vec<String>,
}

/// Chromium's sentences, by the part that does not vary: its `cors_error_string.cc` and `mixed_content_checker.cc`, as
/// found in Chromium 156. The first that fits counts.
const CHROMIUM: &[(&str, Reason)] = &[
    ("No 'Access-Control-Allow-Origin' header is present", Reason::AcaoMissing),
    ("must not be the wildcard '*' when the request's credentials mode is 'include'", Reason::WildcardWithCredentials),
    ("'Access-Control-Allow-Origin' header contains multiple values", Reason::AcaoMultiple),
    ("'Access-Control-Allow-Origin' header contains the invalid value", Reason::AcaoInvalid),
    ("that is not equal to the supplied origin", Reason::AcaoMismatch),
    ("which must be 'true' when the request's credentials mode is 'include'", Reason::AcacNotTrue),
    ("It does not have HTTP ok status", Reason::PreflightNotOk),
    ("Redirect is not allowed for a preflight request", Reason::PreflightRedirect),
    ("is not allowed by Access-Control-Allow-Methods in preflight response", Reason::MethodNotAllowed),
    ("is not allowed by Access-Control-Allow-Headers in preflight response", Reason::HeaderNotAllowed),
    ("Cannot parse Access-Control-Allow-Methods response header field", Reason::AllowMethodsMalformed),
    ("Cannot parse Access-Control-Allow-Headers response header field", Reason::AllowHeadersMalformed),
    ("contains a username and password, which is disallowed for cross-origin requests", Reason::RedirectUserinfo),
    ("Cross origin requests are not allowed by request mode", Reason::ModeSameOrigin),
    ("Cross origin requests are only supported for protocol schemes", Reason::SchemeNotAllowed),
    ("Redirect location", Reason::RedirectScheme),
    ("Mixed Content:", Reason::BlockedByPolicy),
    ("Content Security Policy", Reason::BlockedByPolicy),
    ("Failed to find a valid digest in the 'integrity' attribute", Reason::Integrity),
    ("net::ERR_BLOCKED_BY_CSP", Reason::BlockedByPolicy),
    ("net::ERR_BLOCKED_BY_RESPONSE", Reason::Corp),
    ("net::ERR_UNSAFE_PORT", Reason::BadPort),
    ("net::ERR_TOO_MANY_REDIRECTS", Reason::RedirectLimit),
    ("net::ERR_UNSAFE_REDIRECT", Reason::RedirectScheme),
    ("net::ERR_INVALID_REDIRECT", Reason::RedirectLocationInvalid),
    ("net::ERR_UNKNOWN_URL_SCHEME", Reason::SchemeNotAllowed),
    ("net::ERR_ABORTED", Reason::Aborted),
];

/// Chromium's codes that tell nothing of the network: the general one, which follows every block.
const CHROMIUM_GENERAL: &[&str] = &["net::ERR_FAILED", "net::ERR_BLOCKED_BY_CLIENT", "net::ERR_BLOCKED_BY_ADMINISTRATOR"];

/// The reason that a sentence of Chromium's log stands for.
pub fn chromium_reason(text: &str) -> Option<Reason> {
    // One sentence for two steps of the standard: what a redirect leads to is judged before its scheme is fetched.
    if text.contains("(redirected from '") && text.contains("only supported for protocol schemes") {
        return Some(Reason::RedirectScheme);
    }
    if let Some((_, reason)) = CHROMIUM.iter().find(|(part, _)| text.contains(part)) {
        return Some(*reason);
    }
    // All other codes of `net_error_list.h` that get into the log are of the connection or of the message.
    let code = text.split_whitespace().find(|word| word.starts_with("net::ERR_"))?;
    (!CHROMIUM_GENERAL.contains(&code)).then_some(Reason::Network)
}

/// Firefox's categories, as `security.properties` has them in Firefox 153. A number at the end grows when the sentence
/// changes, so it is left out here.
const FIREFOX: &[(&str, Reason)] = &[
    ("CORSMissingAllowOrigin", Reason::AcaoMissing),
    ("CORSAllowOriginNotMatchingOrigin", Reason::AcaoMismatch),
    ("CORSMultipleAllowOriginNotAllowed", Reason::AcaoMultiple),
    ("CORSNotSupportingCredentials", Reason::WildcardWithCredentials),
    ("CORSMissingAllowCredentials", Reason::AcacNotTrue),
    ("CORSMethodNotFound", Reason::MethodNotAllowed),
    ("CORSMissingAllowHeaderFromPreflight", Reason::HeaderNotAllowed),
    ("CORSInvalidAllowMethod", Reason::AllowMethodsMalformed),
    ("CORSInvalidAllowHeader", Reason::AllowHeadersMalformed),
    // Said of a redirected preflight only: nsCORSPreflightListener::AsyncOnChannelRedirect.
    ("CORSExternalRedirectNotAllowed", Reason::PreflightRedirect),
    ("CORSRequestNotHttp", Reason::SchemeNotAllowed),
];

/// Firefox's word for any network error of a CORS request: a dead connection, but also a redirect that it refuses. It names no
/// reason, so it stands for none.
const FIREFOX_GENERAL: &str = "CORSDidNotSucceed";

/// The reason that a message of Firefox's console stands for.
pub fn firefox_reason(category: &str, text: &str) -> Option<Reason> {
    let stem = category.trim_end_matches(|last: char| last.is_ascii_digit());
    if stem == "CORSPreflightDidNotSucceed" {
        // "Status code: (null)." where there was no answer at all.
        let status: Option<u16> = text.rsplit_once("Status code: ").and_then(|(_, rest)| rest.trim_end_matches('.').parse().ok());
        return Some(match status {
            Some(300..400) => Reason::PreflightRedirect,
            Some(_) => Reason::PreflightNotOk,
            None => Reason::PreflightFailed,
        });
    }
    if let Some((_, reason)) = FIREFOX.iter().find(|(name, _)| *name == stem) {
        return Some(*reason);
    }
    match stem {
        _ if stem.starts_with("Mixed Content") => text.contains("Blocked").then_some(Reason::BlockedByPolicy),
        _ if stem.starts_with("CSP") || stem.starts_with("Content Security") => Some(Reason::BlockedByPolicy),
        _ if stem.starts_with("Sub-resource Integrity") || stem == "SRI" => Some(Reason::Integrity),
        _ => None,
    }
}

/// Chromium's log entries as words, without those that speak of no request.
pub(super) fn from_chromium(entries: &Value) -> Vec<Word> {
    let messages = entries.as_array().into_iter().flatten().filter_map(|entry| entry.get("message")?.as_str());
    without_echoes(messages.filter_map(chromium_word).collect())
}

fn chromium_word(message: &str) -> Option<Word> {
    let reason = chromium_reason(message);
    if reason.is_none() && !message.contains("net::ERR_") && !message.contains("has been blocked") {
        return None;
    }
    // A sentence begins behind the address and place of the page; a failed load behind its own address, which is kept.
    let text = message.find("Access to ").and_then(|start| message.get(start..)).unwrap_or(message);
    Some(Word { text: text.to_owned(), category: None, reason, tokens: tokens(text) })
}

/// Firefox's console messages, as [`GECKO_DRAIN`] gives them, as words.
pub(super) fn from_firefox(messages: &Value) -> Vec<Word> {
    let pairs = messages.as_array().into_iter().flatten();
    let words = pairs.filter_map(|pair| {
        let (category, text) = (pair.get(0)?.as_str()?, pair.get(1)?.as_str()?);
        let reason = firefox_reason(category, text);
        Some(Word { text: text.to_owned(), category: Some(category.to_owned()), reason, tokens: tokens(text) })
    });
    without_echoes(words.collect())
}

/// Leaves out the general words that both engines let follow a specific one of the same request.
fn without_echoes(words: Vec<Word>) -> Vec<Word> {
    let mut specific: HashSet<String> =
        words.iter().filter(|word| !is_general(word)).filter_map(|word| word.tokens.first().cloned()).collect();
    let kept = words.into_iter().filter(|word| match word.tokens.first() {
        // Said once is enough, if there is nothing but the general word.
        Some(token) if is_general(word) => specific.insert(token.clone()),
        _ => true,
    });
    kept.collect()
}

fn is_general(word: &Word) -> bool {
    word.reason.is_none() || word.category.as_deref().is_some_and(|category| category.starts_with(FIREFOX_GENERAL))
}

/// Listens to Firefox's console from now on and keeps what concerns requests.
///
/// The console itself keeps the last 250 messages only, fewer than a batch of cases can cause.
pub(super) const GECKO_LISTEN: &str = r#"
const said = [];
const wanted = /^(CORS|Mixed Content|CSP|Content Security|Sub-resource Integrity|SRI)/;
const listener = {
  QueryInterface: ChromeUtils.generateQI(["nsIConsoleListener"]),
  observe(message) {
    if (message instanceof Ci.nsIScriptError && wanted.test(message.category) && said.length < 20000) {
      said.push([message.category, message.errorMessage]);
    }
  },
};
Services.console.registerListener(listener);
// Held by the window, so that the next script finds it.
window.corscheckWords = { said, listener };
return true;
"#;

/// What was said since the last call.
pub(super) const GECKO_DRAIN: &str = "return window.corscheckWords ? window.corscheckWords.said.splice(0) : [];";

/// The tokens behind `/t/`, each once, in their order.
fn tokens(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rest in text.split("/t/").skip(1) {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits == 32 && !found.iter().any(|token| token == &rest[..32]) {
            found.push(rest[..32].to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: &str = "Access to fetch at 'http://b.localhost:2/x' from origin 'http://a.localhost:1' has been blocked by CORS policy: ";

    #[test]
    fn every_sentence_of_chromium_has_its_reason() {
        let preflight = "Response to preflight request doesn't pass access control check: ";
        for (sentence, reason) in [
            ("No 'Access-Control-Allow-Origin' header is present on the requested resource.", Reason::AcaoMissing),
            (
                "The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'.",
                Reason::WildcardWithCredentials,
            ),
            ("The 'Access-Control-Allow-Origin' header contains multiple values 'a, b', but only one is allowed.", Reason::AcaoMultiple),
            ("The 'Access-Control-Allow-Origin' header contains the invalid value 'x'.", Reason::AcaoInvalid),
            (
                "The 'Access-Control-Allow-Origin' header has a value 'http://c' that is not equal to the supplied origin.",
                Reason::AcaoMismatch,
            ),
            (
                "The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' when the request's credentials mode is 'include'.",
                Reason::AcacNotTrue,
            ),
        ] {
            assert_eq!(chromium_reason(&format!("{AT}{sentence}")), Some(reason), "{sentence}");
            // The CORS check of a preflight has the same reasons.
            assert_eq!(chromium_reason(&format!("{AT}{preflight}{sentence}")), Some(reason), "{sentence}");
        }
        for (sentence, reason) in [
            ("Response to preflight request doesn't pass access control check: It does not have HTTP ok status.", Reason::PreflightNotOk),
            (
                "Response to preflight request doesn't pass access control check: Redirect is not allowed for a preflight request.",
                Reason::PreflightRedirect,
            ),
            ("Method PUT is not allowed by Access-Control-Allow-Methods in preflight response.", Reason::MethodNotAllowed),
            ("Request header field x-a is not allowed by Access-Control-Allow-Headers in preflight response.", Reason::HeaderNotAllowed),
            ("Cannot parse Access-Control-Allow-Methods response header field in preflight response.", Reason::AllowMethodsMalformed),
            ("Cannot parse Access-Control-Allow-Headers response header field in preflight response.", Reason::AllowHeadersMalformed),
            (
                "Redirect location 'http://u:p@c/' contains a username and password, which is disallowed for cross-origin requests.",
                Reason::RedirectUserinfo,
            ),
            ("Cross origin requests are not allowed by request mode.", Reason::ModeSameOrigin),
            ("Cross origin requests are only supported for protocol schemes: chrome, data, http, https.", Reason::SchemeNotAllowed),
        ] {
            assert_eq!(chromium_reason(&format!("{AT}{sentence}")), Some(reason), "{sentence}");
        }
    }

    #[test]
    fn chromiums_net_errors_have_their_reasons() {
        for (code, reason) in [
            ("net::ERR_FAILED", None),
            ("net::ERR_EMPTY_RESPONSE", Some(Reason::Network)),
            ("net::ERR_CONNECTION_REFUSED", Some(Reason::Network)),
            ("net::ERR_INVALID_HTTP_RESPONSE", Some(Reason::Network)),
            ("net::ERR_UNSAFE_PORT", Some(Reason::BadPort)),
            ("net::ERR_TOO_MANY_REDIRECTS", Some(Reason::RedirectLimit)),
            ("net::ERR_UNSAFE_REDIRECT", Some(Reason::RedirectScheme)),
            ("net::ERR_INVALID_REDIRECT", Some(Reason::RedirectLocationInvalid)),
            ("net::ERR_BLOCKED_BY_RESPONSE.NotSameOrigin 200 (OK)", Some(Reason::Corp)),
        ] {
            assert_eq!(chromium_reason(&format!("http://b.localhost:2/x - Failed to load resource: {code}")), reason, "{code}");
        }
        assert_eq!(chromium_reason("http://b/ - Failed to load resource: the server responded with a status of 404 (Not Found)"), None);
    }

    #[test]
    fn every_category_of_firefox_has_its_reason() {
        let text = "Cross-Origin Request Blocked: … Status code: 200.";
        for (category, reason) in [
            ("CORSMissingAllowOrigin2", Some(Reason::AcaoMissing)),
            ("CORSAllowOriginNotMatchingOrigin", Some(Reason::AcaoMismatch)),
            ("CORSMultipleAllowOriginNotAllowed", Some(Reason::AcaoMultiple)),
            ("CORSNotSupportingCredentials", Some(Reason::WildcardWithCredentials)),
            ("CORSMissingAllowCredentials", Some(Reason::AcacNotTrue)),
            ("CORSMethodNotFound", Some(Reason::MethodNotAllowed)),
            ("CORSMissingAllowHeaderFromPreflight2", Some(Reason::HeaderNotAllowed)),
            ("CORSInvalidAllowMethod", Some(Reason::AllowMethodsMalformed)),
            ("CORSInvalidAllowHeader", Some(Reason::AllowHeadersMalformed)),
            ("CORSExternalRedirectNotAllowed", Some(Reason::PreflightRedirect)),
            ("CORSRequestNotHttp", Some(Reason::SchemeNotAllowed)),
            ("CORSDidNotSucceed2", None),
            ("CORSDisabled", None),
            ("CORSOriginHeaderNotAdded", None),
            ("CORSAllowHeaderFromPreflightDeprecation", None),
        ] {
            assert_eq!(firefox_reason(category, text), reason, "{category}");
        }
    }

    #[test]
    fn the_status_of_a_failed_preflight_tells_how_it_failed() {
        for (status, reason) in [("404", Reason::PreflightNotOk), ("302", Reason::PreflightRedirect), ("(null)", Reason::PreflightFailed)] {
            let text = format!("… (Reason: CORS preflight response did not succeed). Status code: {status}.");
            assert_eq!(firefox_reason("CORSPreflightDidNotSucceed3", &text), Some(reason), "{status}");
        }
    }

    #[test]
    fn firefox_blocks_by_policy_in_several_categories() {
        assert_eq!(
            firefox_reason("Mixed Content Blocker", "Blocked loading mixed active content “http://x/”"),
            Some(Reason::BlockedByPolicy)
        );
        assert_eq!(firefox_reason("Mixed Content Message", "Loading mixed (insecure) display content"), None);
        assert_eq!(firefox_reason("CSP_CSPViolationWithURI", "…"), Some(Reason::BlockedByPolicy));
    }

    #[test]
    fn tokens_are_those_of_the_request_and_not_of_the_page() {
        let (one, two) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        let message = format!(
            "http://a/t/{two}/page 0:0 Access to fetch at 'http://b/t/{one}/x' (redirected from 'http://b/t/{one}/y') from origin 'http://a' has been blocked by CORS policy: Cross origin requests are not allowed by request mode."
        );
        let said = from_chromium(&json!([{ "level": "SEVERE", "source": "javascript", "message": message }, { "message": "hello" }]));
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].tokens, [one]);
        assert!(said[0].text.starts_with("Access to fetch"));
        assert_eq!(tokens(&format!("/t/{one}0 /t/12 /t/{two}?")), [two]);
    }

    #[test]
    fn a_general_word_stands_only_where_nothing_else_was_said() {
        let (one, two) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        let general = |token: &str| json!(["CORSDidNotSucceed2", format!("… at http://b/t/{token}/x. Status code: (null).")]);
        let specific = json!(["CORSMethodNotFound", format!("… at http://b/t/{one}/x.")]);
        let said = from_firefox(&json!([specific, general(one), general(two), general(two)]));
        let reasons: Vec<_> = said.iter().map(|word| word.reason).collect();
        assert_eq!(reasons, [Some(Reason::MethodNotAllowed), None]);

        let failed = |token: &str| json!({ "message": format!("http://b/t/{token}/x - Failed to load resource: net::ERR_FAILED") });
        let blocked = json!({ "message": format!("http://a/ - Access to fetch at 'http://b/t/{one}/x' from origin 'http://a' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present") });
        let said = from_chromium(&json!([blocked, failed(one), failed(two)]));
        let tokens: Vec<_> = said.iter().map(|word| word.tokens[0].as_str()).collect();
        assert_eq!(tokens, [one, two]);
    }

    #[test]
    fn a_redirect_to_another_scheme_is_told_from_a_request_of_one() {
        let text = "Access to fetch at 'ftp://b/x' (redirected from 'http://b/') from origin 'http://a' has been blocked by CORS policy: Cross origin requests are only supported for protocol schemes: http, https.";
        assert_eq!(chromium_reason(text), Some(Reason::RedirectScheme));
    }

    #[test]
    fn what_firefox_said_keeps_its_category() {
        let said = from_firefox(&json!([["CORSMissingAllowOrigin2", "… Status code: 200."], ["broken"]]));
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].category.as_deref(), said[0].reason), (Some("CORSMissingAllowOrigin2"), Some(Reason::AcaoMissing)));
    }
}
