//! The judge: page and wire against the expectation. Pure.
//!
//! A verdict needs both witnesses. What the page saw decides the direction; the wire must show exactly the exchanges that the
//! expectation lists. An observation that proves nothing (no answer, an answer that never left our server) is not judged.

use corscheck_cases::{
    Outcome,
    bind::{BoundExchange, BoundExpect, BoundStep, FieldCheck, Seen},
    format::{Timing, TimingEntry},
    text::escape,
};
use corscheck_servers::{Exchange, Fate};

use crate::{
    observation::{Observation, PageEnd, PageResponse, PageResult},
    verdict::{Cause, Difference, Judgement, Verdict},
};

/// Judges one attempt whose controls have succeeded.
pub fn judge(steps: &[BoundStep], observation: &Observation) -> Judgement {
    let mut worst = Judgement { verdict: Verdict::Agrees, differences: Vec::new() };
    let mut connections = Connections::default();
    for (i, step) in steps.iter().enumerate() {
        let wire: Vec<&Exchange> = observation.exchanges.iter().filter(|x| x.step as usize == i).collect();
        let judgement = match observation.pages.get(i) {
            None => not_judged(Cause::NoAnswer { step: i }),
            Some(page) => judge_alternatives(i, step, page, &wire, &mut connections),
        };
        if matches!(judgement.verdict, Verdict::NotJudged(_) | Verdict::Unsupported(_)) {
            // What a step before it proved stays proven.
            return if worst.verdict == Verdict::Agrees { judgement } else { worst };
        }
        // The first step that is wrong decides; what follows it stands on wrong ground.
        if worst.verdict == Verdict::Agrees {
            worst.verdict = judgement.verdict;
        }
        worst.differences.extend(judgement.differences);
    }
    worst
}

/// A judgement that refuses to judge.
pub fn not_judged(cause: Cause) -> Judgement {
    Judgement { verdict: Verdict::NotJudged(cause), differences: Vec::new() }
}

/// Judges a step by the expectation that it meets; where it meets none, by the one whose exchanges it has, or whose outcome.
fn judge_alternatives<'s>(
    step: usize,
    bound: &'s BoundStep,
    page: &PageResult,
    wire: &[&Exchange],
    connections: &mut Connections<'s>,
) -> Judgement {
    let all: Vec<&'s BoundExpect> = std::iter::once(&bound.expect).chain(&bound.or).collect();
    let mut judgements: Vec<Judgement> = all.iter().map(|expect| judge_step(step, expect, page, wire)).collect();
    let met = judgements.iter().position(|j| j.verdict == Verdict::Agrees);
    let like = || {
        let outcome = page.end.outcome();
        let by_wire = all.iter().position(|e| e.wires.iter().any(|w| fits(w, wire)));
        by_wire.or_else(|| all.iter().position(|e| Some(e.read) == outcome)).unwrap_or_default()
    };
    let chosen = met.unwrap_or_else(like);
    let mut judgement = judgements.swap_remove(chosen);
    if judgement.verdict == Verdict::Agrees
        && let Some(aligned) = all[chosen].wires.iter().find_map(|w| alignment(w, wire))
        && let Some(shared) = connections.add(step, &aligned, wire)
    {
        judgement = Judgement { verdict: Verdict::WrongWire, differences: vec![shared] };
    }
    judgement
}

fn judge_step(step: usize, expect: &BoundExpect, page: &PageResult, wire: &[&Exchange]) -> Judgement {
    if let PageEnd::Unsupported(words) = &page.end {
        return Judgement { verdict: Verdict::Unsupported(words.clone()), differences: Vec::new() };
    }
    if let PageEnd::AgentFault(words) = &page.end {
        return not_judged(Cause::AgentFault { words: words.clone() });
    }
    let Some(outcome) = page.end.outcome() else {
        return not_judged(Cause::NoAnswer { step });
    };
    if outcome == Outcome::Blocked
        && let Some(cause) = undelivered(wire, false)
    {
        return not_judged(cause);
    }
    if !expect.body_fails
        && matches!(&page.end, PageEnd::Response(r) if r.body_error.is_some())
        && let Some(cause) = undelivered(wire, true)
    {
        return not_judged(cause);
    }
    let mut findings = Findings { step, verdict: Verdict::Agrees, differences: Vec::new() };
    judge_page(&mut findings, expect, outcome, page, wire);
    judge_wire(&mut findings, expect, wire);
    Judgement { verdict: findings.verdict, differences: findings.differences }
}

