//! A certificate as text, for a terminal and for Markdown.

use std::fmt::Write as _;

use corscheck_cases::certify::Severity;

use super::{
    Took,
    certificate::{Certificate, Grade, RuleStanding, Shown, Standing},
};
use crate::report::{count, printable};

/// How the text is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Plain,
    /// For a pull request.
    Markdown,
}

impl Certificate {
    /// The certificate in one line.
    pub fn sentence(&self) -> String {
        let broken: Vec<String> =
            Severity::ALL.iter().filter_map(|s| Some(format!("{} {}", self.broken.get(s.word())?, s.word()))).collect();
        let held = self.rules.iter().filter(|r| r.standing == Standing::Held).count();
        let broken = if broken.is_empty() { "no rule broken".to_owned() } else { format!("broken: {}", broken.join(", ")) };
        let partial = if self.policies.len() < self.all_policies {
            format!(" under {} of {} policies", self.policies.len(), self.all_policies)
        } else {
            String::new()
        };
        format!("{} {}: {}{partial}; {broken}; {held} held", self.target.product, self.target.version, self.grade.words())
    }

    /// Everything that one can act on.
    pub fn text(&self, form: Form) -> String {
        let mut out = String::new();
        let (head, bullet) = match form {
            Form::Plain => ("", "  "),
            Form::Markdown => ("### ", "- "),
        };
        _ = writeln!(out, "{head}{} ({}): {}", self.target.name, self.target.language, self.sentence());
        _ = writeln!(out, "\nasked by {}", self.agents.join(", "));
        // What lets somebody in through a trap comes first.
        let mut broken: Vec<&RuleStanding> = self.rules.iter().filter(|r| r.standing == Standing::Broken).collect();
        broken.sort_by_key(|r| (r.severity, r.accepted.is_some(), r.id != "S01"));
        for rule in broken.iter().filter(|r| r.severity.is_failure()) {
            self.rule(&mut out, rule, form);
        }
        if self.grade <= Grade::Certified && broken.iter().any(|r| r.severity.is_failure()) {
            _ = writeln!(
                out,
                "\nWhat is above was found with configurations that are mistakes: it does not keep the target from being certified."
            );
        }
        let small: Vec<&&RuleStanding> = broken.iter().filter(|r| !r.severity.is_failure()).collect();
        if !small.is_empty() {
            _ = writeln!(out, "\nBesides, no failures:");
            for rule in small {
                let shown = rule.shown.first().map(|s| format!(" ({}/{}: {})", s.policy, s.probe, printable(&s.seen))).unwrap_or_default();
                _ = writeln!(out, "{bullet}{} {}: {}{shown}", rule.id, rule.severity.word(), rule.title);
            }
        }
        self.engines(&mut out, bullet);
        let others: Vec<_> = self.policies.iter().filter(|p| p.took != Took::Started).collect();
        if !others.is_empty() {
            _ = writeln!(out, "\nPolicies that were not asked:");
            for policy in others {
                _ = writeln!(
                    out,
                    "{bullet}{} ({}): {}: {}",
                    policy.id,
                    policy.title,
                    policy.took.word(),
                    printable(first_line(policy.took.words().unwrap_or_default()))
                );
            }
        }
        for policy in &self.policies {
            if let Some(words) = &policy.ending {
                _ = writeln!(out, "\n{}: {words}", policy.id);
            }
        }
        _ = writeln!(out, "\nrepeat  {}", self.repeat);
        out
    }

    /// Where engines differ from the standard, or from what the simulated user agent was answered.
    fn engines(&self, out: &mut String, bullet: &str) {
        let mut by: std::collections::BTreeMap<(&str, &str, &str), Vec<String>> = Default::default();
        for d in &self.divergences {
            by.entry((&d.browser, &d.standard, &d.engine)).or_default().push(format!("{}/{}", d.policy, d.probe));
        }
        if !by.is_empty() {
            _ = writeln!(out, "\nWhere an engine differs from the standard (the target is scored by the standard):");
        }
        for ((browser, standard, engine), probes) in by {
            let more = probes.len().saturating_sub(3);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            _ = writeln!(
                out,
                "{bullet}{browser}: {standard} by the standard, {engine} here: {}{more}",
                probes[..probes.len().min(3)].join(", ")
            );
        }
        let differ: Vec<String> = self
            .rules
            .iter()
            .flat_map(|r| {
                r.browsers
                    .iter()
                    .filter(|(_, s)| **s == Standing::Broken && r.standing == Standing::Held)
                    .map(|(b, _)| format!("{} in {b}", r.id))
            })
            .collect();
        if !differ.is_empty() {
            _ = writeln!(out, "\nBroken by what a browser was answered, and not without one: {}", differ.join(", "));
        }
    }

