//! What must hold of the oracle for any case, and that each of these tests can fail.
//!
//! An invariant is a function of an input and a set of defects. It holds for every input where there is no defect, and each defect
//! named with it breaks it for some input: an invariant that nothing can break says nothing. Inputs are the same on every run.

mod arbitrary;

use std::sync::LazyLock;

use arbitrary::{Input, MARKER, StepInput, header, inputs, is_preflight, pair, remove, run, run_with_path, value, values};
use corscheck_cases::{
    Alias, Outcome, Topology,
    bind::{Action, ApiWord},
    compose::strip,
    format::{BodyEntry, CacheMode, Credentials, Mode, RedirectMode, ResponseType, UploadListener},
    oracle::{
        Defect, Defects, End, NoTrace, Predicted, PredictedExchange, Seen,
        grammar::{is_redirect_status, is_token},
    },
    script::{Field, Http},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// On how many inputs an invariant is tried: 2000, or what `PROPTEST_CASES` says.
static CASES: LazyLock<usize> = LazyLock::new(|| std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000));

/// Among how many inputs a defect must break the invariants that it is named with.
const CASES_TO_FAIL: usize = 4_000;

type Check = Result<(), String>;

/// Whose server, method and target of each exchange.
type Wire = Vec<(Alias, String, String)>;

type Answered<'i> = Option<&'i Http<Vec<u8>>>;

fn ensure(holds: bool, says: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(says()) }
}

/// Looks at every step: what was asked, what came of it, and what the servers answered.
fn each_step(
    input: &Input,
    defects: Defects,
    mut check: impl FnMut(&StepInput, &Predicted<'_, NoTrace>, &[Answered<'_>]) -> Check,
) -> Check {
    let scenario = input.scenario();
    let prediction = run::<NoTrace>(&scenario, defects);
    for (i, (step, predicted)) in input.steps.iter().zip(&prediction.steps).enumerate() {
        check(step, predicted, &input.answers(i, &predicted.exchanges))?;
    }
    Ok(())
}

/// Looks at every exchange.
fn each_exchange(input: &Input, defects: Defects, mut check: impl FnMut(&StepInput, &PredictedExchange<'_>) -> Check) -> Check {
    each_step(input, defects, |step, predicted, _| predicted.exchanges.iter().try_for_each(|x| check(step, x)))
}

/// Looks at every response that a page could read.
fn each_response(
    input: &Input,
    defects: Defects,
    mut check: impl FnMut(&StepInput, &Seen, &Predicted<'_, NoTrace>, &[Answered<'_>]) -> Check,
) -> Check {
    each_step(input, defects, |step, predicted, answers| match &predicted.view.end {
        End::Response(seen) => check(step, seen, predicted, answers),
        _ => Ok(()),
    })
}

/// A response of another origin that CORS has let through, with the last request and its answer.
fn each_cors_response(
    input: &Input,
    defects: Defects,
    mut check: impl FnMut(&StepInput, &PredictedExchange<'_>, &Http<Vec<u8>>) -> Check,
) -> Check {
    each_response(input, defects, |step, seen, predicted, answers| {
        if seen.kind != ResponseType::Cors {
            return Ok(());
        }
        match (predicted.exchanges.last(), answers.last()) {
            (Some(x), Some(Some(answer))) => check(step, x, answer),
            _ => Err("a CORS response that nobody gave".to_owned()),
        }
    })
}

fn includes(step: &StepInput) -> bool {
    step.action.credentials == Some(Credentials::Include)
}

fn is_fetch(step: &StepInput) -> bool {
    step.action.api == ApiWord::Fetch
}

/// Whether the request's mode is `cors`.
fn is_cors(step: &StepInput) -> bool {
    matches!(step.action.mode, None | Some(Mode::Cors)) || !is_fetch(step)
}

/// Whether the request's use-CORS-preflight flag is set.
fn forces_preflight(step: &StepInput) -> bool {
    let action = &step.action;
    let listens = !is_fetch(step) && matches!(action.upload_listener, Some(UploadListener::Add | UploadListener::On));
    listens || matches!(action.body, Some(BodyEntry::Stream(_)))
}

fn is_safelisted_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

/// The actual requests, with their answers.
fn actual<'p, 'a, 'i>(
    predicted: &'p Predicted<'a, NoTrace>,
    answers: &'p [Answered<'i>],
) -> Vec<(&'p PredictedExchange<'a>, Answered<'i>)> {
    predicted.exchanges.iter().zip(answers.iter().copied()).filter(|(x, _)| !is_preflight(x)).collect()
}

/// Whether an answer is a redirect.
fn redirects(answer: Answered<'_>) -> bool {
    answer.is_some_and(|a| is_redirect_status(a.status))
}

/// Where the requests went.
fn wire(predicted: &Predicted<'_, NoTrace>) -> Wire {
    predicted.exchanges.iter().map(|x| (x.at, x.method.to_string(), x.target.to_string())).collect()
}

/// The wires of all steps.
fn wires(input: &Input, defects: Defects) -> Vec<Wire> {
    let scenario = input.scenario();
    run::<NoTrace>(&scenario, defects).steps.iter().map(wire).collect()
}

/// Ends of all steps, and their wires.
fn everything(input: &Input, defects: Defects) -> Vec<(End<'static>, Wire)> {
    let scenario = input.scenario();
    run::<NoTrace>(&scenario, defects).steps.iter().map(|p| (p.view.end.clone().into_owned(), wire(p))).collect()
}