/// A request whose answer our server failed to deliver proves nothing about a blocked read; one whose body it failed to deliver
/// (`begun`) nothing about a body that could not be read.
fn undelivered(wire: &[&Exchange], begun: bool) -> Option<Cause> {
    wire.iter().find_map(|x| {
        let error = match &x.answer.fate {
            Fate::Failed { error } => error.as_str(),
            Fate::Pending if !begun => "not begun",
            _ => return None,
        };
        let undelivered = begun || x.answer.status.is_none();
        undelivered.then(|| Cause::AnswerNotDelivered { words: format!("{} {}: {error}", x.request.method, x.at) })
    })
}

struct Findings {
    step: usize,
    verdict: Verdict,
    differences: Vec<Difference>,
}

impl Findings {
    /// The first finding decides the verdict: callers go from the page's outcome to particulars to the wire.
    fn add(&mut self, verdict: Verdict, point: impl Into<String>, expected: impl Into<String>, seen: impl Into<String>) {
        if self.verdict == Verdict::Agrees {
            self.verdict = verdict;
        }
        self.differences.push(Difference { step: self.step, point: point.into(), expected: expected.into(), seen: seen.into() });
    }
}

fn judge_page(findings: &mut Findings, expect: &BoundExpect, outcome: Outcome, page: &PageResult, wire: &[&Exchange]) {
    let allowed: Vec<Outcome> = std::iter::once(expect.read).chain(expect.or_read.iter().copied()).collect();
    if !allowed.contains(&outcome) {
        let most_open = allowed.iter().map(|o| o.openness()).max().unwrap_or(0);
        let least_open = allowed.iter().map(|o| o.openness()).min().unwrap_or(0);
        let verdict = match outcome.openness() {
            seen if seen > most_open => Verdict::TooOpen,
            seen if seen < least_open => Verdict::TooStrict,
            _ => Verdict::WrongWire,
        };
        findings.add(verdict, "page.outcome", words(&allowed), outcome.word());
        return;
    }
    if let Some(surface) = &page.surface {
        judge_surface(findings, surface);
    }
    if outcome != expect.read {
        // An alternative outcome carries no expectation of its particulars.
        return;
    }
    if let Some(name) = &expect.error
        && page.exceptions().all(|e| e.name != *name)
    {
        let seen = page.exceptions().next().map_or("no exception", |e| &e.name);
        findings.add(Verdict::WrongWire, "page.error", name, seen);
    }
    for (point, wanted, seen) in
        [("page.events", &expect.events, &page.events), ("page.upload-events", &expect.upload_events, &page.upload_events)]
    {
        if let Some(wanted) = wanted
            && wanted != seen
        {
            findings.add(Verdict::WrongWire, point, wanted.join(" "), seen.join(" "));
        }
    }
    if let Some(wanted) = expect.timing
        && page.timing != Some(wanted)
    {
        let verdict = match (wanted, page.timing) {
            (_, None) => Verdict::WrongWire,
            (Timing::Closed, Some(_)) => Verdict::TooOpen,
            (Timing::Open, Some(_)) => Verdict::TooStrict,
        };
        findings.add(verdict, "page.timing", wanted.word(), page.timing.map_or("no entry", Timing::word));
    }
    if let Some(wanted) = &expect.worker_sees
        && *wanted != page.worker_saw
    {
        findings.add(Verdict::WrongWire, "page.worker-sees", wanted.join(", "), page.worker_saw.join(", "));
    }
    if let Some(wanted) = &expect.entry {
        judge_entry(findings, wanted, page.entry.as_deref());
    }
    let PageEnd::Response(response) = &page.end else { return };
    match outcome {
        Outcome::Opaque | Outcome::OpaqueRedirect => judge_opaque(findings, expect, response),
        Outcome::Allowed => judge_response(findings, expect, response, wire),
        Outcome::Blocked | Outcome::Refused | Outcome::Aborted => {}
    }
}

