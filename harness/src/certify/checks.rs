//! Wire probes: what an answer to certain bytes must be.

use corscheck_cases::{
    Outcome as Read,
    certify::{
        Policy, Probe, Written,
        application::{Application, SIGNATURE},
        policy::Strings,
        probe::{WireAsk, WireExpect},
    },
    format::{BodyEntry, Credentials},
    oracle::{Path, UserAgent, headers::HeaderList},
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

/// The fields that the CORS protocol has for answers.
const FIELDS: &[&str] = &[
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
];

/// Sends the bytes and looks at what comes.
pub fn ask(probe: &Probe, ask: &WireAsk, policy: &Policy, address: std::net::SocketAddr, target: &str) -> Result<Outcome, String> {
    let host = target.split_once("://").map_or(target, |(_, host)| host);
    let answered = send(address, host, (&ask.start.0, &ask.start.1), &ask.lines);
    let mut outcome = Outcome::new(probe, words(&ask.expect));
    judge(&mut outcome, ask, policy, &answered, target)?;
    outcome.observation.exchanges = vec![answered.exchange];
    Ok(outcome)
}

fn words(expect: &WireExpect) -> String {
    let mut words = Vec::new();
    let flags = [
        (expect.granted, "a page of this origin may go on"),
        (expect.denied, "no page of this origin may go on"),
        (expect.served, "the application answers"),
        (expect.alive, "an answer that is no 5xx"),
        (expect.not_reflected, "what was sent as Origin is not granted"),
        (expect.not_disclosed, "nobody else's grant is told"),
        (expect.well_formed, "every CORS field can be read"),
        (expect.max_age, "the configured max-age"),
    ];
    words.extend(flags.iter().filter(|(is, _)| *is).map(|(_, w)| (*w).to_owned()));
    words.extend(expect.field.iter().map(|f| format!("`{f}`")));
    words.extend(expect.no_field.iter().map(|f| format!("no `{}`", f.trim_end_matches([':', ' ']))));
    if !expect.not_both.is_empty() {
        words.push(format!("not both of {}", expect.not_both.join(" and ")));
    }
    if !expect.together.is_empty() {
        words.push(format!("both or none of {}", expect.together.join(" and ")));
    }
    words.join("; ")
}

fn judge(outcome: &mut Outcome, ask: &WireAsk, policy: &Policy, answered: &Answered, target: &str) -> Result<(), String> {
    let expect = &ask.expect;
    let is_bare = |w: &[u8]| w[0] == b'\r' && w[1] != b'\n' || w[0] != b'\r' && w[1] == b'\n' || w[1] == 0;
    if expect.well_formed && answered.head.windows(2).any(is_bare) {
        outcome.find(Verdict::WrongWire, "wire", &[("point", "bytes")], "lines that end in CR LF, and no NUL", "a bare CR, LF or NUL");
    }
    let Some(response) = &answered.response else {
        let fault = answered.fault.clone().unwrap_or_default();
        // A request that is refused without a word grants nothing; only who must answer has not.
        if expect.alive || expect.granted || expect.served {
            outcome.find(Verdict::TooStrict, "wire", &[("point", if expect.alive { "alive" } else { "served" })], words(expect), fault);
        }
        return Ok(());
    };
    let origin = ask.asker.origin.as_deref().unwrap_or_default();
    let value = |name: &str| response.headers.get(name).map(std::borrow::Cow::into_owned);
    let allow = value("Access-Control-Allow-Origin");
    let shown = |v: &Option<Vec<u8>>| v.as_deref().map_or_else(|| "nothing".to_owned(), |v| format!("`{}`", escape(v)));
    if expect.alive && response.status >= 500 {
        outcome.find(Verdict::TooStrict, "wire", &[("point", "alive")], "no 5xx", response.status.to_string());
    }
    if expect.not_reflected
        && allow.as_deref().is_some_and(|allow| allow == origin || allow == b"*" && !origin.is_empty() && policy_is_closed(policy))
    {
        outcome.find(
            Verdict::TooOpen,
            "wire",
            &[("point", "not-reflected")],
            "no grant of it",
            format!("Access-Control-Allow-Origin: {}", shown(&allow)),
        );
    }
    if expect.granted || expect.denied {
        let (read, path) = verdict(ask, response, target)?;
        outcome.path = path;
        if expect.granted && read != Read::Allowed {
            let seen = format!("{} by status {}, Access-Control-Allow-Origin {}", read.word(), response.status, shown(&allow));
            outcome.find(Verdict::TooStrict, "wire", &[("point", "granted")], "allowed", seen);
        }
        if expect.denied && read == Read::Allowed {
            outcome.find(
                Verdict::TooOpen,
                "wire",
                &[("point", "denied")],
                "blocked",
                format!("allowed by Access-Control-Allow-Origin {}", shown(&allow)),
            );
        }
    }
    if expect.served {
        let (own, status) = match &policy.application {
            Application::Fixed => (value(SIGNATURE.0).is_some(), 200),
            // It is answered as if nobody's page had asked.
            Application::Observed(observed) => (true, observed.status),
        };
        let right = expect.body.as_ref().is_none_or(|body| response.body == body.as_bytes());
        if !own || !right || response.status != status {
            let seen = format!(
                "status {}, {}`{}`",
                response.status,
                if own { "" } else { "not signed by the application, " },
                escape(&response.body[..response.body.len().min(60)])
            );
            outcome.find(
                Verdict::TooStrict,
                "wire",
                &[("point", "served")],
                format!("{status} from the application{}", expect.body.as_ref().map(|b| format!(", `{b}`")).unwrap_or_default()),
                seen,
            );
        }
    }
    if expect.well_formed {
        for (point, field, found) in malformed(&response.headers) {
            outcome.find(
                Verdict::WrongWire,
                "wire",
                &[("point", point)],
                format!("{field} as the standard has it"),
                format!("{field}: {found}"),
            );
        }
    }
    if expect.max_age {
        let wanted = policy.grant(&ask.start.1).max_age;
        let found = value("Access-Control-Max-Age").and_then(|v| std::str::from_utf8(&v).ok()?.trim().parse::<i64>().ok());
        if found.unwrap_or(5) != wanted.unwrap_or(5) {
            let seen = shown(&value("Access-Control-Max-Age"));
            outcome.find(
                Verdict::WrongWire,
                "wire",
                &[("point", "max-age")],
                wanted.map_or_else(|| "none".to_owned(), |s| s.to_string()),
                seen,
            );
        }
    }
    for field in &expect.field {
        if !holds(&response.headers, field) {
            let name = field.split(": ").next().unwrap_or_default();
            outcome.find(
                Verdict::WrongWire,
                "wire",
                &[("point", "field")],
                format!("`{field}`"),
                format!("{name}: {}", shown(&value(name))),
            );
        }
    }
    for field in expect.no_field.iter().filter(|field| holds(&response.headers, field)) {
        let name = field.split(": ").next().unwrap_or_default();
        outcome.find(
            Verdict::WrongWire,
            "wire",
            &[("point", "no-field")],
            format!("no `{}`", field.trim_end_matches([':', ' '])),
            format!("{name}: {}", shown(&value(name))),
        );
    }
    let both = |fields: &[String]| fields.iter().filter(|f| holds(&response.headers, f)).count();
    if !expect.not_both.is_empty() && both(&expect.not_both) == expect.not_both.len() {
        outcome.find(
            Verdict::WrongWire,
            "wire",
            &[("point", "not-both")],
            format!("not both of {}", expect.not_both.join(" and ")),
            "both",
        );
    }
    if !expect.together.is_empty() && !matches!(both(&expect.together), 0) && both(&expect.together) != expect.together.len() {
        outcome.find(
            Verdict::WrongWire,
            "wire",
            &[("point", "together")],
            format!("both or none of {}", expect.together.join(" and ")),
            "one",
        );
    }
    if expect.not_disclosed {
        let others: Vec<String> = match &policy.written {
            Written::Options(options) => match &options.origins {
                Strings::List(list) => list.iter().map(|o| o.trim_start_matches("https://").trim_start_matches("*.").to_owned()).collect(),
                Strings::One(one) => vec![one.clone()],
            },
            _ => Vec::new(),
        };
        let whole: Vec<u8> =
            response.headers.iter().flat_map(|h| h.value.iter().copied().chain([b'\n'])).chain(response.body.iter().copied()).collect();
        let text = String::from_utf8_lossy(&whole);
        if let Some(told) = others.iter().find(|o| !o.is_empty() && text.contains(&***o)) {
            outcome.find(Verdict::WrongWire, "wire", &[("point", "disclosed")], "nothing of others", format!("`{told}` is in the answer"));
        }
    }
    Ok(())
}

/// Whether a policy lets in not everybody.
fn policy_is_closed(policy: &Policy) -> bool {
    policy.grant("/r").origins != corscheck_cases::certify::Origins::Any
}

/// Whether a field is there with this in it; names and what lists hold are compared without regard to case.
fn holds(headers: &HeaderList<'_>, field: &str) -> bool {
    let Some((name, part)) = field.split_once(": ") else { return headers.contains(field) };
    let Some(value) = headers.get(name) else { return false };
    let value = String::from_utf8_lossy(&value).to_ascii_lowercase();
    match part {
        "" => true,
        // A member of its own, not a part of a word.
        "*" => value.split(',').any(|member| member.trim() == "*"),
        part => value.contains(&part.to_ascii_lowercase()),
    }
}

/// What a page of who asks comes to by this answer; as a preflight's, where it is one.
fn verdict(ask: &WireAsk, response: &Response, target: &str) -> Result<(Read, Vec<String>), String> {
    let origin = ask.asker.text().unwrap_or("null").to_owned();
    let url = format!("{target}{}", ask.start.1);
    let (asked, network) = match &ask.preflight {
        Some(requested) => {
            let asked = Asked {
                url: Some(url),
                origin: Some(origin),
                method: Some(requested.method.clone()),
                headers: requested.headers.iter().map(|h| (h.clone(), "1".to_owned())).collect(),
                body: Some(BodyEntry::Text("x".to_owned())),
                ..Asked::default()
            };
            // What comes behind a preflight that passes is granted.
            (asked, Described::by_kind(vec![Answer::Response(response.clone())], Vec::new()))
        }
        None => {
            let credentials = ask.expect.credentials.then_some(Credentials::Include);
            let asked = Asked { url: Some(url), origin: Some(origin), credentials, ..Asked::default() };
            (asked, Described::by_kind(Vec::new(), vec![Answer::Response(response.clone())]))
        }
    };
    let question = asked.question()?;
    let (mut network, mut path) = (network, Path::new());
    let view = UserAgent::new().call(&question.call, &question.environment, &mut network, &mut path);
    Ok((view.outcome(), deciding(&path)))
}

/// CORS fields that no user agent can read, with what is wrong with them.
fn malformed(headers: &HeaderList<'_>) -> Vec<(&'static str, String, String)> {
    let mut out = Vec::new();
    for name in FIELDS {
        let Some(value) = headers.get(name) else { continue };
        let text = escape(&value);
        let mut add = |point| out.push((point, (*name).to_owned(), format!("`{text}`")));
        let is_single = headers.values(name).count() == 1;
        match *name {
            _ if value.trim_ascii().is_empty() => add("empty"),
            "Access-Control-Allow-Origin" if !is_single || value.contains(&b',') || value.trim_ascii().contains(&b' ') => add("acao-list"),
            "Access-Control-Allow-Origin" => {
                let serialized = std::str::from_utf8(&value).is_ok_and(|text| {
                    matches!(text, "*" | "null") || url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
                });
                if !serialized {
                    add("acao-value");
                }
            }
            "Access-Control-Max-Age" if !is_single => add("repeated"),
            _ => {}
        }
    }
    out
}
