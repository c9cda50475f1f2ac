//! No answer at all. To a page it looks the same as a blocked read, and it is none.

use crate::explain::{
    diagnosis::{Finding, Rank, Symptom},
    evidence::Evidence,
    reach::{Reach, TlsFault},
};

const CAUSE: Rank = Rank::Cause;

pub(super) const SYMPTOMS: &[Symptom] = &[
    Symptom { id: "host-unknown", rank: CAUSE, classes: &[], find: unresolved },
    Symptom { id: "connection-refused", rank: CAUSE, classes: &[], find: refused },
    Symptom { id: "no-connection", rank: CAUSE, classes: &[], find: no_connection },
    Symptom { id: "certificate-not-trusted", rank: CAUSE, classes: &[], find: certificate },
    Symptom { id: "tls-failed", rank: CAUSE, classes: &[], find: tls },
    Symptom { id: "http-on-https-port", rank: CAUSE, classes: &[], find: plain_on_tls },
    Symptom { id: "https-on-http-port", rank: CAUSE, classes: &[], find: tls_on_plain },
    Symptom { id: "not-http", rank: CAUSE, classes: &[], find: not_http },
    Symptom { id: "no-answer", rank: CAUSE, classes: &[], find: silent },
    Symptom { id: "this-request-unanswered", rank: CAUSE, classes: &["F36"], find: this_request },
    Symptom { id: "answer-broken", rank: CAUSE, classes: &[], find: broken },
];

const NOT_CORS: &str = "This is no matter of CORS, although a page cannot tell the difference.";

/// How far a connection got, where there was no answer.
fn reach(e: &Evidence) -> Option<&Reach> {
    e.reach.as_ref().filter(|_| e.run.is_unanswered())
}

