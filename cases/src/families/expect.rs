//! From a prediction to an expectation, as it stands in files: what holds for every run, without ports and tokens.
//!
//! Where the standard leaves a user agent free the expectation says so: a connection that breaks may be tried again (`repeats`), and
//! the CORS-preflight cache may forget at any time (`or-wire`). A case whose outcome depends on such freedom is none.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::{
    bind::CASE_ROOT,
    case::{ApiOptions, Case, Step},
    format::{BodyEntry, ResponseType},
    oracle::{Algorithm, End, Path, PathStep, PredictedExchange, Prediction, Scenario, UserAgent, View},
    script::{Answer, Field, Message},
    text::escape,
    topology::{Alias, Topology},
    words::Outcome,
};

/// The token that predictions are made with.
const TOKEN: &str = "0123456789abcdef";

/// Request headers that browsers send of their own, also where the author's do not go.
const OWN: &[&str] = &["accept", "accept-language", "user-agent"];

/// What the oracle says of a case.
pub(super) struct Predicted {
    /// The expectation of each step.
    pub(super) steps: Vec<Table>,
    /// The deciding steps of the standard, in words.
    pub(super) why: String,
    /// The outcomes in a few words.
    pub(super) outcome: String,
}

/// Asks the oracle, and puts its answer into the words of the format.
pub(super) fn predicted(case: &Case) -> Result<Predicted, String> {
    let topology = Topology::example();
    let scenario = Scenario::new(case, &topology, TOKEN);
    let terms = Terms { case, topology: &topology, sets_cookies: sets_cookies(case) };
    let foremost: Prediction<'_, Path> = scenario.run(&mut UserAgent::new());
    let mut steps = Vec::with_capacity(case.steps.len());
    for (step, predicted) in case.steps.iter().zip(&foremost.steps) {
        let wire = terms.wire(step, &predicted.exchanges)?;
        steps.push(terms.expect(step, &predicted.view, wire)?);
    }
    // Whatever the cache may have forgotten before any of the later steps.
    for forgotten in 1..1u32 << case.steps.len().saturating_sub(1).min(8) {
        let forgets = |step: usize| step > 0 && forgotten & (1 << (step - 1)) != 0;
        let other: Prediction<'_> = scenario.run_with(&mut UserAgent::new(), |step, ua| {
            if forgets(step) {
                ua.cache.forget();
                ua.http_cache.forget();
            }
        });
        for (i, (step, predicted)) in case.steps.iter().zip(&other.steps).enumerate() {
            if predicted.view != foremost.steps[i].view {
                return Err(format!(
                    "what step {} comes to depends on what the CORS-preflight cache and the HTTP cache happen to keep",
                    i + 1
                ));
            }
            let wire = Value::Array(terms.wire(step, &predicted.exchanges)?);
            let expect = &mut steps[i];
            let known = |list: &Value| *list == wire;
            let others = expect.get("or-wire").and_then(Value::as_array).is_some_and(|all| all.iter().any(known));
            if !others && !expect.get("wire").is_some_and(known) {
                match expect.entry("or-wire").or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(all) => all.push(wire),
                    _ => unreachable!("it was made a list here"),
                }
            }
        }
    }
    Ok(Predicted { steps, why: why(&foremost), outcome: outcome(&foremost) })
}

/// What an expectation is put into words with.
struct Terms<'a> {
    case: &'a Case,
    topology: &'a Topology,
    /// Whether some answer sets a cookie: then every exchange is looked at for it.
    sets_cookies: bool,
}