/// A network error must give nothing away: XMLHttpRequest shows status 0, no text, no URL, no headers, no body (XHR, response is a
/// network error).
fn judge_surface(findings: &mut Findings, surface: &PageResponse) {
    let shown = [
        (surface.status != 0).then(|| format!("status {}", surface.status)),
        (!surface.status_text.is_empty()).then(|| format!("status text {}", surface.status_text)),
        (!surface.url.is_empty()).then(|| format!("URL {}", surface.url)),
        surface.headers.first().map(|(name, value)| format!("{name}: {value}")),
        surface.probed.iter().find_map(|(name, value)| value.as_ref().map(|v| format!("{name}: {v}"))),
        (surface.body_length > 0).then(|| format!("{} bytes", surface.body_length)),
    ];
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    if !shown.is_empty() {
        findings.add(Verdict::TooOpen, "page.surface", "nothing", shown.join(", "));
    }
}

/// An opaque response must give nothing away (Fetch, opaque filtered response).
/// An entry of Resource Timing that tells what it must hide is too open, and the other way round.
fn judge_entry(findings: &mut Findings, wanted: &TimingEntry, seen: Option<&TimingEntry>) {
    let Some(seen) = seen else {
        findings.add(Verdict::WrongWire, "page.entry", "an entry", "none");
        return;
    };
    fn words<T: std::fmt::Display>(value: &Option<T>) -> Option<String> {
        value.as_ref().map(ToString::to_string)
    }
    let list = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.join(", "));
    let parts = [
        ("page.entry.count", words(&wanted.count), words(&seen.count)),
        ("page.entry.response-status", words(&wanted.response_status), words(&seen.response_status)),
        ("page.entry.content-type", words(&wanted.content_type), words(&seen.content_type)),
        ("page.entry.encoded-body-size", words(&wanted.encoded_body_size), words(&seen.encoded_body_size)),
        ("page.entry.decoded-body-size", words(&wanted.decoded_body_size), words(&seen.decoded_body_size)),
        ("page.entry.server-timing", list(&wanted.server_timing), list(&seen.server_timing)),
    ];
    let hidden = |value: &str| matches!(value, "" | "0");
    for (point, wanted, seen) in parts {
        let (Some(wanted), seen) = (wanted, seen.unwrap_or_default()) else { continue };
        if wanted == seen {
            continue;
        }
        let verdict = match (hidden(&wanted), hidden(&seen)) {
            (true, false) => Verdict::TooOpen,
            (false, true) => Verdict::TooStrict,
            _ => Verdict::WrongWire,
        };
        findings.add(verdict, point, wanted, seen);
    }
}

fn judge_opaque(findings: &mut Findings, expect: &BoundExpect, response: &PageResponse) {
    if response.status != 0 || !response.status_text.is_empty() {
        findings.add(Verdict::TooOpen, "page.status", "0", format!("{} {}", response.status, response.status_text));
    }
    if let Some((name, value)) = response.headers.first() {
        findings.add(Verdict::TooOpen, format!("page.header:{name}"), "null", value.as_str());
    }
    if let Some((name, value)) = response.probed.iter().find_map(|(n, v)| v.as_ref().map(|v| (n, v))) {
        findings.add(Verdict::TooOpen, format!("page.header:{}", name.to_ascii_lowercase()), "null", value.as_str());
    }
    if response.redirected == Some(true) {
        findings.add(Verdict::TooOpen, "page.redirected", "false", "true");
    }
    if response.body_length > 0 {
        findings.add(Verdict::TooOpen, "page.body", "null", format!("{} bytes", response.body_length));
    }
    if let Some(url) = &expect.url
        && *url != response.url
    {
        findings.add(Verdict::WrongWire, "page.url", url, response.url.as_str());
    }
}

