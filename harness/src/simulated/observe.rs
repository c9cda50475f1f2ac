//! Observations made from what the state machine of the oracle saw, in the form that browsers' observations have.

use corscheck_cases::{
    bind::ApiWord,
    format::{ResponseType, Timing},
    oracle::{End, PredictedExchange, Prediction, Scenario, Seen, View, network::wire_fields},
    text::escape,
    topology::Protocol,
};
use corscheck_servers::{Exchange, Fate, HttpVersion, RecordedAnswer, RecordedRequest, WireBytes};

use crate::observation::{Exception, Observation, PageEnd, PageResponse, PageResult};

/// How many bytes of a body a page and the recorder keep.
const KEPT_BODY: usize = 4096;

/// What would be observed if a prediction came true.
pub fn observation<T>(scenario: &Scenario, prediction: &Prediction<'_, T>) -> Observation {
    let pages = prediction
        .steps
        .iter()
        .zip(scenario.calls())
        .map(|(step, call)| page_result(&step.view, call.action.api, &call.action.probe_headers));
    let exchanges = prediction.steps.iter().enumerate().flat_map(|(i, step)| step.exchanges.iter().map(move |x| (i, x)));
    Observation {
        pages: pages.collect(),
        exchanges: exchanges.enumerate().map(|(n, (step, x))| exchange(x, step as u32, n as u64)).collect(),
        words: Vec::new(),
    }
}

/// What the in-page agent would report of a request that its page saw like this.
pub fn page_result(view: &View, api: ApiWord, probes: &[String]) -> PageResult {
    let exception = |name: &str| Exception { name: name.to_owned(), message: String::new() };
    let end = match &view.end {
        End::Response(seen) => PageEnd::Response(Box::new(page_response(seen, api, probes))),
        End::Loaded { readable } => PageEnd::Loaded { readable: *readable },
        End::NetworkError(name) => PageEnd::NetworkError(exception(name)),
        End::Refused(name) => PageEnd::Refused(exception(name)),
        End::Aborted(name) => PageEnd::Aborted(exception(name)),
    };
    let surface = view.surface_status.filter(|_| api == ApiWord::Xhr && !matches!(end, PageEnd::Response(_) | PageEnd::Refused(_)));
    let owned = |words: &[&'static str]| words.iter().map(|w| (*w).to_owned()).collect();
    PageResult {
        end,
        events: owned(&view.events),
        upload_events: owned(&view.upload_events),
        timing: view.timing.map(|open| if open { Timing::Open } else { Timing::Closed }),
        worker_saw: view.worker_saw.clone(),
        entry: view.entry.clone().map(Box::new),
        thrown: view.thrown.map(exception),
        surface: surface.map(|status| {
            Box::new(PageResponse {
                r#type: None,
                status,
                status_text: String::new(),
                url: String::new(),
                redirected: None,
                headers: Vec::new(),
                probed: probes.iter().map(|name| (name.clone(), None)).collect(),
                body: String::new(),
                body_length: 0,
                body_error: None,
            })
        }),
        ms: 0.0,
    }
}

fn page_response(seen: &Seen, api: ApiWord, probes: &[String]) -> PageResponse {
    let is_fetch = api == ApiWord::Fetch;
    let text = |bytes: &[u8]| if seen.utf8_values { String::from_utf8_lossy(bytes).into_owned() } else { latin1(bytes) };
    let headers: Vec<(String, String)> = seen.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect();
    let probed = probes.iter().map(|name| {
        let values: Vec<_> = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect();
        (name.clone(), (!values.is_empty()).then(|| values.join(", ")))
    });
    PageResponse {
        r#type: is_fetch.then(|| type_word(seen.kind).to_owned()),
        status: seen.status,
        status_text: text(&seen.status_text),
        url: seen.url.to_string(),
        redirected: is_fetch.then_some(seen.redirected),
        probed: probed.collect(),
        headers,
        body: if seen.body_error.is_some() { String::new() } else { latin1(&seen.body[..seen.body.len().min(KEPT_BODY)]) },
        body_length: if seen.body_error.is_some() { 0 } else { seen.body.len() as u64 },
        body_error: seen.body_error.map(|name| Exception { name: name.to_owned(), message: String::new() }),
    }
}

fn type_word(kind: ResponseType) -> &'static str {
    match kind {
        ResponseType::Basic => "basic",
        ResponseType::Cors => "cors",
        ResponseType::Default => "default",
        ResponseType::Error => "error",
        ResponseType::Opaque => "opaque",
        ResponseType::OpaqueRedirect => "opaqueredirect",
    }
}

/// Each byte as the character of its number, as bodies cross from a page.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// What the recorder would keep of an exchange.
fn exchange(predicted: &PredictedExchange<'_>, step: u32, sequence: u64) -> Exchange {
    let wire = |bytes: &[u8]| WireBytes::from(bytes);
    let body = predicted.body.unwrap_or_default();
    let fields = wire_fields(&predicted.host, &predicted.headers).into_iter().map(|(n, v)| (wire(n.as_bytes()), wire(&v))).collect();
    Exchange {
        at: predicted.at,
        step,
        connection: predicted.connection,
        sequence,
        protocol: if predicted.at.protocol() == Protocol::Http2 { HttpVersion::Http2 } else { HttpVersion::Http1 },
        arrived_us: 0,
        answered_us: Some(0),
        request: RecordedRequest {
            method: escape(predicted.method.as_bytes()),
            target: escape(predicted.target.as_bytes()),
            head: None,
            fields,
            body: wire(&body[..body.len().min(KEPT_BODY)]),
            body_length: body.len() as u64,
            body_complete: true,
        },
        answer: RecordedAnswer {
            status: predicted.status,
            head: WireBytes::default(),
            body_length: predicted.served.len() as u64,
            body: wire(&predicted.served[..predicted.served.len().min(KEPT_BODY)]),
            fate: if predicted.scripted { Fate::Sent } else { Fate::Unscripted },
        },
    }
}