impl Terms<'_> {
    fn expect(&self, step: &Step, view: &View, wire: Vec<Value>) -> Result<Table, String> {
        let read = view.outcome();
        let mut out = Table::new();
        let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
        put("read", text(read.word()));
        if let Some(reason) = view.reason {
            put("reason", text(reason.word()));
        }
        if let End::Response(seen) = &view.end
            && read == Outcome::Allowed
        {
            let is_fetch = matches!(step.request.api, ApiOptions::Fetch(_));
            if is_fetch {
                let kind = serde_json::to_value(seen.kind).ok().and_then(|v| v.as_str().map(str::to_owned));
                put("type", text(&kind.unwrap_or_default()));
            }
            put("status", Value::Integer(i64::from(seen.status)));
            if step.resources.len() > 1 {
                if is_fetch {
                    put("redirected", Value::Boolean(seen.redirected));
                }
                put("url", text(&self.url(&seen.url)?));
            }
            if seen.kind == ResponseType::Cors {
                // Of other responses a page sees every header, also those that servers add.
                put("header-names", Value::Array(seen.headers.iter().map(|(name, _)| text(name)).collect()));
            }
            if seen.body_error.is_some() {
                put("body-fails", Value::Boolean(true));
            }
        }
        put("wire", Value::Array(wire));
        Ok(out)
    }

    fn wire(&self, step: &Step, exchanges: &[PredictedExchange<'_>]) -> Result<Vec<Value>, String> {
        exchanges.iter().map(|x| self.exchange(step, x)).collect()
    }

    fn exchange(&self, step: &Step, x: &PredictedExchange<'_>) -> Result<Value, String> {
        if !x.scripted {
            return Err(format!("nothing is scripted for {} {}", x.method, x.at));
        }
        let is_preflight = x.method == "OPTIONS" && x.headers.contains("Access-Control-Request-Method");
        let mut fields = Table::new();
        let mut check = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
        let sent = |name: &str| x.headers.get(name).map_or(Value::Boolean(false), |v| text(&literal(&v)));
        check("Origin", x.headers.get("Origin").map_or(Ok(Value::Boolean(false)), |v| self.origin(&v).map(|o| text(&o)))?);
        if is_preflight {
            check("Access-Control-Request-Method", sent("Access-Control-Request-Method"));
            check("Access-Control-Request-Headers", sent("Access-Control-Request-Headers"));
        }
        let authored: BTreeSet<&str> = step.request.headers.iter().map(|(name, _)| name.source()).collect();
        for name in authored {
            let own = OWN.iter().any(|o| o.eq_ignore_ascii_case(name));
            if !(fields_has(&fields, name) || is_preflight && own) {
                fields.insert(name.to_owned(), sent(name));
            }
        }
        let has_body = step.request.body.is_some();
        // Its boundary is the user agent's own, and of any length.
        let multipart = matches!(step.request.body, Some(BodyEntry::Multipart(_)));
        if has_body && !fields_has(&fields, "Content-Type") {
            let boundary = || Value::Table(Table::from_iter([("contains".to_owned(), list(["multipart/form-data; boundary="]))]));
            let own = multipart && x.headers.contains("Content-Type");
            fields.insert("Content-Type".to_owned(), if own { boundary() } else { sent("Content-Type") });
        }
        if self.sets_cookies {
            fields.insert("Cookie".to_owned(), self.cookies(x.headers.get("Cookie").as_deref()));
        }
        let mut out = Table::new();
        let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
        put("method", text(&x.method));
        put("at", text(x.at.word()));
        let target = x.target.strip_prefix(CASE_ROOT).and_then(|t| t.strip_prefix(TOKEN)).and_then(|t| t.strip_prefix('/'));
        match target {
            Some(target) if target == step.request.target.path => {}
            Some(target) => put("target", text(target)),
            None => return Err(format!("{} {} goes to a URL without the token", x.method, x.at)),
        }
        put("headers", Value::Table(fields));
        if has_body && !is_preflight && !multipart {
            put("body-length", Value::Integer(x.body.map_or(0, <[u8]>::len) as i64));
        }
        if x.may_repeat {
            put("repeats", Value::Boolean(true));
        }
        Ok(Value::Table(out))
    }

    /// A value of Origin, as a placeholder.
    fn origin(&self, value: &[u8]) -> Result<String, String> {
        let value = String::from_utf8_lossy(value);
        if value == self.topology.request_origin(self.case.page, self.case.context) {
            return Ok("{origin}".to_owned());
        }
        if value == "null" {
            return Ok("null".to_owned());
        }
        let alias = Alias::ALL.iter().find(|a| self.topology.origin(**a) == value);
        alias.map(|a| format!("{{origin:{a}}}")).ok_or_else(|| format!("the origin {value} is of no alias"))
    }

    /// A URL of this attempt, as a placeholder and what follows it.
    fn url(&self, url: &str) -> Result<String, String> {
        let below = |a: Alias| url.strip_prefix(&self.topology.origin(a))?.strip_prefix(CASE_ROOT)?.strip_prefix(TOKEN)?.strip_prefix('/');
        let found = Alias::ALL.iter().find_map(|a| Some((*a, below(*a)?)));
        found.map(|(a, rest)| format!("{{url:{a}}}{rest}")).ok_or_else(|| format!("the URL {url} is of no alias"))
    }

    /// The cookies of this attempt among those sent. Others may come along, as cookies know no ports.
    fn cookies(&self, value: Option<&[u8]>) -> Value {
        let value = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
        let own = value.split("; ").filter(|pair| pair.contains(TOKEN)).map(|pair| braced(pair).replace(TOKEN, "{token}"));
        let own: Vec<String> = own.collect();
        let (key, values) = if own.is_empty() { ("lacks", vec!["{token}".to_owned()]) } else { ("contains", own) };
        Value::Table(Table::from_iter([(key.to_owned(), list(values.iter().map(String::as_str)))]))
    }
}