fn judge_response(findings: &mut Findings, expect: &BoundExpect, response: &PageResponse, wire: &[&Exchange]) {
    if let Some(wanted) = expect.r#type {
        let wanted = serde_json::to_value(wanted).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let seen = response.r#type.as_deref().unwrap_or("none");
        if wanted != seen {
            findings.add(Verdict::WrongWire, "page.type", wanted, seen);
        }
    }
    if let Some(wanted) = expect.status
        && wanted != response.status
    {
        findings.add(Verdict::WrongWire, "page.status", wanted.to_string(), response.status.to_string());
    }
    if let Some(wanted) = &expect.status_text
        && *wanted != response.status_text
    {
        findings.add(Verdict::WrongWire, "page.status-text", wanted, response.status_text.as_str());
    }
    if let Some(wanted) = &expect.url
        && *wanted != response.url
    {
        findings.add(Verdict::WrongWire, "page.url", wanted, response.url.as_str());
    }
    if let Some(wanted) = expect.redirected
        && response.redirected.is_some_and(|seen| seen != wanted)
    {
        findings.add(Verdict::WrongWire, "page.redirected", wanted.to_string(), (!wanted).to_string());
    }
    judge_headers(findings, expect, response);
    judge_body(findings, expect, response, wire);
}

fn judge_headers(findings: &mut Findings, expect: &BoundExpect, response: &PageResponse) {
    for (name, wanted) in &expect.headers {
        let point = format!("page.header:{}", name.to_ascii_lowercase());
        let Some((_, seen)) = response.probed.iter().find(|(n, _)| n == name) else {
            // The agent asks for every name of the expectation; what it did not ask for was not observed.
            findings.add(Verdict::WrongWire, point, show_seen(wanted), "not asked for");
            continue;
        };
        let seen = seen.as_deref();
        let iterated = response.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
        match (wanted, seen) {
            (Seen::Hidden, Some(value)) => findings.add(Verdict::TooOpen, point, "null", value),
            (Seen::Hidden, None) => {
                if let Some(value) = iterated {
                    findings.add(Verdict::TooOpen, point, "absent from iteration", value);
                }
            }
            (Seen::Present | Seen::Is(_), None) => findings.add(Verdict::TooStrict, point, show_seen(wanted), "null"),
            (Seen::Is(value), Some(seen)) if value != seen => findings.add(Verdict::WrongWire, point, value, seen),
            (Seen::Present | Seen::Is(_), Some(_)) => {}
        }
    }
    if let Some(wanted) = &expect.header_names {
        let seen: Vec<_> = response.headers.iter().map(|(n, _)| n.as_str()).collect();
        if seen != *wanted {
            let more = seen.iter().any(|n| !wanted.iter().any(|w| w == n));
            let fewer = wanted.iter().any(|w| !seen.contains(&w.as_str()));
            let verdict = match (more, fewer) {
                (true, _) => Verdict::TooOpen,
                (false, true) => Verdict::TooStrict,
                (false, false) => Verdict::WrongWire,
            };
            findings.add(verdict, "page.header-names", wanted.join(" "), seen.join(" "));
        }
    }
}

fn show_seen(seen: &Seen) -> &str {
    match seen {
        Seen::Hidden => "null",
        Seen::Present => "any value",
        Seen::Is(value) => value,
    }
}

fn judge_body(findings: &mut Findings, expect: &BoundExpect, response: &PageResponse, wire: &[&Exchange]) {
    if expect.body_fails {
        if response.body_error.is_none() {
            findings.add(Verdict::WrongWire, "page.body", "an exception from reading it", format!("{} bytes", response.body_length));
        }
        return;
    }
    if let Some(error) = &response.body_error {
        findings.add(Verdict::TooStrict, "page.body", "a body that can be read", format!("{}: {}", error.name, error.message));
        return;
    }
    // Body bytes cross from the page as characters of the same number; an expected body is text, in UTF-8.
    let latin1 = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
    let served = wire.iter().rfind(|x| !x.request.is_preflight()).map(|x| &x.answer);
    let (wanted, length) = match (&expect.body, served) {
        (Some(body), _) => (latin1(body.as_bytes()), body.len() as u64),
        (None, Some(answer)) => (latin1(&answer.body.0), answer.body_length),
        // Answered from a cache or a scheme without a wire: nothing to compare with.
        (None, None) => return,
    };
    // The agent and the recorder both keep the beginning of long bodies.
    let begins = |a: &str, b: &str| a.chars().zip(b.chars()).all(|(a, b)| a == b);
    if response.body_length != length || !begins(&wanted, &response.body) {
        let shown = |text: &str, length: u64| format!("{length} bytes: {text}");
        findings.add(Verdict::WrongWire, "page.body", shown(&wanted, length), shown(&response.body, response.body_length));
    }
}

