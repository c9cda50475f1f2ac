//! The certificate: what held and what did not, rule by rule, with the shortest requests that show it.

use std::collections::BTreeMap;

use corscheck_cases::certify::{Book, Policy, Rule, Severity, Tags, tags::glob};
use corscheck_servers::Exchange;
use serde::{Deserialize, Serialize};

use super::{Asked, Took, outcome::Outcome, target::Knobs};
use crate::verdict::Verdict;

/// Version of the format of `corscheck-certificate.json`; additions that old readers may ignore do not raise it.
pub const FORMAT: u32 = 1;

/// What a certification came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// [`FORMAT`].
    pub format: u32,
    /// Who was certified.
    pub target: Subject,
    /// Version of corscheck.
    pub corscheck: String,
    /// When, RFC 3339, UTC.
    pub date: String,
    /// Who asked, with versions.
    pub agents: Vec<String>,
    /// The grade.
    pub grade: Grade,
    /// How many rules are broken, by severity.
    pub broken: BTreeMap<String, usize>,
    /// How many findings let somebody in, and how many block somebody.
    pub directions: Directions,
    /// How the target took each policy that it was asked under.
    pub policies: Vec<PolicyStanding>,
    /// How many policies there are: fewer asked make no whole certificate.
    pub all_policies: usize,
    /// Every rule.
    pub rules: Vec<RuleStanding>,
    /// Where an engine comes to something else than the standard by the same answers: the target is scored by the standard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub divergences: Vec<Divergence>,
    /// What repeats it.
    pub repeat: String,
}

/// A probe that an engine takes otherwise than the standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The engine.
    pub browser: String,
    /// The policy.
    pub policy: String,
    /// The probe.
    pub probe: String,
    /// What the standard makes of the answers.
    pub standard: String,
    /// What the engine makes of them.
    pub engine: String,
}

/// Who was certified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The name of its target.
    pub name: String,
    /// As people call it.
    pub title: String,
    /// The package.
    pub product: String,
    /// Its exact version.
    pub version: String,
    /// Its language.
    pub language: String,
    /// Where its users set each part of a policy.
    pub knobs: Knobs,
}

/// Findings by direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directions {
    /// Somebody is let in.
    pub too_open: usize,
    /// Somebody is blocked.
    pub too_strict: usize,
    /// Neither.
    pub other: usize,
}

/// How a target took a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStanding {
    /// The policy.
    pub id: String,
    /// A few words.
    pub title: String,
    /// How it was taken.
    #[serde(flatten)]
    pub took: Took,
    /// How many probes were asked.
    pub probes: usize,
    /// What is wrong with how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
}

/// Whether a rule held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleStanding {
    /// The rule.
    pub id: String,
    /// What is wrong where it is broken.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// What came of it.
    pub standing: Standing,
    /// How many probes asked for it.
    pub asked: usize,
    /// Why nothing was asked, or nothing can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix: String,
    /// What shows that it is broken, the shortest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
    /// How many findings there are.
    #[serde(default)]
    pub findings: usize,
    /// The grade that it alone would lead to.
    pub grade: Grade,
    /// What it came to by the answers that each browser got.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub browsers: BTreeMap<String, Standing>,
    /// Why it is accepted, where somebody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// What a rule came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A probe shows that it is broken.
    Broken,
    /// It was asked for and held.
    Held,
    /// No policy that asks for it could be started.
    NotAsked,
    /// Nothing can show it.
    Unobservable,
}

/// A finding with what shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The policy.
    pub policy: String,
    /// The probe.
    pub probe: String,
    /// What it asks, in a sentence.
    pub title: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// What it is about.
    pub tags: Tags,
    /// The steps of the standard that decided.
    pub path: Vec<String>,
    /// The requests and answers, as far as they show it.
    pub wire: Vec<Wire>,
}

/// A request and its answer, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wire {
    /// The head of the request, escaped where it is not ASCII.
    pub request: String,
    /// The head of the answer, or why there is none.
    pub answer: String,
}

/// The grade of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Nothing failed, and good advice was followed.
    CertifiedStrict,
    /// Nothing failed that a policy of the usual kind asks.
    Certified,
    /// Failures only where policies by path, odd forms or costs are asked, or a trap was taken that lets somebody in.
    Conditional,
    /// Somebody is blocked, or a cache is misled.
    NotCertified,
    /// Somebody is let in who should not be.
    NotCertifiable,
}

impl Grade {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Grade::CertifiedStrict => "certified, strict",
            Grade::Certified => "certified",
            Grade::Conditional => "conditionally certified",
            Grade::NotCertified => "not certified",
            Grade::NotCertifiable => "not certifiable",
        }
    }
}

/// A broken rule that somebody accepts, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The rule.
    pub rule: String,
    /// The target; every one when absent.
    pub target: Option<String>,
    /// Why.
    pub why: String,
    /// Where that is discussed.
    pub link: Option<String>,
}

/// How many requests of a finding are shown.
const MOST_WIRE: usize = 4;