/// Ends of all steps without the header fields, and their wires.
fn all_but_headers(input: &Input, defects: Defects) -> Vec<(End<'static>, Wire)> {
    let mut everything = everything(input, defects);
    for (end, _) in &mut everything {
        if let End::Response(seen) = end {
            seen.headers.clear();
        }
    }
    everything
}

/// The elements of a list, or `None` where one is no token.
fn tokens(http: &Http<Vec<u8>>, name: &str) -> Option<Vec<String>> {
    let elements = values(http, name).into_iter().flat_map(|v| v.split(|b| *b == b','));
    let elements = elements.map(strip).filter(|e| !e.is_empty());
    elements.map(|e| is_token(e).then(|| String::from_utf8_lossy(e).into_owned())).collect()
}

/// Whether an answer grants what its preflight asks for. A preflight that was forced grants its method by leaving out the list
/// (CORS-preflight fetch, step 7.4), whatever method that is.
fn grants(preflight: &PredictedExchange<'_>, answer: Answered<'_>, include: bool, is_forced: bool) -> bool {
    let Some(answer) = answer else { return false };
    let (Some(methods), Some(names)) = (tokens(answer, "Access-Control-Allow-Methods"), tokens(answer, "Access-Control-Allow-Headers"))
    else {
        return false;
    };
    let star = |list: &[String]| !include && list.iter().any(|e| e == "*");
    let origin = value(answer, "Access-Control-Allow-Origin");
    let is_let_in = origin.is_some() && origin == preflight.headers.get("Origin").as_deref() || !include && origin == Some(b"*");
    let method = header(preflight, "Access-Control-Request-Method").unwrap_or_default();
    let asked = header(preflight, "Access-Control-Request-Headers").unwrap_or_default();
    let mut asked = asked.split(',').filter(|n| !n.is_empty());
    (200..=299).contains(&answer.status)
        && is_let_in
        && (!include || value(answer, "Access-Control-Allow-Credentials") == Some(b"true"))
        && (is_safelisted_method(&method)
            || is_forced && values(answer, "Access-Control-Allow-Methods").is_empty()
            || methods.contains(&method)
            || star(&methods))
        && asked.all(|name| names.iter().any(|n| n.eq_ignore_ascii_case(name)) || star(&names) && name != "authorization")
}

fn failures_show_nothing(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |_, predicted, _| {
        let view = &predicted.view;
        let shows = view.surface_status.is_some_and(|s| s != 0) || view.events.contains(&"load");
        ensure(matches!(view.end, End::Response(_)) || !shows, || format!("{view:?}"))
    })
}

fn failures_look_alike(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        let wanted = match (is_fetch(step), step.action.sync) {
            (true, _) => "TypeError",
            (false, true) => "NetworkError",
            (false, false) => "error",
        };
        match predicted.view.end {
            End::NetworkError(name) => ensure(name == wanted, || format!("{name} instead of {wanted}")),
            _ => Ok(()),
        }
    })
}

fn a_path_decides_once(input: &Input, defects: Defects) -> Check {
    let scenario = input.scenario();
    run_with_path(&scenario, defects).steps.iter().try_for_each(|step| {
        let decides = step.path.iter().filter(|p| p.decides).count();
        let wanted = usize::from(!matches!(step.view.end, End::Response(_)));
        ensure(!step.path.is_empty() && decides == wanted, || format!("{decides} steps decide {:?}: {:?}", step.view.end, step.path))
    })
}

fn a_path_changes_nothing(input: &Input, defects: Defects) -> Check {
    let scenario = input.scenario();
    let (with, without) = (scenario.predict(), run::<NoTrace>(&scenario, defects));
    with.steps.iter().zip(&without.steps).try_for_each(|(with, without)| {
        let (a, b) = (format!("{:?} {:?}", with.view, with.exchanges), format!("{:?} {:?}", without.view, without.exchanges));
        ensure(a == b, || format!("{a}\nand then\n{b}"))
    })
}

fn invalid_calls_are_refused(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        let action = &step.action;
        let method = action.method.as_deref().unwrap_or("GET");
        let is_bad = |text: &str| text.chars().any(|c| c > '\u{ff}' || matches!(c, '\0' | '\r' | '\n'));
        let refused = !is_token(method.as_bytes())
            || ["CONNECT", "TRACE", "TRACK"].iter().any(|m| m.eq_ignore_ascii_case(method))
            || action.headers.iter().any(|(n, v)| !is_token(n.as_bytes()) || is_bad(v.trim_matches(['\n', '\r', '\t', ' '])))
            || action.mode == Some(Mode::Navigate)
            || action.cache == Some(CacheMode::OnlyIfCached) && action.mode != Some(Mode::SameOrigin);
        let is_refused = matches!(predicted.view.end, End::Refused(_)) && predicted.exchanges.is_empty();
        ensure(!refused || is_refused, || format!("{:?} of {action:?}", predicted.view.end))
    })
}

fn cors_reads_are_granted(input: &Input, defects: Defects) -> Check {
    each_cors_response(input, defects, |step, x, answer| {
        let origin = value(answer, "Access-Control-Allow-Origin");
        let granted = origin.is_some() && origin == x.headers.get("Origin").as_deref() || !includes(step) && origin == Some(b"*");
        ensure(granted, || format!("{:?} reads what is for {origin:?}", header(x, "Origin")))
    })
}

fn a_wildcard_grants_nothing_with_credentials(input: &Input, defects: Defects) -> Check {
    each_cors_response(input, defects, |step, _, answer| {
        ensure(!includes(step) || value(answer, "Access-Control-Allow-Origin") != Some(b"*"), || "`*` with credentials".to_owned())
    })
}

