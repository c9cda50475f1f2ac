//! The evidence of one column: every attempt at every case, as compact as it can be read back.

use corscheck_servers::{Exchange, Fate, HttpVersion};
use serde_json::{Value, json};

use crate::{
    event::{Attempt, CaseResult},
    report::tally::Kind,
};

use super::{library::TOKEN, strings::Strings};

/// How much of the evidence is kept: what is dropped first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keep {
    /// Everything.
    All,
    /// Bodies up to 2 KiB.
    ShortBodies,
    /// That, and of results that agree none.
    Mismatches,
}

impl Keep {
    /// In the order in which they are tried.
    pub(super) const ALL: [Keep; 3] = [Keep::All, Keep::ShortBodies, Keep::Mismatches];

    /// What is missing, in words; nothing where everything is there.
    pub(super) fn words(self) -> Option<&'static str> {
        match self {
            Keep::All => None,
            Keep::ShortBodies => Some("Bodies are cut after 2 KiB to keep this file small; results.jsonl has all of them."),
            Keep::Mismatches => Some(
                "Bodies are cut after 2 KiB, and results that agree are shown without their traces, to keep this file small; results.jsonl has \
                 everything.",
            ),
        }
    }

    fn has(self, result: &CaseResult) -> bool {
        self < Keep::Mismatches || !matches!(Kind::of(result), Kind::Agrees | Kind::Unsupported)
    }
}

const SHORT_BODY: usize = 2048;

/// The traces of a column: results with the number of their case.
pub(super) fn block<'r>(results: impl IntoIterator<Item = (usize, &'r CaseResult)>, keep: Keep) -> Value {
    let mut strings = Strings::default();
    let mut traces = serde_json::Map::new();
    for (case, result) in results {
        if keep.has(result) {
            let mut attempts: Vec<Value> = result.attempts.iter().map(|a| attempt(a, keep, &mut strings)).collect();
            // Of a certification: the rules that are broken, and the steps that decided.
            if let Some(last) = attempts.last_mut() {
                if !result.rules.is_empty() {
                    last["r"] = json!(result.rules);
                }
                if !result.path.is_empty() {
                    last["q"] = json!(result.path);
                }
            }
            traces.insert(case.to_string(), Value::Array(attempts));
        }
    }
    json!({ "t": traces, "s": strings.into_list() })
}

fn attempt(attempt: &Attempt, keep: Keep, strings: &mut Strings) -> Value {
    let token = |text: &str| if attempt.token.is_empty() { text.to_owned() } else { text.replace(&attempt.token, TOKEN) };
    let first = attempt.observation.exchanges.iter().map(|e| e.arrived_us).min().unwrap_or_default();
    let connection = attempt.observation.exchanges.iter().map(|e| e.connection).min().unwrap_or_default();
    let exchanges: Vec<_> = attempt.observation.exchanges.iter().map(|e| exchange(e, (first, connection), keep, &token, strings)).collect();
    let pages: Vec<_> = attempt
        .observation
        .pages
        .iter()
        .map(|page| {
            let mut page = page.clone();
            page.ms = page.ms.round();
            // As text and back: whatever part of it has the token in it.
            let text = token(&serde_json::to_string(&page).unwrap_or_default());
            serde_json::from_str::<Value>(&text).unwrap_or_default()
        })
        .collect();
    let judgement = &attempt.judgement;
    json!({
        "n": attempt.session,
        "v": judgement.verdict.to_string(),
        "d": judgement.differences.iter().map(|d| json!([d.step, d.point, token(&d.expected), token(&d.seen)])).collect::<Vec<_>>(),
        "p": pages,
        "x": exchanges,
        "w": attempt.observation.words.iter().map(|w| json!([token(&w.text), w.category, w.reason])).collect::<Vec<_>>(),
    })
}

fn exchange(e: &Exchange, (first, connection): (u64, u64), keep: Keep, token: &dyn Fn(&str) -> String, strings: &mut Strings) -> Value {
    let (request, answer) = (&e.request, &e.answer);
    let fields: Vec<String> = request.fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut add = |text: &str| strings.add(&token(text));
    let body = |bytes: &corscheck_servers::WireBytes| {
        let most = if keep == Keep::All { bytes.len() } else { bytes.len().min(SHORT_BODY) };
        corscheck_servers::WireBytes::from(&bytes[..most]).to_string()
    };
    // The bytes of the head where they are not simply its request line and its fields.
    let composed = format!("{} {} HTTP/1.1\r\n{}\r\n\r\n", request.method, request.target, fields.join("\r\n"));
    let raw = request.head.as_ref().map(|head| head.to_string()).filter(|head| *head != composed.replace("\r\n", "\\r\\n"));
    let fate = match &answer.fate {
        Fate::Pending => "pending",
        Fate::Sent => "",
        Fate::Cut => "cut",
        Fate::Failed { error } => error,
        Fate::Unscripted => "unscripted",
    };
    let times = |us: u64| us.saturating_sub(first) / 100;
    json!([
        e.at.word(),
        e.step,
        e.connection - connection,
        u8::from(e.protocol == HttpVersion::Http2),
        times(e.arrived_us),
        e.answered_us.map(times),
        request.method,
        add(&request.target),
        add(&fields.join("\n")),
        raw.map(|raw| add(&raw)),
        add(&body(&request.body)),
        request.body_length,
        u8::from(request.body_complete),
        answer.status,
        add(&answer.head.to_string()),
        add(&body(&answer.body)),
        answer.body_length,
        fate,
    ])
}
