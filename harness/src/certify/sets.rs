//! Questions about several answers: swapped by a cache, asked in another order, asked with longer lists.

use std::{net::SocketAddr, time::Duration};

use corscheck_cases::{
    Outcome as Read,
    certify::{
        Asker, Policy, Probe,
        probe::{GrowthAsk, SetAsk},
    },
    format::Credentials,
    oracle::{
        Path, UserAgent,
        headers::{HeaderList, decode_split},
    },
    text::escape,
};

use super::{
    outcome::Outcome,
    page::deciding,
    wire::{Answered, send},
};
use crate::{
    explain::{
        described::Described,
        question::Asked,
        wire::{Answer, Response},
    },
    verdict::Verdict,
};

/// What a page of an asker comes to by an answer.
fn read(asker: &Asker, credentials: Credentials, path: &str, response: &Response, target: &str) -> Result<(Read, Vec<String>), String> {
    let asked = Asked {
        url: Some(format!("{target}{path}")),
        origin: Some(asker.text().unwrap_or("null").to_owned()),
        credentials: Some(credentials),
        ..Asked::default()
    };
    let question = asked.question()?;
    let mut network = Described::by_kind(Vec::new(), vec![Answer::Response(response.clone())]);
    let mut steps = Path::new();
    let view = UserAgent::new().call(&question.call, &question.environment, &mut network, &mut steps);
    Ok((view.outcome(), deciding(&steps)))
}

/// A request for a path by an asker.
fn get(asker: &Asker, path: &str, address: SocketAddr, target: &str) -> Answered {
    let host = target.split_once("://").map_or(target, |(_, host)| host);
    let lines: Vec<Vec<u8>> = asker.origin.iter().map(|origin| [b"Origin: ", &origin[..]].concat()).collect();
    send(address, host, ("GET", path), &lines)
}

/// Whether a cache that has this answer to one request may serve another with it (RFC 9111, section 4.1), when the requests differ in
/// `Origin` and `Cookie` alone.
fn may_serve(response: &Response, origin_differs: bool, cookie_differs: bool) -> bool {
    let Some(vary) = response.headers.get("Vary") else { return true };
    let members = decode_split(&vary);
    let has = |name: &str| members.iter().any(|m| m.trim().eq_ignore_ascii_case(name));
    !(has("*") || has("origin") && origin_differs || has("cookie") && cookie_differs)
}

/// The cache swap: for every ordered pair, may the first answer serve the second request, and does the verdict change?
pub fn swap(probe: &Probe, ask: &SetAsk, policy: &Policy, address: SocketAddr, target: &str) -> Result<Outcome, String> {
    let outcome = Outcome::new(probe, "an answer that a cache may serve to another request comes to the same for it");
    pairs(outcome, ask, policy, address, target, &|_, kept, _| may_serve(kept, true, false))
}

/// Whether the answer to the first serves the second.
type Serves<'s> = &'s dyn Fn(&Asker, &Response, &Asker) -> bool;

/// For every ordered pair in which the first answer serves the second request: does that come to the same as its own answer?
pub(super) fn pairs(
    mut outcome: Outcome,
    ask: &SetAsk,
    policy: &Policy,
    address: SocketAddr,
    target: &str,
    serves: Serves<'_>,
) -> Result<Outcome, String> {
    let mut answers = Vec::new();
    for asker in &ask.askers {
        let answered = get(asker, &ask.path, address, target);
        let Some(response) = answered.response else { continue };
        outcome.observation.exchanges.push(answered.exchange);
        answers.push((asker, response));
    }
    let modes: &[Credentials] =
        if policy.grant(&ask.path).credentials { &[Credentials::SameOrigin, Credentials::Include] } else { &[Credentials::SameOrigin] };
    for (kept_at, (first, kept)) in answers.iter().enumerate() {
        for (direct_at, (second, direct)) in answers.iter().enumerate().filter(|(_, (a, _))| a.origin.is_some() && a.label != first.label) {
            if !serves(first, kept, second) {
                continue;
            }
            for credentials in modes {
                let (own, _) = read(second, *credentials, &ask.path, direct, target)?;
                let (served, path) = read(second, *credentials, &ask.path, kept, target)?;
                if own == served {
                    continue;
                }
                let (verdict, direction) =
                    if served.openness() > own.openness() { (Verdict::TooOpen, "too-open") } else { (Verdict::TooStrict, "too-strict") };
                if outcome.path.is_empty() {
                    outcome.path = path;
                }
                outcome.find(
                    verdict,
                    "swap",
                    &[("direction", direction), ("first", &first.label), ("origin", &second.label), ("credentials", credentials.word())],
                    format!("{} asks: {}", second.label, own.word()),
                    format!("{} by the answer that was kept for {}", served.word(), first.label),
                );
                outcome.shown_by(vec![kept_at, direct_at]);
            }
        }
    }
    outcome.first_things_first();
    Ok(outcome)
}

/// The CORS fields of an answer, in one text.
fn signature(headers: &HeaderList<'_>) -> String {
    let mut fields: Vec<String> = headers
        .iter()
        .filter(|h| {
            h.name.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("access-control-")) || h.name.eq_ignore_ascii_case("vary")
        })
        .map(|h| format!("{}: {}", h.name.to_ascii_lowercase(), escape(&h.value)))
        .collect();
    fields.sort();
    fields.join("; ")
}

/// The rounds of [`order`]: who asks after whom, by number.
const ROUNDS: &[&[usize]] =
    &[&[0, 1, 2, 3, 4], &[2, 0, 2, 1, 4, 0], &[0, 0, 0, 0, 0, 0], &[3, 0, 3, 1], &[4, 0, 2, 2, 0], &[1, 0, 1, 0, 2, 1]];

