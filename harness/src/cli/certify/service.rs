//! `corscheck certify --init`, and `--url` with `--policy FILE`.

use std::{fs, io::Write as _, path::Path, time::Instant};

use corscheck_cases::{
    certify::{Book, Declared, service::TEMPLATE},
    text::slug,
};
use sha2::Digest as _;

use super::{Certified, CertifyArgs, Failure, Found, ask_browsers, conclude, say};
use crate::{
    certify::{
        self, Asked,
        certificate::{Accepted, Subject},
        service::{Deployed, Unreachable},
    },
    exit::Exit,
    explain::live,
    report::redact::Redaction,
};

/// Writes a policy file to begin with.
pub(super) fn init(file: &Path) -> Result<Exit, Failure> {
    let wrong = |e: std::io::Error| Failure::usage(format!("{}: {e}", file.display()));
    let mut made = fs::File::create_new(file).map_err(wrong)?;
    made.write_all(TEMPLATE.as_bytes()).map_err(wrong)?;
    say(&format!(
        "written {0}: say in it what the service means to allow, then\n  corscheck certify --url http://127.0.0.1:8080/api --policy {0}\n",
        file.display()
    ))?;
    Ok(Exit::AsExpected)
}

/// A running service, held against the policy that its team declares.
pub(super) fn certify(args: &CertifyArgs, mut book: Book, accepted: &[Accepted]) -> Result<Certified, Failure> {
    let started = Instant::now();
    let [file] = &args.policy[..] else {
        return Err(Failure::usage("a service has one policy file: --policy corscheck-policy.toml (`--init` writes one)".to_owned()));
    };
    let wrong = |words: String| Failure::usage(format!("{file}: {words}"));
    let text = fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
    let mut declared = Declared::parse(&text).map_err(wrong)?;
    declared.rate = args.rate.unwrap_or(declared.rate);
    let url = args.url.clone().or_else(|| declared.url.clone()).ok_or_else(|| wrong("no `url`, and no --url".to_owned()))?;
    let access = live::Access {
        insecure: args.insecure,
        ca: args.ca.as_ref().map(fs::read_to_string).transpose().map_err(|e| Failure::usage(format!("--ca: {e}")))?,
        resolve: args.resolve.clone(),
        timeout: certify::wire::PATIENCE,
    };
    let wanted = args.places.wanted()?;
    let endpoints = match wanted.engines.is_empty() && wanted.simulated {
        true => Vec::new(),
        false => args.places.endpoints(&wanted)?.0,
    };
    let deployed = Deployed::reach(&book, &url, &declared, &access).map_err(|e| match e {
        Unreachable::Url(words) => Failure::usage(words),
        Unreachable::Silent(words) => Failure::environment(words),
    })?;
    for note in &deployed.notes {
        eprintln!("note: {note}");
    }
    let name = Some(slug(&declared.title)).filter(|name| !name.is_empty()).unwrap_or_else(|| "service".to_owned());
    let probes: usize = deployed.services.iter().map(|s| s.probes.len()).sum();
    eprintln!("{name}: {probes} probes of {} paths, at most {} requests in a second", deployed.services.len(), declared.rate);
    let told = |asked: &Asked| eprintln!("{name}: {} asked, {} probes", asked.policy, asked.outcomes.len());
    let asked = deployed.simulated(usize::from(args.jobs), &told).map_err(Failure::environment)?;
    let without = started.elapsed();
    let browsers = ask_browsers(&name, &endpoints, &|endpoint| deployed.in_browser(endpoint, args.headed))?;
    let (sent, refused) = deployed.counts();
    eprintln!(
        "{name}: {sent} requests were sent{}",
        if refused > 0 { format!(", {refused} were not: they may not be") } else { String::new() }
    );
    book.policies = deployed.services.iter().map(|s| s.policy.clone()).collect();
    let digest: String = sha2::Sha256::digest(text.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
    let subject = Subject {
        name,
        title: declared.title.clone(),
        product: url.clone(),
        version: format!("policy-{digest}"),
        language: "a deployed service".to_owned(),
        knobs: Default::default(),
    };
    let redaction = args.redact.then(|| Redaction::of(&url, &declared));
    conclude(args, &book, Found { subject, asked, browsers, started, without, redaction }, accepted)
}