/// How many findings of a rule are shown.
const MOST_SHOWN: usize = 3;

impl Certificate {
    /// Holds what was found against the rules.
    pub fn new(
        book: &Book,
        target: Subject,
        asked: &[Asked],
        browsers: &[(String, Vec<Asked>)],
        agents: Vec<String>,
        date: String,
        accepted: &[Accepted],
    ) -> Self {
        let outcomes: Vec<&Outcome> = asked.iter().flat_map(|a| &a.outcomes).collect();
        let refused: Vec<&str> = asked.iter().filter(|a| matches!(a.took, Took::Refused(_))).map(|a| &*a.policy).collect();
        let traps: Vec<&str> = refused.into_iter().filter(|id| book.policy(id).is_some_and(Policy::is_trap)).collect();
        let mut rules: Vec<RuleStanding> = book.rules.iter().map(|rule| standing(rule, &outcomes, &book.rules, &traps)).collect();
        for rule in &mut rules {
            let entry = accepted.iter().find(|a| a.rule == rule.id && a.target.as_ref().is_none_or(|t| *t == target.name));
            rule.accepted = entry.filter(|_| rule.standing == Standing::Broken).map(|a| a.why.clone());
        }
        let mut divergences = Vec::new();
        for (browser, asked) in browsers {
            let seen: Vec<&Outcome> =
                asked.iter().flat_map(|a| &a.outcomes).filter(|o| !matches!(o.verdict, Verdict::NotJudged(_))).collect();
            for (rule, mine) in book.rules.iter().zip(&mut rules).filter(|(_, mine)| mine.standing != Standing::Unobservable) {
                let standing = standing(rule, &seen, &book.rules, &[]);
                if standing.asked > 0 {
                    mine.browsers.insert(browser.clone(), standing.standing);
                }
            }
            for outcome in seen {
                for finding in outcome.findings.iter().filter(|f| f.tags.get("question") == Some("divergence")) {
                    divergences.push(Divergence {
                        browser: browser.clone(),
                        policy: outcome.policy.clone(),
                        probe: outcome.probe.clone(),
                        standard: finding.expected.clone(),
                        engine: finding.seen.clone(),
                    });
                }
            }
        }
        let mut broken = BTreeMap::new();
        let mut directions = Directions::default();
        for rule in rules.iter().filter(|r| r.standing == Standing::Broken) {
            *broken.entry(rule.severity.word().to_owned()).or_default() += 1;
        }
        for finding in outcomes.iter().flat_map(|o| &o.findings).filter(|f| f.tags.get("question") != Some("started")) {
            match finding.tags.get("direction") {
                Some("too-open" | "shown") => directions.too_open += 1,
                Some("too-strict" | "hidden") => directions.too_strict += 1,
                _ => directions.other += 1,
            }
        }
        let policies = asked
            .iter()
            .map(|a| PolicyStanding {
                id: a.policy.clone(),
                title: book.policy(&a.policy).map(|p| p.title.clone()).unwrap_or_default(),
                took: a.took.clone(),
                probes: a.outcomes.len(),
                ending: a.ending.clone(),
            })
            .collect();
        let grade = grade(&outcomes, &book.rules);
        let all_policies = book.policies.len();
        let repeat = std::env::args()
            .skip(1)
            .map(|arg| if arg.contains([' ', '*', '\'']) { format!("'{}'", arg.replace('\'', "'\\''")) } else { arg });
        let repeat = format!("corscheck {}", repeat.collect::<Vec<_>>().join(" "));
        Self {
            format: FORMAT,
            target,
            corscheck: env!("CARGO_PKG_VERSION").to_owned(),
            date,
            agents,
            grade,
            broken,
            directions,
            policies,
            all_policies,
            rules,
            divergences,
            repeat,
        }
    }

    /// Broken rules that keep it from being certified, and that nobody has accepted.
    pub fn failures(&self) -> impl Iterator<Item = &RuleStanding> {
        self.rules.iter().filter(|r| r.standing == Standing::Broken && r.grade >= Grade::Conditional && r.accepted.is_none())
    }

    /// Whether an entry accepts what was asked for and held.
    pub fn is_stale(&self, entry: &Accepted) -> bool {
        entry.target.as_ref().is_none_or(|t| *t == self.target.name)
            && self.rules.iter().any(|r| r.id == entry.rule && r.standing == Standing::Held)
    }
}

/// The rules that a finding breaks. What no rule of a class is about is caught by those for the rest.
pub fn broken_by<'r>(rules: &'r [Rule], tags: &Tags) -> Vec<&'r Rule> {
    let of = |rest: bool| -> Vec<&Rule> { rules.iter().filter(|r| r.rest == rest && r.shown_by.iter().any(|p| p.matches(tags))).collect() };
    let own = of(false);
    if own.is_empty() { of(true) } else { own }
}