fn host(e: &Evidence) -> String {
    let url = e.decisive().map_or(&e.question.url, |x| &x.url);
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

fn finding(cause: &str, told: impl Into<String>, remedy: &str) -> Option<Finding> {
    Some(Finding::new(format!("{cause} {NOT_CORS}"), told, remedy))
}

fn unresolved(e: &Evidence) -> Option<Finding> {
    let Reach::Unresolved { words } = reach(e)? else { return None };
    finding(
        &format!("The name {} has no address.", e.decisive()?.url.host_str().unwrap_or_default()),
        words.clone(),
        "See whether the name is spelled right and known where the page runs; `--resolve HOST:PORT:ADDRESS` tells this program an address.",
    )
}

fn refused(e: &Evidence) -> Option<Finding> {
    let Reach::Refused { address } = reach(e)? else { return None };
    finding(
        &format!("Nobody listens at {}.", host(e)),
        format!("{address} refuses the connection"),
        "Start the server, and see whether the port is right and the server listens on this address (a container: on 0.0.0.0).",
    )
}

fn no_connection(e: &Evidence) -> Option<Finding> {
    let Reach::NoConnection { words } = reach(e)? else { return None };
    finding(
        &format!("No connection to {} comes about.", host(e)),
        words.clone(),
        "See whether a firewall or a missing route stands between; `--timeout` waits longer.",
    )
}

fn certificate(e: &Evidence) -> Option<Finding> {
    let Reach::Tls { fault, words } = reach(e)? else { return None };
    let (what, remedy) = match fault {
        TlsFault::UnknownIssuer => (
            "is signed by nobody that is trusted here",
            "A browser that trusts the issuer gets on: `--ca FILE` makes this program trust it, `--insecure` any certificate. For others, get a \
             certificate of a public authority; behind one, send the intermediate certificates too.",
        ),
        TlsFault::WrongName => ("is for other names", "Ask for a name that the certificate has, or get one for this name."),
        TlsFault::Expired => ("has expired, or is not valid yet", "Renew the certificate, and see whether the clocks are right."),
        TlsFault::Other => return None,
    };
    finding(&format!("The certificate of {} {what}.", host(e)), words.clone(), remedy)
}

fn tls(e: &Evidence) -> Option<Finding> {
    let Reach::Tls { fault: TlsFault::Other, words } = reach(e)? else { return None };
    finding(
        &format!("TLS with {} does not come about.", host(e)),
        words.clone(),
        "See which versions of TLS and which certificate the server has; a proxy may end the connection when it does not know the name.",
    )
}

fn plain_on_tls(e: &Evidence) -> Option<Finding> {
    let Reach::PlainOnTls = reach(e)? else { return None };
    finding(
        &format!("The URL is https, and {} speaks HTTP without TLS.", host(e)),
        "the server's first bytes are no TLS",
        "Ask with http, or for the port on which the server speaks TLS.",
    )
}

fn tls_on_plain(e: &Evidence) -> Option<Finding> {
    // nginx and Go answer with a 400 of their own.
    const WORDS: [&str; 2] = ["plain HTTP request was sent to HTTPS port", "Client sent an HTTP request to an HTTPS server"];
    let told = match reach(e) {
        Some(Reach::TlsOnPlain) => "the server answers plain HTTP with a TLS alert".to_owned(),
        Some(_) => return None,
        None => {
            let body = e.decisive()?.response().filter(|r| r.status == 400)?.body_text();
            let words = WORDS.iter().find(|words| body.contains(**words))?;
            format!("the server answers 400 and says \"{words}\"")
        }
    };
    finding(&format!("The URL is http, and {} speaks TLS.", host(e)), told, "Ask with https.")
}

/// Whether the answer is that of a TLS port to plain HTTP.
pub(super) fn speaks_tls(e: &Evidence) -> bool {
    tls_on_plain(e).is_some()
}

fn not_http(e: &Evidence) -> Option<Finding> {
    let Reach::NotHttp { first } = reach(e)? else { return None };
    finding(
        &format!("What listens at {} does not speak HTTP.", host(e)),
        format!("its first bytes are `{first}`"),
        "See whether the port is that of the web server.",
    )
}

fn silent(e: &Evidence) -> Option<Finding> {
    let (what, told) = match reach(e)? {
        Reach::Silent { after_ms } => ("takes the connection and never answers", format!("nothing came within {} s", after_ms / 1000)),
        Reach::Closed => ("takes the connection and closes it without a word", "the connection ended before any byte came".to_owned()),
        _ => return None,
    };
    finding(&format!("{} {what}.", host(e)), told, "See the server's log; it may hang, crash, or wait for something that is not HTTP.")
}

fn this_request(e: &Evidence) -> Option<Finding> {
    let Reach::Http { status } = reach(e)? else { return None };
    let exchange = e.decisive()?;
    let told = status.map_or_else(|| "TLS and HTTP/2 come about".to_owned(), |status| format!("`HEAD /` is answered with {status}"));
    finding(
        &format!("{} answers other requests, and ends the connection at {}.", host(e), exchange.title()),
        told,
        "See the server's log for this request: a crash, a time limit, a firewall that drops what it does not like.",
    )
}

fn broken(e: &Evidence) -> Option<Finding> {
    if !e.run.is_unanswered() || e.reach.is_some() {
        return None;
    }
    let fault = e.decisive()?.fault()?;
    finding("There is no HTTP answer.", format!("{}", FaultWords(fault)), "See the server's log for this request.")
}

/// A fault in words.
pub(in crate::explain) struct FaultWords<'a>(pub(in crate::explain) &'a corscheck_cases::oracle::network::Fault);

impl std::fmt::Display for FaultWords<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use corscheck_cases::oracle::network::Fault;
        match self.0 {
            Fault::Unreachable(words) | Fault::Broken(words) => f.write_str(words),
            Fault::StreamOverHttp1 => f.write_str("a stream cannot be sent over HTTP/1.1"),
            Fault::Aborted => f.write_str("it was ended from here"),
            Fault::TimedOut => f.write_str("it took too long"),
        }
    }
}