    fn rule(&self, out: &mut String, rule: &RuleStanding, form: Form) {
        let accepted = rule.accepted.as_ref().map(|why| format!(" (accepted: {why})")).unwrap_or_default();
        _ = writeln!(
            out,
            "\n{}{} {}  {}{accepted}",
            if form == Form::Markdown { "#### " } else { "" },
            rule.id,
            rule.severity.word().to_ascii_uppercase(),
            rule.title
        );
        let Some(shown) = rule.shown.first() else { return };
        let (open, indent) = if form == Form::Markdown { ("\n```\n", "") } else { ("", "  ") };
        out.push_str(open);
        _ = writeln!(out, "{indent}shown by  {}/{}: {}{}", shown.policy, shown.probe, shown.title, more(rule));
        _ = writeln!(out, "{indent}expected  {}", printable(&shown.expected));
        _ = writeln!(out, "{indent}seen      {}", printable(&shown.seen));
        for line in wire(shown) {
            _ = writeln!(out, "{indent}{line}");
        }
        for (n, step) in shown.path.iter().enumerate() {
            _ = writeln!(out, "{indent}{}{}", if n == 0 { "step      " } else { "          " }, printable(step));
        }
        let knob = self.knob(rule).map(|knob| format!(" (here: {knob})")).unwrap_or_default();
        _ = writeln!(out, "{indent}fix       {}{knob}", rule.fix);
        if form == Form::Markdown {
            out.push_str("```\n");
        }
    }

    /// The setting that a rule is about, in the words of the middleware's users.
    fn knob(&self, rule: &RuleStanding) -> Option<&str> {
        let knobs = &self.target.knobs;
        let knob = match &*rule.id {
            "F10" | "F17" | "F18" | "S23" => &knobs.methods,
            "F12" | "F13" | "F14" | "F15" | "F21" | "F22" | "S19" => &knobs.request_headers,
            "F23" | "F24" => &knobs.max_age,
            "F33" => &knobs.expose,
            "S01" | "S04" | "F20" => &knobs.credentials,
            id if id.starts_with('S') || matches!(id, "F19" | "F30" | "F31") => &knobs.origins,
            _ => return None,
        };
        knob.as_deref()
    }
}

fn more(rule: &RuleStanding) -> String {
    match rule.findings.saturating_sub(1) {
        0 => String::new(),
        n => format!(" (and {})", count(n, "finding more", "findings more")),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Fields that decide: everything else only fills the screen.
fn decides(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("access-control-")
        || matches!(&*name, "origin" | "vary" | "location" | "cookie" | "host" | "x-forwarded-host" | "forwarded")
        || !line.contains(':')
}

/// The requests and answers of a finding, as far as they decide.
fn wire(shown: &Shown) -> Vec<String> {
    let mut out = Vec::new();
    for exchange in &shown.wire {
        for (n, line) in exchange.request.lines().enumerate().filter(|(n, line)| *n == 0 || decides(line)) {
            out.push(format!("{}{}", if n == 0 { "wire      > " } else { "          > " }, short(line)));
        }
        for (_, line) in exchange.answer.lines().enumerate().filter(|(n, line)| *n == 0 || decides(line)) {
            out.push(format!("          < {}", short(line)));
        }
    }
    out
}

/// A line that is not longer than a screen.
fn short(line: &str) -> String {
    const MOST: usize = 160;
    let line = printable(line);
    match line.char_indices().nth(MOST) {
        None => line.into_owned(),
        Some((at, _)) => format!("{}… ({} characters)", &line[..at], line.chars().count()),
    }
}
