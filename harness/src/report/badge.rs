//! A badge: what was checked with what, what came of it, and until when it says so.

use serde_json::json;

use crate::certify::certificate::{Certificate, Grade};

use super::{
    count,
    html::Run,
    still_escape,
    tally::{Kind, Tally},
};

/// How long a badge stands: browsers bring out a version every four weeks.
const DAYS: u64 = 28;

/// What a badge says.
#[derive(Debug)]
pub struct Badge {
    label: String,
    message: String,
    color: &'static str,
    /// The title of the picture: everything in one sentence.
    title: String,
    stale: String,
}

impl Badge {
    /// The badge of some runs.
    pub fn of(runs: &[Run<'_>], strict: bool) -> Self {
        let tally = Tally::of(runs.iter().flat_map(|r| r.results), strict);
        let mut browsers: Vec<String> =
            runs.iter().flat_map(|r| &r.header.browsers).map(|b| format!("{} {}", b.browser, b.version)).collect();
        browsers.dedup();
        let complete = runs.iter().all(|r| r.footer.is_some_and(|f| f.complete));
        let (message, color) = match () {
            () if tally.total() == 0 => ("no results".to_owned(), "lightgrey"),
            () if tally.fails() > 0 => (tally.attention_words(), "red"),
            () if !complete => ("incomplete".to_owned(), "lightgrey"),
            () if tally.attention() > 0 => (tally.attention_words(), "orange"),
            () => (count(tally.kind(Kind::Agrees), "case agrees", "cases agree"), "brightgreen"),
        };
        let started = runs.iter().map(|r| r.header.started.clone()).max().unwrap_or_default();
        let day = |time: &str| time.split('T').next().unwrap_or_default().to_owned();
        let stale = humantime::parse_rfc3339(&started)
            .map(|time| time + std::time::Duration::from_secs(DAYS * 24 * 60 * 60))
            .map_or(String::new(), |time| day(&humantime::format_rfc3339_seconds(time).to_string()));
        let corscheck = runs.first().map_or("", |r| &r.header.corscheck);
        let title = format!("corscheck {corscheck}, {}: {message}; {}; stale after {stale}", day(&started), browsers.join(", "));
        Self { label: "CORS".to_owned(), message, color, title, stale }
    }

    /// The badge of a certificate.
    pub fn certificate(certificate: &Certificate) -> Self {
        let color = match certificate.grade {
            Grade::CertifiedStrict | Grade::Certified => "brightgreen",
            Grade::Conditional => "orange",
            Grade::NotCertified | Grade::NotCertifiable => "red",
        };
        let day = |time: &str| time.split('T').next().unwrap_or_default().to_owned();
        let stale = humantime::parse_rfc3339(&certificate.date)
            .map(|time| time + std::time::Duration::from_secs(DAYS * 24 * 60 * 60))
            .map_or(String::new(), |time| day(&humantime::format_rfc3339_seconds(time).to_string()));
        let message = certificate.grade.words().to_owned();
        let title = format!(
            "corscheck {}, {}: {}; {}; stale after {stale}",
            certificate.corscheck,
            day(&certificate.date),
            certificate.sentence(),
            certificate.agents.join(", ")
        );
        Self { label: format!("CORS {} {}", certificate.target.product, certificate.target.version), message, color, title, stale }
    }

    /// As shields.io reads it from an address, with what it certifies besides.
    pub fn json(&self) -> String {
        let value = json!({
            "schemaVersion": 1,
            "label": self.label,
            "message": self.message,
            "color": self.color,
            "title": self.title,
            "staleAfter": self.stale,
        });
        serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
    }

    /// As a picture.
    pub fn svg(&self) -> String {
        let fill = match self.color {
            "brightgreen" => "#2a7a3b",
            "red" => "#b3005e",
            "orange" => "#a84f00",
            _ => "#57606a",
        };
        let width = |text: &str| text.chars().count() * 7 + 14;
        let (left, right) = (width(&self.label), width(&self.message));
        let (all, title, label, message) =
            (left + right, still_escape(&self.title), still_escape(&self.label), still_escape(&self.message));
        let text = |at: usize, words: &str| format!("<text x=\"{}\" y=\"14\">{words}</text>", at + 7);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>\
             <rect width=\"{all}\" height=\"20\" rx=\"3\" fill=\"#24292f\"/><rect x=\"{left}\" width=\"{right}\" height=\"20\" rx=\"3\" fill=\"{fill}\"/>\
             <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{}{}</g></svg>\n",
            text(0, &label),
            text(left, &message)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn it_says_what_was_checked_and_until_when() {
        let (header, footer) = (fixtures::header(), fixtures::footer());
        let good = [fixtures::agrees(), fixtures::known()];
        let all = fixtures::all();
        let badge = |results| Badge::of(&[Run { header: &header, results, notes: &[], footer: Some(&footer) }], false);
        insta::assert_snapshot!(badge(&good).json());
        assert!(badge(&all).json().contains("\"red\""));
        assert!(badge(&[]).json().contains("no results"));
        let cut = Badge::of(&[Run { header: &header, results: &good, notes: &[], footer: None }], false);
        assert!(cut.json().contains("incomplete"), "{}", cut.json());
    }

    #[test]
    fn its_picture_holds_nothing_that_runs() {
        let mut header = fixtures::header();
        header.browsers[0].version = "<script>alert(1)</script>\"'".to_owned();
        let results = fixtures::all();
        let svg = Badge::of(&[Run { header: &header, results: &results, notes: &[], footer: None }], false).svg();
        assert!(!svg.contains("<script") && svg.matches('<').count() == svg.matches('>').count(), "{svg}");
    }
}