fn standing(rule: &Rule, outcomes: &[&Outcome], rules: &[Rule], refused_traps: &[&str]) -> RuleStanding {
    let mut shown: Vec<(usize, Shown)> = Vec::new();
    let mut findings = 0;
    let mut worst = Grade::CertifiedStrict;
    for outcome in outcomes {
        let mine: Vec<_> = outcome.findings.iter().filter(|f| broken_by(rules, &f.tags).iter().any(|r| r.id == rule.id)).collect();
        findings += mine.len();
        worst = mine.iter().map(|f| grade_of(rule, &f.tags)).max().unwrap_or(worst).max(worst);
        if let Some(finding) = mine.first() {
            let shows = |n: &usize| finding.shown_by.is_empty() || finding.shown_by.contains(n);
            let exchanges = outcome.observation.exchanges.iter().enumerate().filter(|(n, _)| shows(n)).map(|(_, x)| x);
            let wire: Vec<Wire> = exchanges.take(MOST_WIRE).map(wire).collect();
            let size = wire.iter().map(|w| w.request.len() + w.answer.len()).sum();
            let tags = finding.tags.clone();
            let shown_one = Shown {
                policy: outcome.policy.clone(),
                probe: outcome.probe.clone(),
                title: outcome.title.clone(),
                expected: finding.expected.clone(),
                seen: finding.seen.clone(),
                tags,
                path: outcome.path.clone(),
                wire,
            };
            shown.push((size, shown_one));
        }
    }
    shown.sort_by_key(|(size, _)| *size);
    shown.truncate(MOST_SHOWN);
    let asked = outcomes.iter().filter(|o| rule.shown_by.iter().any(|p| p.asks(&o.tags))).count();
    // Who refuses a trap has done all that a rule about it asks.
    let refused =
        rule.shown_by.iter().flat_map(|p| p.policy_globs()).any(|g| refused_traps.iter().any(|id| glob(g.as_bytes(), id.as_bytes())));
    let standing = match () {
        () if rule.unobservable.is_some() => Standing::Unobservable,
        () if findings > 0 => Standing::Broken,
        () if asked > 0 || refused => Standing::Held,
        () => Standing::NotAsked,
    };
    let why_not = match standing {
        Standing::Unobservable => rule.unobservable.clone(),
        Standing::NotAsked => Some("no policy that asks for it was started".to_owned()),
        Standing::Broken | Standing::Held => None,
    };
    RuleStanding {
        id: rule.id.clone(),
        title: rule.title.clone(),
        severity: rule.severity,
        standing,
        asked,
        why_not,
        fix: if standing == Standing::Broken { rule.fix.clone() } else { String::new() },
        shown: shown.into_iter().map(|(_, shown)| shown).collect(),
        findings,
        grade: worst,
        browsers: BTreeMap::new(),
        accepted: None,
    }
}

fn wire(exchange: &Exchange) -> Wire {
    let request = exchange.request.head.as_ref().map(|head| unescaped(&head.to_string())).unwrap_or_default();
    let answer = match &exchange.answer.fate {
        corscheck_servers::Fate::Failed { error } => error.clone(),
        _ => unescaped(&exchange.answer.head.to_string()),
    };
    Wire { request, answer }
}

/// Ends of lines as such; everything else that is no printable ASCII stays escaped.
fn unescaped(text: &str) -> String {
    text.replace("\\r\\n", "\n").trim_end().to_owned()
}

/// Where a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// In the policies of the usual kind.
    Main,
    /// In policies by path, odd forms, costs.
    Aside,
    /// In traps.
    Trap,
}

fn weight(tags: &Tags) -> Weight {
    let policy = tags.get("policy").unwrap_or_default();
    match policy {
        _ if policy.starts_with('t') => Weight::Trap,
        // Defaults that hand out what cookies protect are no trap that somebody walked into.
        "default" if tags.get("credentials") != Some("include") => Weight::Trap,
        "p10" | "p11" => Weight::Aside,
        _ if matches!(tags.get("group"), Some("G5" | "G8" | "G10")) => Weight::Aside,
        _ => Weight::Main,
    }
}

fn grade(outcomes: &[&Outcome], rules: &[Rule]) -> Grade {
    let findings = outcomes.iter().flat_map(|o| &o.findings);
    let grades = findings.flat_map(|f| broken_by(rules, &f.tags).into_iter().map(|rule| grade_of(rule, &f.tags)));
    grades.max().unwrap_or(Grade::CertifiedStrict)
}

/// The grade that a finding leads to.
fn grade_of(rule: &Rule, tags: &Tags) -> Grade {
    match (rule.severity, weight(tags)) {
        (Severity::Security, Weight::Main) => Grade::NotCertifiable,
        (Severity::Security, Weight::Trap | Weight::Aside) => Grade::Conditional,
        (Severity::Correctness | Severity::Caching, Weight::Main) => Grade::NotCertified,
        (Severity::Correctness | Severity::Caching, Weight::Aside) | (Severity::Robustness, _) => Grade::Conditional,
        (Severity::Correctness | Severity::Caching, Weight::Trap) | (Severity::Hygiene, _) => Grade::Certified,
        (Severity::Information, _) => Grade::CertifiedStrict,
    }
}