fn fields_has(fields: &Table, name: &str) -> bool {
    fields.keys().any(|key| key.eq_ignore_ascii_case(name))
}

fn sets_cookies(case: &Case) -> bool {
    let named = |field: &Field<_>| matches!(field, Field::Pair(name, _) if is_set_cookie(name));
    let sets = |answer: &Answer<_>| matches!(&answer.message, Message::Http(http) if http.fields.iter().any(named));
    case.steps.iter().flat_map(|s| &s.resources).any(|r| r.preflight.iter().chain(&r.response).chain(&r.revalidation).any(sets))
}

fn is_set_cookie(name: &crate::text::Bytes) -> bool {
    name.source().eq_ignore_ascii_case("Set-Cookie")
}

fn text(words: &str) -> Value {
    Value::String(words.to_owned())
}

fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(values.into_iter().map(text).collect())
}

/// Bytes as they stand in files: escaped, and no brace is a placeholder.
fn literal(bytes: &[u8]) -> String {
    braced(&escape(bytes))
}

fn braced(words: &str) -> String {
    words.replace('{', "{{").replace('}', "}}")
}

/// The steps of the standard that decide, step by step of the case.
fn why(prediction: &Prediction<'_, Path>) -> String {
    let several = prediction.steps.len() > 1;
    let mut parts = Vec::new();
    for (i, step) in prediction.steps.iter().enumerate() {
        let mark = if several { format!("Step {}: ", i + 1) } else { String::new() };
        let said: Vec<String> = decisive(&step.path, several).map(said).collect();
        parts.push(format!("{mark}{}.", if said.is_empty() { "no step of the standard decides".to_owned() } else { said.join("; ") }));
    }
    format!("{} (Predicted by the oracle.)", parts.join(" "))
}

fn said(step: &PathStep) -> String {
    format!("{}, step {}: {}", step.algorithm, step.step, step.says)
}

/// What decided: whether there was a preflight, where that is the question, and what the request came to.
fn decisive(path: &[PathStep], cache: bool) -> impl Iterator<Item = &PathStep> {
    let last = |of: &dyn Fn(&PathStep) -> bool| path.iter().rposition(of);
    let end = match last(&|s| s.decides) {
        // A CORS check that fails says more than the algorithm that asked for it.
        Some(at) if at > 0 && path[at - 1].algorithm == Algorithm::CorsCheck => Some(at - 1),
        Some(at) => Some(at),
        None => last(&|s| s.algorithm == Algorithm::CorsCheck)
            .or_else(|| last(&|s| s.algorithm == Algorithm::MainFetch && s.step == "12"))
            .or(path.len().checked_sub(1)),
    };
    let asked = |s: &PathStep| s.algorithm == Algorithm::HttpFetch && s.step == "4.1";
    let preflight = last(&asked).filter(|at| cache && Some(*at) != end);
    preflight.into_iter().chain(end).map(|at| &path[at])
}

/// The outcomes in a few words, step by step.
fn outcome(prediction: &Prediction<'_, Path>) -> String {
    let of = |view: &View| match view.reason {
        Some(reason) => format!("{} ({reason})", view.outcome()),
        None => view.outcome().to_string(),
    };
    prediction.steps.iter().map(|s| of(&s.view)).collect::<Vec<_>>().join(", then ")
}