/// Order independence: the same request comes to the same, whatever was asked before.
pub fn order(probe: &Probe, ask: &SetAsk, address: SocketAddr, target: &str) -> Result<Outcome, String> {
    let mut outcome = Outcome::new(probe, "the same request is answered alike, whatever was asked before it");
    let mut first: Vec<Option<(Read, String)>> = vec![None; ask.askers.len()];
    // In the second half something else was asked for in between.
    for is_after in [false, true] {
        if is_after {
            let Some(between) = &ask.between else { break };
            for asker in &ask.askers {
                get(asker, between, address, target);
            }
        }
        for round in ROUNDS {
            let mut before: Option<usize> = None;
            for &number in *round {
                let Some(asker) = ask.askers.get(number) else { continue };
                let answered = get(asker, &ask.path, address, target);
                let Some(response) = &answered.response else { continue };
                let (read, _) = read(asker, Credentials::SameOrigin, &ask.path, response, target)?;
                let sign = signature(&response.headers);
                match &first[number] {
                    None => {
                        outcome.observation.exchanges.push(answered.exchange);
                        first[number] = Some((read, sign));
                    }
                    Some((was, said)) if *was != read || *said != sign => {
                        let after = before.map_or("nobody", |b| &ask.askers[b].label);
                        let direction = match () {
                            () if *was == read && is_after => "headers",
                            () if *was == read => "changed",
                            () if before == Some(number) => "alternates",
                            () if read.openness() > was.openness() => "too-open",
                            () => "changed",
                        };
                        if outcome.findings.len() < 20 {
                            let verdict = if read.openness() > was.openness() { Verdict::TooOpen } else { Verdict::TooStrict };
                            outcome.find(
                                if *was == read { Verdict::WrongWire } else { verdict },
                                "order",
                                &[("direction", direction), ("origin", &asker.label), ("first", after)],
                                format!("{}: {said}", was.word()),
                                format!("{} after {after}: {sign}", read.word()),
                            );
                            outcome.observation.exchanges.push(answered.exchange);
                        }
                    }
                    Some(_) => {}
                }
                before = Some(number);
            }
        }
    }
    Ok(outcome)
}

/// How often each length is asked; the shortest time counts.
const TIMES: usize = 5;

/// A cost below this is nothing to complain of, whatever its curve.
const HARMLESS: Duration = Duration::from_millis(6);

/// Growth of cost: what three times the list costs may be three times as much, and the answer no longer than the request and a little.
pub fn growth(probe: &Probe, ask: &GrowthAsk, address: SocketAddr, target: &str) -> Outcome {
    let mut outcome = Outcome::new(probe, "time and length in proportion to the list");
    let mut suspicion = measure(&mut outcome, probe, ask, address, target);
    // Somebody else may have had the processor: what is so is so again.
    for _ in 0..2 {
        if suspicion.is_some() {
            suspicion = measure(&mut outcome, probe, ask, address, target);
        }
    }
    if let Some((expected, seen)) = suspicion {
        let fill = probe.tags.get("filled").unwrap_or_default();
        outcome.find(Verdict::WrongWire, "growth", &[("point", "time"), ("fill", fill)], expected, seen);
    }
    outcome
}

/// Asks with each length; what was expected and seen where the time grows out of proportion.
fn measure(outcome: &mut Outcome, probe: &Probe, ask: &GrowthAsk, address: SocketAddr, target: &str) -> Option<(String, String)> {
    const MORE: usize = 1024;
    let host = target.split_once("://").map_or(target, |(_, host)| host);
    let mut times = Vec::new();
    for bytes in std::iter::once(0).chain(ask.bytes.iter().copied()) {
        let list: Vec<u8> = ask.fill.as_bytes().iter().copied().cycle().take(bytes).collect();
        let mut lines =
            vec![b"Access-Control-Request-Method: PUT".to_vec(), [b"Access-Control-Request-Headers: x-a,", &list[..], b"x-b"].concat()];
        lines.extend(ask.asker.origin.iter().map(|origin| [b"Origin: ", &origin[..]].concat()));
        let sent = lines.iter().map(Vec::len).sum::<usize>();
        let mut least = Duration::MAX;
        for _ in 0..TIMES {
            let answered = send(address, host, ("OPTIONS", "/r"), &lines);
            least = least.min(answered.took);
            if answered.bytes > sent + MORE && outcome.findings.iter().all(|f| f.tags.get("point") != Some("size")) {
                let fill = probe.tags.get("filled").unwrap_or_default();
                let most = format!("no more than {} bytes", sent + MORE);
                outcome.find(Verdict::WrongWire, "growth", &[("point", "size"), ("fill", fill)], most, format!("{} bytes", answered.bytes));
                outcome.observation.exchanges.push(answered.exchange);
            }
        }
        times.push((bytes, least));
    }
    let (&(_, base), &(long, most)) = (times.first()?, times.last()?);
    // The longest list against a third of it: in proportion it costs three times as much, with the square nine times.
    let &(short, less) = times.iter().rfind(|(bytes, _)| *bytes > 0 && *bytes * 3 <= long)?;
    let (cost, less) = (most.saturating_sub(base), less.saturating_sub(base).max(Duration::from_micros(200)));
    let proportion = long as f64 / short as f64;
    let ms = |d: Duration| format!("{:.1} ms", d.as_secs_f64() * 1000.0);
    (cost > HARMLESS && cost.as_secs_f64() / less.as_secs_f64() > proportion * 2.0)
        .then(|| (format!("{} for {short} bytes, so some {} for {long}", ms(less), ms(less.mul_f64(proportion))), ms(cost)))
}