fn credentials_need_true(input: &Input, defects: Defects) -> Check {
    each_cors_response(input, defects, |step, _, answer| {
        let found = value(answer, "Access-Control-Allow-Credentials");
        ensure(!includes(step) || found == Some(b"true"), || format!("{found:?} with credentials"))
    })
}

fn cors_requests_carry_origin(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |step, x| {
        let found: Vec<_> = x.headers.values("Origin").collect();
        let right = matches!(found[..], [v] if v == input.origin().as_bytes() || v == b"null");
        ensure(!is_cors(step) || input.is_own(x.at) || right, || format!("Origin: {found:?} to {}", x.at))
    })
}

fn foreign_redirects_make_origin_null(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        let mut last: Option<Alias> = None;
        let mut tainted = false;
        predicted.exchanges.iter().filter(|_| is_cors(step)).try_for_each(|x| {
            tainted |= last.is_some_and(|last| last != x.at && !input.is_own(last));
            last = Some(x.at);
            let wanted = if tainted { "null".to_owned() } else { input.origin() };
            let found = header(x, "Origin");
            ensure(found.as_ref().is_none_or(|f| *f == wanted), || format!("Origin: {found:?} to {}, not {wanted}", x.at))
        })
    })
}

fn preflights_carry_no_credentials(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |_, x| {
        let carries = x.headers.contains("Cookie") || x.headers.contains("Authorization");
        ensure(!is_preflight(x) || !carries, || format!("{:?}", x.headers))
    })
}

fn preflights_carry_no_request(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |_, x| {
        let carries = x.body.is_some() || ["Content-Length", "Content-Type", "X-Custom"].iter().any(|n| x.headers.contains(n));
        ensure(!is_preflight(x) || !carries, || format!("{:?}", x.headers))
    })
}

fn preflights_name_their_request(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |_, predicted, _| {
        predicted.exchanges.windows(2).filter(|w| is_preflight(&w[0]) && !is_preflight(&w[1])).try_for_each(|w| {
            let asked = header(&w[0], "Access-Control-Request-Method");
            let same = (w[0].at, &w[0].target, asked.as_deref()) == (w[1].at, &w[1].target, Some(&*w[1].method));
            ensure(same, || format!("a preflight for {asked:?} at {}, and then {} at {}", w[0].target, w[1].method, w[1].target))
        })
    })
}

fn preflights_list_names_in_order(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        predicted.exchanges.iter().filter_map(|x| header(x, "Access-Control-Request-Headers")).try_for_each(|list| {
            let names: Vec<_> = list.split(',').collect();
            let is_known =
                |n: &str| matches!(n, "content-type" | "accept") || step.action.headers.iter().any(|(h, _)| h.eq_ignore_ascii_case(n));
            let right =
                names.is_sorted_by(|a, b| a < b) && names.iter().all(|n| is_known(n) && !n.contains(|c: char| c.is_ascii_uppercase()));
            ensure(right, || list.clone())
        })
    })
}

fn unsafe_requests_are_preflighted(input: &Input, defects: Defects) -> Check {
    let mut asked = Vec::new();
    each_step(input, defects, |step, predicted, _| {
        predicted.exchanges.iter().try_for_each(|x| {
            if is_preflight(x) {
                asked.push((x.at, x.target.to_string()));
                return Ok(());
            }
            let is_unsafe = !is_safelisted_method(&x.method) || x.headers.contains("X-Custom");
            let was_asked = asked.iter().any(|(at, target)| (*at, target.as_str()) == (x.at, &*x.target));
            ensure(!is_unsafe || !is_cors(step) || input.is_own(x.at) || was_asked, || format!("{} {} unasked", x.method, x.target))
        })
    })
}

fn nothing_goes_out_ungranted(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, answers| {
        predicted.exchanges.windows(2).zip(answers).filter(|(w, _)| is_preflight(&w[0]) && !is_preflight(&w[1])).try_for_each(
            |(w, answer)| {
                ensure(grants(&w[0], *answer, includes(step), forces_preflight(step)), || format!("{} after {answer:?}", w[1].method))
            },
        )
    })
}

fn simple_requests_are_not_preflighted(input: &Input, defects: Defects) -> Check {
    let input = input.clone().map_actions(|action| {
        action.headers.clear();
        action.body = None;
        action.upload_listener = action.upload_listener.filter(|l| matches!(l, UploadListener::ReadOnly | UploadListener::Late));
        if !action.method.as_deref().is_some_and(is_safelisted_method) {
            action.method = None;
        }
    });
    each_exchange(&input, defects, |_, x| ensure(!is_preflight(x), || format!("a preflight for {:?}", x.headers)))
}

fn an_added_header_is_asked_for(input: &Input, defects: Defects) -> Check {
    let before = input.clone().first_step();
    let step = &before.steps[0];
    let after = before.clone().map_actions(|action| action.headers.push(("X-Added".to_owned(), "1".to_owned())));
    let (scenario, other) = (before.scenario(), after.scenario());
    let (before, after) = (run::<NoTrace>(&scenario, defects), run::<NoTrace>(&other, defects));
    let Some(first) = after.steps[0].exchanges.first().filter(|x| is_cors(step) && !input.is_own(x.at)) else { return Ok(()) };
    let asked = |x: &PredictedExchange<'_>| header(x, "Access-Control-Request-Headers").unwrap_or_default();
    let names = asked(first);
    let mut had = before.steps[0].exchanges.first().map(asked).unwrap_or_default();
    had.push_str(",x-added");
    let is_listed = |name: &str| name.is_empty() || names.split(',').any(|n| n == name);
    ensure(is_preflight(first) && had.split(',').all(is_listed), || format!("{} {names}, before: {had}", first.method))
}