fn judge_wire(findings: &mut Findings, expect: &BoundExpect, wire: &[&Exchange]) {
    if let Some(stray) = wire.iter().find(|x| x.answer.fate == Fate::Unscripted)
        && expect.wires.iter().any(|w| fits(w, wire))
    {
        // The method and origin are right and the URL is not: nothing was scripted there.
        findings.add(Verdict::WrongWire, "wire.unscripted", "a scripted URL", format!("{} {}", show(stray), stray.request.target));
        return;
    }
    let mut first: Option<Vec<Difference>> = None;
    for wanted in &expect.wires {
        let differences = compare_wire(findings.step, wanted, wire);
        if differences.is_empty() {
            return;
        }
        first.get_or_insert(differences);
    }
    for difference in first.unwrap_or_default() {
        findings.add(Verdict::WrongWire, difference.point, difference.expected, difference.seen);
    }
}

/// Whether the exchanges are the wanted ones, in order, optional and repeated ones in whatever way fits.
fn fits(wanted: &[BoundExchange], seen: &[&Exchange]) -> bool {
    alignment(wanted, seen).is_some()
}

/// What each exchange was wanted as, if they are the wanted ones.
fn alignment<'w>(wanted: &'w [BoundExchange], seen: &[&Exchange]) -> Option<Vec<&'w BoundExchange>> {
    let Some((want, rest)) = wanted.split_first() else { return seen.is_empty().then(Vec::new) };
    if want.optional
        && let Some(aligned) = alignment(rest, seen)
    {
        return Some(aligned);
    }
    let matching = seen.iter().take_while(|x| is_exchange(want, x) && compare_exchange(0, want, x).is_empty()).count();
    let most = if want.repeats { matching } else { matching.min(1) };
    (1..=most).find_map(|n| {
        let rest = alignment(rest, &seen[n..])?;
        Some(std::iter::repeat_n(want, n).chain(rest).collect())
    })
}

/// The connections of an attempt, each with the word that an exchange on it was expected with.
#[derive(Default)]
struct Connections<'w>(Vec<(u64, &'w str)>);

