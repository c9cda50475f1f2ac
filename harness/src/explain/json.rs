//! The explanation for programs: one versioned document.

use corscheck_cases::{
    oracle::{End, headers::HeaderList},
    text::escape,
};
use serde_json::{Value, json};

use super::{
    Explanation, Source, probe,
    symptoms::FaultWords,
    wire::{Answer, Exchange, Response},
};
use crate::simulated::observe::page_result;

/// Version of the document. A reader refuses a greater one; additions that old readers may ignore do not raise it.
pub const FORMAT: u32 = 1;

/// The whole explanation as a document.
///
/// Bytes stand in the notation of case files: ASCII, `\xHH`, `\r`, `\n`, `\t`, `\\`.
pub fn json(explanation: &Explanation) -> Value {
    let Explanation { source, evidence, verdict, diagnoses, fix, consoles, confirmation } = explanation;
    let question = &evidence.question;
    let probes: Vec<_> = evidence
        .probes
        .iter()
        .map(|p| {
            let (_, answered, told) = probe::told(evidence, p);
            json!({ "kind": p.kind, "exchange": exchange(&p.exchange), "answered": answered, "told": told })
        })
        .collect();
    let readable = match &evidence.run.view.end {
        End::Response(seen) => Some(seen.headers.iter().map(|(name, value)| json!([name, escape(value)])).collect::<Vec<_>>()),
        _ => None,
    };
    json!({
        "format": FORMAT,
        "corscheck": env!("CARGO_PKG_VERSION"),
        "source": match source {
            Source::Live { probes } => json!({ "live": { "probes": probes } }),
            Source::File(name) => json!({ "file": name }),
        },
        "question": {
            "url": question.url.as_str(),
            "origin": question.origin(),
            "page_origin": question.environment.page_origin.serialized(),
            "action": question.call.action,
            "expects_headers": question.expects,
            "remarks": question.remarks,
        },
        "verdict": verdict,
        "page": page_result(&evidence.run.view, question.call.action.api, &question.call.action.probe_headers).end,
        "readable_headers": readable,
        "path": evidence.run.path,
        "wire": evidence.run.exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "reach": evidence.reach,
        "probes": probes,
        "diagnoses": diagnoses,
        "fix": fix,
        "consoles": consoles,
        "browser": confirmation.as_ref().map(|confirmation| match confirmation {
            Ok(confirmed) => json!({ "confirmation": confirmed }),
            Err(words) => json!({ "not_confirmed": words }),
        }),
    })
}

fn exchange(x: &Exchange) -> Value {
    let fields =
        |headers: &HeaderList<'_>| -> Vec<Value> { headers.iter().map(|h| json!([escape(h.name.as_bytes()), escape(&h.value)])).collect() };
    let response =
        |r: &Response| json!({ "status": r.status, "reason": escape(&r.reason), "headers": fields(&r.headers), "body": escape(&r.body) });
    let answer = match &x.answer {
        Answer::Response(r) => json!({ "response": response(r) }),
        Answer::Assumed(r) => json!({ "assumed": response(r) }),
        Answer::Fault(fault) => json!({ "fault": FaultWords(fault).to_string() }),
    };
    json!({
        "preflight": x.is_preflight,
        "method": x.method,
        "url": x.url.as_str(),
        "request": { "headers": fields(&x.request), "body_length": x.sent_bytes },
        "answer": answer,
        "socket": x.socket.as_deref().map(|s| json!({
            "server": s.server.map(|(address, _)| address.to_string()),
            "protocol": s.server.map(|(_, version)| version),
            "sent": escape(&s.sent),
            "received": escape(&s.received),
            "ms": s.ms,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::{probe::Kind, scene::Scene};

    #[test]
    fn the_document() {
        let scene = Scene::get().include().answer(200, "Access-Control-Allow-Origin: *\nX-Byte: \u{e9}").probe(
            Kind::OtherOrigin,
            200,
            "Access-Control-Allow-Origin: *",
        );
        let document = json(&Explanation::of(scene.evidence(), Source::Live { probes: true }));
        let mut pretty = serde_json::to_string_pretty(&document).expect("it can be written");
        pretty = pretty.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!("document", pretty);
    }

    #[test]
    fn it_can_be_read_whatever_the_answer_holds() {
        let hostile = "\u{1b}[2J\u{202e}\"\\";
        let scene = Scene::put().preflight(403, &format!("X-{hostile}: {hostile}\nAccess-Control-Allow-Origin: {hostile}\n\n{hostile}"));
        let document = json(&Explanation::of(scene.evidence(), Source::File(hostile.to_owned())));
        let text = serde_json::to_string(&document).expect("it can be written");
        let read: Value = serde_json::from_str(&text).expect("it can be read");
        assert_eq!(read, document);
        assert_eq!((&read["format"], &read["verdict"]["word"]), (&json!(1), &json!("blocked")));
    }
}