fn a_grant_is_remembered(input: &Input, defects: Defects) -> Check {
    let mut input = input.clone().first_step().map_answers(|http| {
        remove(http, |name| name.eq_ignore_ascii_case("Access-Control-Max-Age"));
        http.fields.push(pair("Access-Control-Max-Age", "600"));
    });
    if forces_preflight(&input.steps[0]) {
        // With Access-Control-Allow-Methods that does not list a safelisted method, such a request is asked for every time.
        return Ok(());
    }
    input.steps.push(input.steps[0].clone());
    let scenario = input.scenario();
    let prediction = run::<NoTrace>(&scenario, defects);
    let [first, second] = &prediction.steps[..] else { return Err("two steps".to_owned()) };
    let was_granted =
        matches!(&first.exchanges[..], [a, b] if is_preflight(a) && !is_preflight(b)) && matches!(first.view.end, End::Response(_));
    let asks = second.exchanges.iter().any(is_preflight);
    ensure(!was_granted || !asks && second.view.end == first.view.end, || format!("{:?}, and then {:?}", wire(first), wire(second)))
}

fn forbidden_headers_stay_behind(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |_, x| {
        let mut others = x.headers.iter().filter(|h| !h.name.eq_ignore_ascii_case("Authorization"));
        let found = others.find(|h| h.value.windows(MARKER.len()).any(|w| w == MARKER.as_bytes()));
        ensure(found.is_none(), || format!("{found:?}"))
    })
}

fn valid_calls_are_made(input: &Input, defects: Defects) -> Check {
    let input = input.clone().map_actions(|action| {
        let is_fine = |c: char| c <= '\u{ff}' && !matches!(c, '\0' | '\r' | '\n');
        action.headers.retain(|(n, v)| is_token(n.as_bytes()) && v.chars().all(is_fine));
        *action = Action { headers: std::mem::take(&mut action.headers), ..Action::new(action.api, action.url.as_str()) };
    });
    each_step(&input, defects, |step, predicted, _| {
        ensure(!matches!(predicted.view.end, End::Refused(_)), || format!("{:?} of {:?}", predicted.view.end, step.action))
    })
}

fn no_cors_sends_safelisted_parts_only(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |step, x| {
        let unsafe_names = ["X-Custom", "Range", "X-HTTP-Method-Override"];
        // In later steps it may be the HTTP cache that validates what it holds.
        let validates = x.headers.contains("If-None-Match") && input.steps.len() == 1;
        let fine = is_safelisted_method(&x.method) && !unsafe_names.iter().any(|n| x.headers.contains(n)) && !validates;
        ensure(step.action.mode != Some(Mode::NoCors) || fine, || format!("{} {:?}", x.method, x.headers))
    })
}

fn get_and_head_carry_no_body(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |_, x| {
        ensure(!matches!(&*x.method, "GET" | "HEAD") || x.body.is_none(), || format!("{} with {:?}", x.method, x.body))
    })
}

fn bodies_have_their_length(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |step, x| {
        let wanted = match &x.body {
            Some(_) if matches!(step.action.body, Some(BodyEntry::Stream(_))) => None,
            Some(body) => Some(body.len().to_string()),
            None => matches!(&*x.method, "POST" | "PUT").then(|| "0".to_owned()),
        };
        let found = header(x, "Content-Length");
        ensure(found == wanted, || format!("{} with Content-Length {found:?}, not {wanted:?}", x.method))
    })
}

fn redirects_change_methods_by_the_book(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |_, predicted, answers| {
        actual(predicted, answers).windows(2).try_for_each(|w| {
            let ((x, answer), (y, _)) = (w[0], w[1]);
            let Some(answer) = answer.filter(|a| is_redirect_status(a.status)) else { return Ok(()) };
            let becomes_get = match answer.status {
                301 | 302 => x.method == "POST",
                303 => !matches!(&*x.method, "GET" | "HEAD"),
                _ => false,
            };
            let right = if becomes_get { y.method == "GET" && y.body.is_none() } else { (&x.method, &x.body) == (&y.method, &y.body) };
            ensure(right, || format!("{} {:?}, {}, {} {:?}", x.method, x.body, answer.status, y.method, y.body))
        })
    })
}

fn at_most_twenty_redirects(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |_, predicted, answers| {
        let chain = actual(predicted, answers);
        let followed = chain.iter().rev().skip(1).filter(|(_, a)| redirects(*a)).count();
        ensure(followed <= 20, || format!("{followed} redirects"))
    })
}

fn a_chain_of_twenty_is_followed(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, answers| {
        // The same hop of the page's own origin, again and again.
        let chain = actual(predicted, answers);
        let is_plain = |a: Answered<'_>| {
            a.is_some_and(|a| {
                is_redirect_status(a.status) && value(a, "location").is_some_and(|l| l.starts_with(b"http") && !l.contains(&b'['))
            })
        };
        let all_own = chain.iter().all(|(x, a)| input.is_own(x.at) && (is_plain(*a) || !redirects(*a)));
        let followed = chain.iter().rev().skip(1).filter(|(_, a)| redirects(*a)).count();
        let stops = chain.last().is_some_and(|(_, a)| is_plain(*a)) && matches!(predicted.view.end, End::NetworkError(_));
        let follows = step.action.redirect.is_none_or(|r| r == RedirectMode::Follow) && step.resources.iter().all(|r| input.is_own(r.at));
        let is_stream = matches!(step.action.body, Some(BodyEntry::Stream(_)));
        let has_userinfo = chain.last().is_some_and(|(_, a)| a.is_some_and(|a| value(a, "location").is_some_and(|l| l.contains(&b'@'))));
        ensure(!all_own || !follows || is_stream || has_userinfo || !stops || followed == 20, || {
            format!("stops after {followed} redirects")
        })
    })
}