impl<'w> Connections<'w> {
    /// Adds those of a step; tells when one of them has another word already.
    fn add(&mut self, step: usize, wanted: &[&'w BoundExchange], seen: &[&Exchange]) -> Option<Difference> {
        for (want, exchange) in wanted.iter().zip(seen) {
            let Some(word) = want.connection.as_deref() else { continue };
            if let Some((_, other)) = self.0.iter().find(|(id, other)| *id == exchange.connection && *other != word) {
                return Some(Difference {
                    step,
                    point: "wire.connection".to_owned(),
                    expected: format!("{} over another connection ({word}) than the one of {other}", show(exchange)),
                    seen: format!("connection {}, as for {other}", exchange.connection),
                });
            }
            self.0.push((exchange.connection, word));
        }
        None
    }
}

fn is_exchange(want: &BoundExchange, seen: &Exchange) -> bool {
    want.method == seen.request.method && want.at == seen.at
}

/// Compares the exchanges in order; the first that parts is reported, since what follows it is shifted.
fn compare_wire(step: usize, wanted: &[BoundExchange], seen: &[&Exchange]) -> Vec<Difference> {
    if fits(wanted, seen) {
        return Vec::new();
    }
    let part = |point: &str, expected: String, seen: String| vec![Difference { step, point: point.to_owned(), expected, seen }];
    let shown = || if seen.is_empty() { "nothing".to_owned() } else { seen.iter().map(|x| show(x)).collect::<Vec<_>>().join(", ") };
    let wanted_shown =
        || if wanted.is_empty() { "nothing".to_owned() } else { wanted.iter().map(show_wanted).collect::<Vec<_>>().join(", ") };
    let mut at = 0;
    for (i, want) in wanted.iter().enumerate() {
        match seen.get(at) {
            Some(exchange) if is_exchange(want, exchange) => {
                let differences = compare_exchange(step, want, exchange);
                if !differences.is_empty() {
                    return differences;
                }
                at += 1;
                while let Some(again) = seen.get(at).filter(|x| want.repeats && is_exchange(want, x)) {
                    let differences = compare_exchange(step, want, again);
                    if !differences.is_empty() {
                        return differences;
                    }
                    at += 1;
                }
            }
            _ if want.optional => {}
            Some(other) => {
                let later = wanted[i + 1..].iter().any(|w| is_exchange(w, other));
                let point = if later { "wire.missing" } else { "wire.extra" };
                return part(point, wanted_shown(), shown());
            }
            None => return part("wire.missing", wanted_shown(), shown()),
        }
    }
    part("wire.extra", wanted_shown(), shown())
}

fn compare_exchange(step: usize, want: &BoundExchange, seen: &Exchange) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut add = |point: String, expected: String, seen: String| out.push(Difference { step, point, expected, seen });
    for (name, check) in &want.headers {
        let values = seen.request.values(name);
        let ok = match check {
            FieldCheck::Absent => values.is_empty(),
            FieldCheck::Present => !values.is_empty(),
            FieldCheck::OneOf(allowed) => matches!(values[..], [one] if allowed.iter().any(|a| a == one)),
            FieldCheck::Contains(parts) => matches!(values[..], [one] if parts.iter().all(|p| contains(one, p))),
            FieldCheck::Lacks(parts) => !values.iter().any(|v| parts.iter().any(|p| contains(v, p))),
        };
        if !ok {
            let shown =
                if values.is_empty() { "absent".to_owned() } else { values.iter().map(|v| escape(v)).collect::<Vec<_>>().join(" | ") };
            add(format!("wire.field:{name}"), show_check(check), format!("{shown} ({})", show(seen)));
        }
    }
    if let Some(body) = &want.body
        && body[..] != seen.request.body.0[..]
    {
        add("wire.body".to_owned(), escape(body), escape(&seen.request.body.0));
    }
    if let Some(length) = want.body_length
        && length as u64 != seen.request.body_length
    {
        add("wire.body-length".to_owned(), length.to_string(), seen.request.body_length.to_string());
    }
    if let Some(target) = &want.target {
        let below = below_token(&seen.request.target);
        if target != below {
            add("wire.target".to_owned(), target.clone(), below.to_owned());
        }
    }
    out
}

/// The request target below `/t/TOKEN/`.
fn below_token(target: &str) -> &str {
    target.splitn(4, '/').nth(3).unwrap_or(target)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || haystack.windows(needle.len()).any(|w| w == needle)
}

fn show(exchange: &Exchange) -> String {
    format!("{} {}", exchange.request.method, exchange.at)
}

fn show_wanted(want: &BoundExchange) -> String {
    let mark = match (want.repeats, want.optional) {
        (true, true) => "*",
        (true, false) => "+",
        (false, true) => "?",
        (false, false) => "",
    };
    format!("{} {}{mark}", want.method, want.at)
}

fn show_check(check: &FieldCheck) -> String {
    let list = |values: &[Vec<u8>]| values.iter().map(|v| escape(v)).collect::<Vec<_>>().join(" or ");
    match check {
        FieldCheck::Absent => "absent".to_owned(),
        FieldCheck::Present => "present".to_owned(),
        FieldCheck::OneOf(values) => list(values),
        FieldCheck::Contains(values) => format!("one field with {}", list(values)),
        FieldCheck::Lacks(values) => format!("nothing with {}", list(values)),
    }
}

fn words(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(|o| o.word()).collect::<Vec<_>>().join(" or ")
}

/// What a step expects, in words, for people.
pub fn describe(step: &BoundStep) -> String {
    std::iter::once(&step.expect).chain(&step.or).map(describe_one).collect::<Vec<_>>().join("; or: ")
}

fn describe_one(e: &BoundExpect) -> String {
    let outcome = words(&std::iter::once(e.read).chain(e.or_read.iter().copied()).collect::<Vec<_>>());
    let reason = e.reasons.first().map(|r| format!(" ({r})")).unwrap_or_default();
    let wires: Vec<_> = e
        .wires
        .iter()
        .map(|w| if w.is_empty() { "nothing".to_owned() } else { w.iter().map(show_wanted).collect::<Vec<_>>().join(", ") })
        .collect();
    format!("{outcome}{reason}; on the wire: {}", wires.join(" — or — "))
}
