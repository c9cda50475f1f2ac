//! What the oracle makes of single cases that no case file can hold or holds yet.

use corscheck_cases::{
    Alias, Context, Outcome, Reason, Topology,
    bind::{Action, ApiWord, CASE_ROOT},
    format::{BlobEntry, BodyEntry, Credentials, Mode, UploadListener},
    oracle::{Algorithm, End, Prediction, Scenario},
    script::{Answer, Field, Framing, Http, Message, Resource, Then},
};

const TOKEN: &str = "0123456789abcdef";

fn url(at: Alias, path: &str) -> String {
    format!("{}{CASE_ROOT}{TOKEN}/{path}", Topology::example().origin(at))
}

fn get(api: ApiWord, at: Alias) -> Action {
    Action::new(api, url(at, "r"))
}

fn answer(status: u16, fields: &[(&str, &str)], body: &str) -> Answer<Vec<u8>> {
    let pair = |(name, value): &(&str, &str)| Field::Pair(name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let http = Http {
        interim: Vec::new(),
        status,
        reason: None,
        fields: fields.iter().map(pair).collect(),
        body: body.as_bytes().to_vec(),
        body_delay_ms: 0,
        framing: Framing::Length,
        cut: None,
    };
    Answer { delay_ms: 0, message: Message::Http(http), then: Then::Keep }
}

fn resource(at: Alias, path: &str, response: Answer<Vec<u8>>) -> Resource<Vec<u8>> {
    Resource { at, path: path.to_owned(), preflight: Vec::new(), response: vec![response], revalidation: Vec::new() }
}

fn scenario(context: Context, action: Action, resources: Vec<Resource<Vec<u8>>>) -> Scenario {
    Scenario::from_parts(Alias::A, context, &Topology::example(), TOKEN, [(context, action, resources)])
}

/// The value of a field in each exchange of the first step.
fn sent(prediction: &Prediction<'_>, name: &str) -> Vec<Option<String>> {
    let value = |v: &[u8]| v.iter().map(|b| char::from(*b)).collect();
    prediction.steps[0].exchanges.iter().map(|x| x.headers.get(name).map(|v| value(&v))).collect()
}

/// The algorithm and step that decided.
fn decided(prediction: &Prediction<'_>) -> Vec<(Algorithm, &'static str)> {
    prediction.steps[0].path.iter().filter(|p| p.decides).map(|p| (p.algorithm, p.step)).collect()
}

/// There and back again: page, another origin, page.
fn there_and_back(policy: Option<&str>, header: &str) -> Vec<Option<String>> {
    let (to_b, to_a) = (url(Alias::B, "b"), url(Alias::A, "a"));
    let allowed = ("Access-Control-Allow-Origin", "*");
    let resources = vec![
        resource(Alias::A, "r", answer(302, &[("Location", &to_b), ("Referrer-Policy", header)], "")),
        resource(Alias::B, "b", answer(302, &[("Location", &to_a), allowed], "")),
        resource(Alias::A, "a", answer(200, &[allowed], "")),
    ];
    let action = Action { referrer_policy: policy.map(str::to_owned), ..get(ApiWord::Fetch, Alias::A) };
    let scenario = scenario(Context::Window, action, resources);
    let referrers = sent(&scenario.predict(), "Referer");
    let origin = Topology::example().origin(Alias::A);
    referrers.into_iter().map(|r| r.map(|r| r.strip_prefix(&origin).map_or(r.clone(), str::to_owned))).collect()
}

/// Main fetch, step 9, sets the request's referrer to what it determined: a path or a referrer that is gone stays gone.
#[test]
fn a_referrer_is_cut_for_good() {
    let (full, origin) = (|| Some("/agent/page".to_owned()), || Some("/".to_owned()));
    assert_eq!(there_and_back(None, ""), [full(), origin(), origin()]);
    assert_eq!(there_and_back(Some("same-origin"), ""), [full(), None, None]);
    assert_eq!(there_and_back(Some("unsafe-url"), ""), [full(), full(), full()]);
    assert_eq!(there_and_back(Some("unsafe-url"), "origin"), [full(), origin(), origin()]);
    assert_eq!(there_and_back(None, "unsafe-url"), [full(), full(), full()]);
}

/// Referrer Policy, section 8.1: a value that is no list of tokens names no policy, and unknown tokens are passed over.
#[test]
fn a_referrer_policy_of_a_redirect_must_parse() {
    let second = |header| there_and_back(None, header).swap_remove(1);
    for none in ["", ",", "never", "origin, x y", "origin;", "no-referrer, \"a\""] {
        assert_eq!(second(none).as_deref(), Some("/"), "{none}");
    }
    for full in ["unsafe-url", "no-referrer, UNSAFE-URL", "unsafe-url, never", "\tunsafe-url ,"] {
        assert_eq!(second(full).as_deref(), Some("/agent/page"), "{full}");
    }
    assert_eq!(second("unsafe-url, no-referrer"), None);
}

/// HTTP-network-or-cache fetch, step 16.1: in a worker there is nobody to ask.
#[test]
fn a_407_ends_requests_of_workers() {
    for (context, outcome) in
        [(Context::Window, Outcome::Allowed), (Context::Sandbox, Outcome::Allowed), (Context::Worker, Outcome::Blocked)]
    {
        let response = answer(407, &[("Access-Control-Allow-Origin", "*"), ("Proxy-Authenticate", "Basic")], "");
        let scenario = scenario(context, get(ApiWord::Fetch, Alias::B), vec![resource(Alias::B, "r", response)]);
        let prediction = scenario.predict();
        assert_eq!(prediction.steps[0].view.outcome(), outcome, "{context}");
        if outcome == Outcome::Blocked {
            assert_eq!(decided(&prediction), [(Algorithm::HttpNetworkOrCacheFetch, "16.1")]);
        }
    }
}

/// HTTP-network-or-cache fetch, step 15: the credentials of the URL are tried after a 401, where there are any; and where a
/// redirect has lost them, the request goes out once more as it was.
#[test]
fn a_401_is_answered_by_the_credentials_of_the_url() {
    let action = || Action { open_credentials: Some(("u".to_owned(), "p".to_owned())), ..get(ApiWord::Xhr, Alias::A) };
    let asks = || answer(401, &[("WWW-Authenticate", "Basic")], "");
    let direct = scenario(Context::Window, action(), vec![resource(Alias::A, "r", asks())]);
    assert_eq!(sent(&direct.predict(), "Authorization"), [None, Some("Basic dTpw".to_owned())]);

    let redirect = answer(302, &[("Location", &url(Alias::A, "s"))], "");
    let resources = || vec![resource(Alias::A, "r", redirect.clone()), resource(Alias::A, "s", asks())];
    let redirected = scenario(Context::Window, action(), resources());
    assert_eq!(sent(&redirected.predict(), "Authorization"), [None, None, None]);

    let plain = scenario(Context::Window, get(ApiWord::Xhr, Alias::A), resources());
    assert_eq!(sent(&plain.predict(), "Authorization"), [None, None]);
}

/// Web IDL: what is no ByteString is a TypeError before open() looks at it.
#[test]
fn open_takes_byte_strings() {
    for (method, error) in [("\u{100}", "TypeError"), ("G\u{e9}T", "SyntaxError"), ("trace", "SecurityError")] {
        let action = Action { method: Some(method.to_owned()), ..get(ApiWord::Xhr, Alias::A) };
        let scenario = scenario(Context::Window, action, Vec::new());
        assert_eq!(scenario.predict().steps[0].view.end, End::Refused(error), "{method}");
    }
}

/// URL, origin: a blob: URL has the origin of the URL in it. There is no entry for it, wherever it is from.
#[test]
fn blob_urls_have_the_origin_in_them() {
    let own = format!("blob:{}/x", Topology::example().origin(Alias::A));
    for (url, reason) in [(own.as_str(), Reason::SchemeNotAllowed), ("blob:http://x/x", Reason::ModeSameOrigin)] {
        let action = Action { mode: Some(Mode::SameOrigin), ..Action::new(ApiWord::Fetch, url) };
        let scenario = scenario(Context::Window, action, Vec::new());
        assert_eq!(scenario.predict().steps[0].view.reason, Some(reason), "{url}");
    }
}

/// Main fetch, step 23.4: whoever aborts while the body is read for its integrity gets an AbortError.
#[test]
fn an_abort_before_the_integrity_is_known() {
    let mut response = answer(200, &[], "text");
    if let Message::Http(http) = &mut response.message {
        http.body_delay_ms = 100;
    }
    let action = Action { integrity: Some("sha256-AAAA".to_owned()), abort_after_ms: Some(50), ..get(ApiWord::Fetch, Alias::A) };
    let scenario = scenario(Context::Window, action, vec![resource(Alias::A, "r", response)]);
    let prediction = scenario.predict();
    assert_eq!(prediction.steps[0].view.end, End::Aborted("AbortError"));
    assert_eq!(decided(&prediction), [(Algorithm::MainFetch, "23.4")]);
}

/// A preflight without an answer: its own step decides, and no other.
#[test]
fn one_step_decides_on_a_preflight_without_an_answer() {
    let closed = Answer { delay_ms: 0, message: Message::Nothing, then: Then::Close };
    let resources = vec![Resource { preflight: vec![closed], ..resource(Alias::B, "r", answer(200, &[], "")) }];
    let action = Action { method: Some("PUT".to_owned()), ..get(ApiWord::Fetch, Alias::B) };
    let scenario = scenario(Context::Window, action, resources);
    assert_eq!(decided(&scenario.predict()), [(Algorithm::CorsPreflightFetch, "8")]);
}

/// Extracting a body: FormData's newlines are CRLF, and a Blob's type is one of printable characters or none.
#[test]
fn bodies_are_extracted_by_the_book() {
    let post = |body, mode| Action {
        method: Some("POST".to_owned()),
        body: Some(body),
        mode: Some(mode),
        credentials: Some(Credentials::Omit),
        ..get(ApiWord::Fetch, Alias::A)
    };
    let form = BodyEntry::Multipart(vec![("a\rb\n\"".to_owned(), "c\nd\r\ne".to_owned())]);
    let multipart = scenario(Context::Window, post(form, Mode::Cors), Vec::new());
    let prediction = multipart.predict();
    let body = String::from_utf8_lossy(prediction.steps[0].exchanges[0].body.unwrap_or_default()).into_owned();
    assert!(body.contains("name=\"a%0D%0Ab%0D%0A%22\"\r\n\r\nc\r\nd\r\ne\r\n"), "{body}");

    for (r#type, content_type) in [("", None), (" Text/PLAIN ", Some("text/plain")), ("text/\u{e9}", None), ("a\tb", None)] {
        let blob = BodyEntry::Blob(BlobEntry { data: "x".to_owned(), r#type: r#type.to_owned() });
        let scenario = scenario(Context::Window, post(blob, Mode::Cors), Vec::new());
        assert_eq!(sent(&scenario.predict(), "Content-Type"), [content_type.map(str::to_owned)], "{type:?}");
    }
}

/// CORS-preflight fetch, step 7.4, as it stands: a forced preflight that is answered without a list of methods grants any method.
#[test]
fn a_forced_preflight_grants_its_method_by_silence() {
    let allowed = ("Access-Control-Allow-Origin", "*");
    let resources = vec![Resource { preflight: vec![answer(204, &[allowed], "")], ..resource(Alias::B, "r", answer(200, &[allowed], "")) }];
    let action = |listener| Action { method: Some("PUT".to_owned()), upload_listener: listener, ..get(ApiWord::Xhr, Alias::B) };
    let forced = scenario(Context::Window, action(Some(UploadListener::Add)), resources.clone());
    assert_eq!(forced.predict().steps[0].view.outcome(), Outcome::Allowed);
    let usual = scenario(Context::Window, action(None), resources);
    assert_eq!(usual.predict().steps[0].view.reason, Some(Reason::MethodNotAllowed));
}

/// No case file can say it: an element whose request is aborted ends like one that failed.
#[test]
fn an_aborted_element_fails() {
    for api in [ApiWord::Img, ApiWord::Script, ApiWord::Import, ApiWord::Font, ApiWord::EventSource] {
        let action = Action { abort_after_ms: Some(5), ..get(api, Alias::A) };
        let hangs = Answer { delay_ms: 0, message: Message::Nothing, then: Then::Hang };
        let scenario = scenario(Context::Window, action, vec![resource(Alias::A, "r", hangs)]);
        assert_eq!(scenario.predict().steps[0].view.outcome(), Outcome::Blocked, "{api:?}");
    }
}