fn redirect_mode_error_follows_nothing(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, answers| {
        let redirected = actual(predicted, answers).iter().any(|(_, a)| redirects(*a));
        let blocked = !matches!(predicted.view.end, End::Response(_));
        let ends_there = actual(predicted, answers).iter().rev().skip(1).all(|(_, a)| !redirects(*a));
        ensure(step.action.redirect != Some(RedirectMode::Error) || !redirected || blocked && ends_there, || {
            format!("{:?}", predicted.view)
        })
    })
}

fn authorization_stays_with_its_origin(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |_, predicted, _| {
        let Some(first) = predicted.exchanges.first().map(|x| x.at) else { return Ok(()) };
        let mut left = false;
        predicted.exchanges.iter().try_for_each(|x| {
            left |= x.at != first;
            let carries = header(x, "Authorization").is_some_and(|v| v.contains(MARKER));
            ensure(!left || !carries, || format!("Authorization to {}", x.at))
        })
    })
}

fn a_referrer_that_was_cut_stays_cut(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        if matches!(step.action.referrer_policy.as_deref(), Some("unsafe-url" | "no-referrer-when-downgrade")) {
            return Ok(());
        }
        let origin = format!("{}/", Topology::example().origin(input.page));
        let mut left = false;
        predicted.exchanges.iter().try_for_each(|x| {
            left |= x.at != input.page;
            let referrer = header(x, "Referer");
            ensure(!left || referrer.as_ref().is_none_or(|r| *r == origin), || format!("{referrer:?} to {}", x.at))
        })
    })
}

fn mode_same_origin_stays_home(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |step, x| {
        ensure(step.action.mode != Some(Mode::SameOrigin) || input.is_own(x.at), || format!("a request to {}", x.at))
    })
}

fn same_origin_needs_no_cors_headers(input: &Input, defects: Defects) -> Check {
    let before = all_but_headers(input, defects);
    let stripped = input.clone().map_answers(|http| remove(http, |name| name.to_ascii_lowercase().starts_with("access-control-")));
    let after = all_but_headers(&stripped, defects);
    before
        .iter()
        .zip(&after)
        .take_while(|(before, _)| before.1.iter().all(|(at, ..)| input.is_own(*at)))
        .try_for_each(|(before, after)| ensure(before == after, || format!("{before:?}, and without headers {after:?}")))
}

fn types_tell_where_a_response_is_from(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |step, seen, predicted, _| {
        let all_own = predicted.exchanges.iter().all(|x| input.is_own(x.at));
        let wanted = match () {
            () if seen.kind == ResponseType::OpaqueRedirect && step.action.redirect == Some(RedirectMode::Manual) => {
                ResponseType::OpaqueRedirect
            }
            () if all_own => ResponseType::Basic,
            () if step.action.mode == Some(Mode::NoCors) => ResponseType::Opaque,
            () => ResponseType::Cors,
        };
        ensure(seen.kind == wanted, || format!("{:?}, not {wanted:?}", seen.kind))
    })
}

fn opaque_responses_show_nothing(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |_, seen, _, _| {
        let nothing =
            seen.status == 0 && seen.status_text.is_empty() && seen.headers.is_empty() && seen.body.is_empty() && !seen.redirected;
        match seen.kind {
            ResponseType::Opaque => ensure(nothing && seen.url.is_empty(), || format!("{seen:?}")),
            ResponseType::OpaqueRedirect => ensure(nothing, || format!("{seen:?}")),
            _ => Ok(()),
        }
    })
}

fn set_cookie_is_never_visible(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |_, seen, _, _| {
        ensure(!seen.headers.iter().any(|(n, _)| n.starts_with("set-cookie")), || format!("{:?}", seen.headers))
    })
}

fn cors_responses_show_what_is_listed(input: &Input, defects: Defects) -> Check {
    const SAFE: [&str; 7] = ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
    each_response(input, defects, |step, seen, _, answers| {
        let Some(answer) = answers.last().copied().flatten().filter(|_| seen.kind == ResponseType::Cors) else { return Ok(()) };
        let listed = tokens(answer, "Access-Control-Expose-Headers").unwrap_or_default();
        let is_shown = |name: &str| {
            SAFE.contains(&name)
                || listed.iter().any(|l| l.eq_ignore_ascii_case(name))
                || !includes(step) && listed.iter().any(|l| l == "*")
        };
        ensure(seen.headers.iter().all(|(n, _)| is_shown(n)), || format!("{:?} of {listed:?}", seen.headers))
    })
}

fn exposing_more_hides_nothing(input: &Input, defects: Defects) -> Check {
    let more = input.clone().map_answers(|http| http.fields.insert(0, pair("Access-Control-Expose-Headers", "X-Extra, ETag")));
    everything(input, defects).iter().zip(everything(&more, defects)).try_for_each(|((before, _), (after, _))| match (before, &after) {
        (End::Response(before), End::Response(after)) => {
            let lost = before.headers.iter().find(|(n, _)| !after.headers.iter().any(|(m, _)| m == n));
            ensure(lost.is_none(), || format!("{lost:?} is gone"))
        }
        _ => ensure(*before == after, || format!("{before:?}, and then {after:?}")),
    })
}

fn order_and_case_of_fields_do_not_matter(input: &Input, defects: Defects) -> Check {
    let name = |field: &Field<Vec<u8>>| match field {
        Field::Pair(name, _) => name.to_ascii_uppercase(),
        Field::Line(line) => line.clone(),
    };
    let other = input.clone().map_answers(|http| {
        http.fields.sort_by_key(|f| std::cmp::Reverse(name(f)));
        for field in &mut http.fields {
            if let Field::Pair(name, _) = field {
                name.make_ascii_uppercase();
            }
        }
    });
    let (before, after) = (everything(input, defects), everything(&other, defects));
    ensure(before == after, || format!("{before:?}, and then {after:?}"))
}

fn unrelated_fields_change_nothing(input: &Input, defects: Defects) -> Check {
    let origin = input.origin();
    let other = input.clone().map_answers(|http| {
        let unrelated = ["X-Unrelated", "Access-Control-Allow-Origins", "Access_Control_Allow_Origin", "X-Access-Control-Allow-Origin"];
        http.fields.splice(0..0, unrelated.map(|name| pair(name, &origin)));
    });
    let (before, after) = (all_but_headers(input, defects), all_but_headers(&other, defects));
    ensure(before == after, || format!("{before:?}, and then {after:?}"))
}

fn null_bodies_are_empty(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |_, seen, predicted, _| {
        let is_head = predicted.exchanges.last().is_some_and(|x| x.method == "HEAD");
        let is_null = is_head || matches!(seen.status, 101 | 103 | 204 | 205 | 304);
        ensure(!is_null || seen.body.is_empty() && seen.body_error.is_none(), || format!("{seen:?}"))
    })
}

fn bodies_arrive_as_served(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |_, seen, predicted, _| {
        let Some(last) = predicted.exchanges.last() else { return Ok(()) };
        let is_filtered = matches!(seen.kind, ResponseType::Opaque | ResponseType::OpaqueRedirect) || seen.body_error.is_some();
        let is_null = last.method == "HEAD" || matches!(seen.status, 101 | 103 | 204 | 205 | 304);
        ensure(is_filtered || is_null || &*seen.body == last.served, || format!("{:?} of {:?}", seen.body, last.served))
    })
}

fn the_url_is_the_last_one(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |step, seen, predicted, answers| {
        let Some(last) = predicted.exchanges.last().filter(|_| !seen.url.is_empty()) else { return Ok(()) };
        let followed = actual(predicted, answers).iter().rev().skip(1).any(|(_, a)| redirects(*a));
        let redirected = seen.kind == ResponseType::OpaqueRedirect || !is_fetch(step) || seen.redirected == followed;
        ensure(seen.url.ends_with(&format!("{}{}", last.host, last.target)) && redirected, || format!("{} after {}", seen.url, last.target))
    })
}

fn omit_sends_nothing(input: &Input, defects: Defects) -> Check {
    each_exchange(input, defects, |step, x| {
        let own = header(x, "Authorization").filter(|v| !v.contains(MARKER));
        let sends = x.headers.contains("Cookie") || own.is_some();
        ensure(step.action.credentials != Some(Credentials::Omit) || !sends, || format!("{:?}", x.headers))
    })
}

fn omit_stores_nothing(input: &Input, defects: Defects) -> Check {
    let mut input = input.clone();
    let Some(last) = input.steps.len().checked_sub(1) else { return Ok(()) };
    for step in &mut input.steps[..last] {
        step.action.api = ApiWord::Fetch;
        step.action.credentials = Some(Credentials::Omit);
    }
    // Nothing was stored, so nothing is there to be sent with the first request of the last step.
    let scenario = input.scenario();
    let prediction = run::<NoTrace>(&scenario, defects);
    let omitted = prediction.steps[..last].iter().flat_map(|s| &s.exchanges);
    let mut all = omitted.chain(prediction.steps[last].exchanges.first());
    ensure(all.all(|x| !x.headers.contains("Cookie")), || format!("{:?}", wires(&input, defects)))
}

fn cookies_stay_home_without_include(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        let mut left = false;
        predicted.exchanges.iter().filter(|_| !includes(step)).try_for_each(|x| {
            left |= !input.is_own(x.at);
            ensure(!left || !x.headers.contains("Cookie"), || format!("a cookie to {}", x.at))
        })
    })
}

fn policies_of_servers_block_opaque_reads(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |_, seen, predicted, answers| {
        let (Some(last), Some(Some(answer))) = (predicted.exchanges.last(), answers.last()) else { return Ok(()) };
        let forbids = value(answer, "Cross-Origin-Resource-Policy") == Some(b"same-origin") && !input.is_own(last.at);
        ensure(seen.kind != ResponseType::Opaque || !forbids, || format!("{seen:?}"))
    })
}

fn integrity_holds(input: &Input, defects: Defects) -> Check {
    each_response(input, defects, |step, seen, _, _| {
        let demanded = step.action.integrity.as_deref().unwrap_or_default();
        let wrong = demanded == "sha256-AAAA" || demanded.starts_with("sha256-47DEQ") && !seen.body.is_empty();
        let opaque = !demanded.is_empty() && matches!(seen.kind, ResponseType::Opaque | ResponseType::OpaqueRedirect);
        ensure(!is_fetch(step) || !wrong && !opaque, || format!("{demanded}: {seen:?}"))
    })
}

fn xhr_events_tell_the_end(input: &Input, defects: Defects) -> Check {
    each_step(input, defects, |step, predicted, _| {
        let view = &predicted.view;
        let wanted: &[&str] = match (&view.end, view.outcome()) {
            (End::Refused(_), _) => &[],
            (_, Outcome::Blocked) => &["error", "loadend"],
            (_, Outcome::Aborted) => &["abort", "loadend"],
            _ => &["progress", "load", "loadend"],
        };
        let wanted = if is_fetch(step) || step.action.sync { &[] } else { wanted };
        ensure(view.events.ends_with(wanted) && view.events.is_empty() == wanted.is_empty(), || format!("{view:?}"))
    })
}

struct Invariant {
    name: &'static str,
    holds: fn(&Input, Defects) -> Check,
    broken_by: &'static [Defect],
}

macro_rules! invariants {
    ($( $(#[doc = $because:literal])+ $name:ident: $($defect:ident),+; )*) => {
        const INVARIANTS: &[Invariant] =
            &[$( Invariant { name: stringify!($name), holds: $name, broken_by: &[$( Defect::$defect ),+] }, )*];

        mod holds {
            $( $(#[doc = $because])+ #[test] fn $name() { super::holds(super::$name); } )*
        }
    };
}

invariants! {
    /// XMLHttpRequest, request error steps: the response is a network error, and load is not fired.
    failures_show_nothing: XhrSurfaceLeaks, XhrLoadOnError;
    /// fetch(), step 12.3, and handle errors: one exception or event, whatever went wrong.
    failures_look_alike: ErrorName;
    /// A path that ends in no response names the one step that decided.
    a_path_decides_once: ErrorStatusBlocked, RedirectNoLocationBlocked;
    /// A prediction depends on nothing but its input.
    a_path_changes_nothing: AcaoMissingAllowed, CookiesAlways;
    /// The Request constructor, Headers' append, open() and setRequestHeader() throw before anything is sent.
    invalid_calls_are_refused: InvalidMethodAllowed, ForbiddenMethodsAllowed, InvalidHeaderAllowed, NavigateAllowed;
    /// CORS check, steps 2 to 4: Access-Control-Allow-Origin is the request's origin or `*`, once.
    cors_reads_are_granted: CorsCheckMissing, AcaoIgnoresCase, AcaoMissingAllowed, AcaoFirstField, AcaoTrailingSlash, AcaoFromInterim;
    /// CORS check, step 3: not with credentials mode include.
    a_wildcard_grants_nothing_with_credentials: WildcardWithCredentials;
    /// CORS check, steps 6 to 8: Access-Control-Allow-Credentials is `true`, byte by byte.
    credentials_need_true: AcacIgnored, AcacIgnoresCase, AcacAnyValue, AcacPrefix;
    /// Append a request Origin header, step 3: always with response tainting "cors".
    cors_requests_carry_origin: OriginMissing, OriginTrailingSlash, OriginNotOnPreflightedGet, PreflightNoOrigin;
    /// Serializing a request origin, step 2, and redirect-taint.
    foreign_redirects_make_origin_null: RedirectNoTaint, RedirectTaintEarly;
    /// CORS-preflight fetch, step 1: a new request, of credentials mode same-origin and tainting "cors".
    preflights_carry_no_credentials: PreflightCookies, PreflightAuthorHeaders;
    /// CORS-preflight fetch, steps 1 to 5: neither the request's body nor its headers.
    preflights_carry_no_request: PreflightBody, PreflightAuthorHeaders;
    /// CORS-preflight fetch, steps 1 and 3: OPTIONS to the same URL, with the request's method.
    preflights_name_their_request: AcrmLowercase, AcrmUppercase;
    /// CORS-preflight fetch, step 5, and convert header names to a sorted-lowercase set.
    preflights_list_names_in_order: AcrhUnsorted, AcrhNotLowercased, AcrhSpaces, AcrhRepeats;
    /// Main fetch, step 12: a method or a header that is not safelisted asks for a preflight, or for a grant in the cache.
    unsafe_requests_are_preflighted: PreflightNever, PreflightNotForPut, PreflightNotForHeaders, RedirectNoPreflight, CacheIgnoresPath;
    /// CORS-preflight fetch, steps 7 and 8: the actual request waits for a grant.
    nothing_goes_out_ungranted: PreflightAnyStatus, PreflightNotChecked, PreflightFailureIgnored, MethodsIgnored, MethodsIgnoreCase,
        MethodsWildcardCredentials, HeadersIgnored, HeadersPrefix, HeadersWildcardCredentials, WildcardCoversAuthorization,
        ListsMalformedSkipped, ListsSpaceSeparated, PreflightCredentialsNotDemanded;
    /// Main fetch, step 12: a safelisted method without unsafe headers is not asked for.
    simple_requests_are_not_preflighted: PreflightAlways, PreflightForHead, PreflightForPost, PreflightForUpload;
    /// CORS-unsafe request-header names: one more unsafe header is one more name.
    an_added_header_is_asked_for: PreflightNever, PreflightNotForHeaders, PreflightNotSameSite, PreflightNotForNull;
    /// HTTP fetch, step 4.1, and CORS-preflight fetch, steps 7.12 to 7.15.
    a_grant_is_remembered: CacheNone, CacheForgetsWildcard;
    /// Forbidden request-header.
    forbidden_headers_stay_behind: ForbiddenHeadersSent, ForbiddenPrefixSent, ForbiddenOverrideSent;
    /// Headers' append, steps 1 and 2, and setRequestHeader(), steps 3 to 5: white space goes, and what is forbidden is passed over.
    valid_calls_are_made: ValuesNotNormalised, ForbiddenThrows;
    /// The Request constructor, step 32, and Headers' append, step 3.
    no_cors_sends_safelisted_parts_only: NoCorsAnyMethod, NoCorsAnyHeader, NoCorsRange;
    /// The Request constructor, step 35, and send(), step 3.
    get_and_head_carry_no_body: GetBodyAllowed, XhrGetBody;
    /// HTTP-network-or-cache fetch, steps 8.5 to 8.9.
    bodies_have_their_length: BodyLengthMissing;
    /// HTTP-redirect fetch, step 12.
    redirects_change_methods_by_the_book: Redirect303Kept, Redirect303Head, Redirect307Changed, RedirectPostKept, RedirectPutChanged,
        RedirectBodyDropped;
    /// HTTP-redirect fetch, step 7.
    at_most_twenty_redirects: RedirectLimitMore;
    /// HTTP-redirect fetch, step 7: not before.
    a_chain_of_twenty_is_followed: RedirectLimitLess;
    /// HTTP fetch, step 6.3.
    redirect_mode_error_follows_nothing: RedirectErrorFollows;
    /// HTTP-redirect fetch, step 13.
    authorization_stays_with_its_origin: RedirectKeepsAuthorization;
    /// Main fetch, step 9: the referrer that is determined replaces the request's.
    a_referrer_that_was_cut_stays_cut: ReferrerFull, ReferrerForeign;
    /// Main fetch, step 12: a network error for another origin.
    mode_same_origin_stays_home: SameOriginIgnored, RedirectModeSameOriginLeaves, SameOriginBySite;
    /// HTTP fetch, step 4.4: only with response tainting "cors".
    same_origin_needs_no_cors_headers: SameOriginChecked;
    /// Main fetch, steps 12 and 14.2.
    types_tell_where_a_response_is_from: TypeAlwaysBasic, TypeAlwaysCors, NoCorsReadable, RedirectHomeReadable, SameOriginByHost;
    /// Opaque filtered response, and opaque-redirect filtered response.
    opaque_responses_show_nothing: NoCorsStatus, NoCorsUrl, OpaqueBody;
    /// Forbidden response-header name.
    set_cookie_is_never_visible: FilterBasicSetCookie, FilterSetCookie;
    /// CORS-safelisted response-header name.
    cors_responses_show_what_is_listed: FilterNone, FilterExtra, ExposePrefix, ExposeWildcardCredentials, ExposeMalformedSkipped;
    /// Extract header list values: a longer list holds what the shorter one held.
    exposing_more_hides_nothing: ExposeFirstField, ExposeWildcardAlone;
    /// Header lists compare names byte-case-insensitively and keep the order of one name alone.
    order_and_case_of_fields_do_not_matter: ExposeCaseSensitive;
    /// The CORS protocol has no other headers than those it names.
    unrelated_fields_change_nothing: AcaoHeaderName;
    /// Main fetch, step 22.
    null_bodies_are_empty: NullBodyShown;
    /// HTTP-network fetch, step 18.
    bodies_arrive_as_served: BodyCut;
    /// Response's url and redirected.
    the_url_is_the_last_one: UrlFirst, UrlWithFragment, RedirectedHidden, RedirectedAlways;
    /// HTTP-network-or-cache fetch, steps 8.3 and 8.21: without credentials there are no cookies and no user and password.
    omit_sends_nothing: CookiesAlways;
    /// HTTP-network fetch, step 17: Set-Cookie counts only with credentials.
    omit_stores_nothing: CookiesOmitStored;
    /// HTTP-network-or-cache fetch, step 8.3: same-origin stands for response tainting "basic".
    cookies_stay_home_without_include: CookiesAlways, CookiesSameSite, CredentialsDefaultInclude;
    /// Cross-origin resource policy internal check, step 5.
    policies_of_servers_block_opaque_reads: CorpIgnored, CorpSameOriginIsSite;
    /// Main fetch, step 23.
    integrity_holds: IntegrityIgnored, IntegrityOpaque;
    /// Handle response end-of-body, and the request error steps.
    xhr_events_tell_the_end: XhrNoProgress, XhrLoadOnError;
}

/// Always the same inputs, one after the other.
fn trees() -> impl Iterator<Item = Box<dyn ValueTree<Value = Input>>> {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = inputs().boxed();
    std::iter::from_fn(move || Some(strategy.new_tree(&mut runner).expect("no filter rejects so much")))
}

static INPUTS: LazyLock<Vec<Input>> = LazyLock::new(|| trees().take((*CASES).max(CASES_TO_FAIL)).map(|tree| tree.current()).collect());

fn holds(invariant: fn(&Input, Defects) -> Check) {
    let Some(failing) = INPUTS[..*CASES].iter().position(|input| invariant(input, Defects::NONE).is_err()) else { return };
    // Once more, for the least input that fails.
    let tree = trees().nth(failing).expect("there are inputs without end");
    let mut runner = TestRunner::new(Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() });
    if let Err(failure) = runner.run_one(tree, |input| invariant(&input, Defects::NONE).map_err(TestCaseError::fail)) {
        panic!("{failure}");
    }
}

/// Every defect that an invariant is named with makes it fail.
#[test]
fn every_invariant_can_fail() {
    let mut unbroken = Vec::new();
    for invariant in INVARIANTS {
        for defect in invariant.broken_by {
            if !INPUTS[..CASES_TO_FAIL].iter().any(|input| (invariant.holds)(input, Defects::only(*defect)).is_err()) {
                unbroken.push(format!("{} with {}", invariant.name, defect.word()));
            }
        }
    }
    assert!(unbroken.is_empty(), "nothing breaks:\n{}", unbroken.join("\n"));
}
