//! The report in real browsers, opened as a file: it asks nobody for anything, every address leads back to itself, data stays text,
//! and whoever reads it by ear, by keyboard or on paper misses nothing.

use std::{fs, path::Path, sync::Arc};

use corscheck::browser::{Endpoint, Engine, Guard, Session, SessionOptions};
use corscheck_cases::{Catalogue, select::Filter};
use corscheck_tests::{Place, browsers, turn};
use serde_json::{Value, json};

use crate::place;

const CHECKS: &str = include_str!("report/checks.js");

/// What would show if data were ever taken for something else.
const EVIL: &str =
    "<script>pwned=1</script><img src=x onerror=pwned=1> \"'` \u{202e}lrt \u{0}\u{7}\u{1b}[31m </script> javascript:pwned=1 \u{fffe}é→";

/// A run of the simulated user agent with something wrong, and one without that it is compared with; in the first, names and values
/// are attacks.
fn reported() -> Place {
    let place = place();
    let selection = ["area:cors-check", "area:preflight", "area:redirect", "family-cors-check/*star*"];
    let run = |out: &str, defects: &[&str]| {
        let mut args = vec!["run", "--browser", "simulated", "--out", out];
        args.extend(defects.iter().flat_map(|defect| ["--defect", defect]));
        args.extend(selection);
        place.run(args)
    };
    run("old", &[]).expect_code(0);
    run("new", &["acac-ignored", "acao-ignores-port", "preflight-not-for-put"]).expect_code(1);
    tamper(&place.dir().join("new/results.jsonl"));
    // Both have the same name for a column only where nothing is wrong with the user agent: the base is told to be of the other.
    rename(&place.dir().join("old/results.jsonl"), &place.dir().join("new/results.jsonl"));
    place.run(["report", "new", "--base", "old", "--out", "made"]).expect_code(1);
    place
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("results");
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

fn write(path: &Path, records: &[Value]) {
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    fs::write(path, text).expect("it can be written");
}

/// Attacks in every place of a result that data can reach.
fn tamper(path: &Path) {
    let mut records = lines(path);
    records[0]["platform"] = EVIL.into();
    records[0]["command"] = json!(["corscheck", EVIL]);
    let index = records.iter().position(|r| r["verdict"] == "too-open").expect("something is too open");
    let mut evil = records[index].clone();
    evil["case"] = format!("x/{EVIL}").into();
    for key in ["title", "place", "known"] {
        evil[key] = EVIL.into();
    }
    evil["expected"] = json!([EVIL]);
    for attempt in evil["attempts"].as_array_mut().expect("attempts") {
        attempt["judgement"]["differences"][0]["expected"] = EVIL.into();
        attempt["judgement"]["differences"][0]["seen"] = EVIL.into();
        attempt["observation"]["words"] = json!([{ "text": EVIL, "category": EVIL }]);
        let exchange = &mut attempt["observation"]["exchanges"][0];
        exchange["request"]["method"] = EVIL.into();
        exchange["request"]["target"] = EVIL.into();
        exchange["request"]["fields"] = json!([["Origin", "\\xFF\\xFE<script>pwned=1</script>"], ["X-<b>", "\\x00"]]);
        exchange["answer"]["head"] =
            "HTTP/1.1 200 OK\\r\\nAccess-Control-Allow-Origin: <img src=x onerror=pwned=1>\\xC3\\x28\\r\\n\\r\\n".into();
    }
    records.insert(index, evil);
    records.insert(index, json!({ "record": "note", "browser": EVIL, "text": EVIL }));
    let last = records.len() - 1;
    records[last]["results"] = json!(last - 2);
    write(path, &records);
}

fn rename(base: &Path, like: &Path) {
    let mut records = lines(base);
    records[0]["browsers"] = lines(like)[0]["browsers"].clone();
    write(base, &records);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads").block_on(future)
}

struct Opened {
    session: Session,
    url: String,
}

impl Opened {
    async fn check(&self, script: &str, args: Vec<Value>) -> Value {
        let engine = self.session.engine().title();
        self.session
            .execute(&format!("return (async function () {{\n{CHECKS}\n{script}\n}}).apply(null, arguments)"), args)
            .await
            .unwrap_or_else(|e| panic!("{engine}: {script}: {e}"))
    }

    /// Expects a check to find nothing.
    async fn expect_nothing(&self, what: &str, script: &str, at: &str) {
        let wrong = self.check(script, vec![at.into()]).await;
        assert_eq!(wrong, json!([]), "{}, {at}: {what}", self.session.engine().title());
    }

    async fn open(&self, hash: &str) {
        // From elsewhere: a change of the hash alone would not load it anew.
        self.session.goto("about:blank").await.expect("a blank page");
        self.session.goto(&format!("{}{hash}", self.url)).await.expect("the report");
        self.check("return settled()", vec![]).await;
    }
}

#[test]
fn the_report_in_every_browser() {
    let place = reported();
    let made = place.dir().join("made/report.html");
    let html = fs::read_to_string(&made).expect("a report");
    let turn = turn();
    for browser in browsers() {
        block_on(async {
            let guard = Arc::new(Guard::new().expect("a folder"));
            let session =
                Session::start(&Endpoint::Local(browser), &SessionOptions::default(), &guard).await.unwrap_or_else(|e| panic!("{e}"));
            let url = session.file("report.html", &html).expect("a file");
            let opened = Opened { session, url };
            routes(&opened).await;
            filters(&opened, &place).await;
            let wrong = opened.check("return keys()", vec![]).await;
            assert_eq!(wrong, json!([]), "{}: keys", opened.session.engine().title());
            paper(&opened).await;
            without_script(&opened, &html).await;
            opened.session.end().await;
        });
    }
    drop(turn);
}

/// Every view: it loads without a request, has nothing in it that data brought, can be read by everybody, and is the same after a reload.
async fn routes(opened: &Opened) {
    opened.open("#/").await;
    let too_open = opened
        .check("await go('#/matrix?q=kind:too-open'); return document.querySelector('.k-too-open .cell').getAttribute('href')", vec![])
        .await;
    let too_open = too_open.as_str().expect("a cell that is too open").to_owned();
    let evil = opened.check("return [...document.querySelectorAll('.matrix a')].map((a) => a.getAttribute('href')).find((h) => h.includes('pwned') && h.startsWith('#/case'))", vec![]).await;
    let evil = evil.as_str().expect("the hostile case").to_owned();
    let of_column = format!("{evil}/in/simulated");
    let routes = [
        "#/",
        "#/matrix",
        "#/matrix?q=area:redirect+!read:allowed&group=reason&sort=id",
        "#/matrix?group=same&q=kind:attention",
        "#/matrix?q=step:cors-check.4",
        "#/matrix?q=nonsense:x",
        &too_open,
        "#/case/cors-check/acao-absent",
        "#/case/cors-check/acao-absent/in/simulated?try=1",
        "#/case/cors-check/acao-absnt",
        "#/case/cors-check/acao-absent/in/nobody",
        &evil,
        &of_column,
        "#/subject/simulated",
        "#/spec",
        "#/spec/cors-check.4",
        "#/spec/cors-check/acao-absent",
        "#/spec/preflight",
        "#/compare",
        "#/env",
        "#/about",
        "#/nowhere?odd=1",
    ];
    for route in routes {
        opened.open(route).await;
        opened.expect_nothing("what data brought", "return injected()", route).await;
        opened.expect_nothing("requests", "return requests()", route).await;
        opened.expect_nothing("structure", "return structure()", route).await;
        for theme in ["light", "dark"] {
            let script = format!("document.documentElement.setAttribute('data-theme', '{theme}'); return contrast()");
            opened.expect_nothing(&format!("contrast in {theme}"), &script, route).await;
        }
        let text = opened.check("return shownText()", vec![]).await;
        assert!(text.as_str().is_some_and(|t| t.len() > 40), "{}, {route}: {text}", opened.session.engine().title());
        opened.open(route).await;
        let again = opened.check("return [shownText(), location.hash]", vec![]).await;
        assert_eq!(again[0], text, "{}, {route}: another text after a reload", opened.session.engine().title());
    }
    // What is hostile is there all the same, as text with its hidden characters written out.
    opened.open(&of_column).await;
    let text = opened.check("return shownText()", vec![]).await;
    let text = text.as_str().expect("a text");
    for part in [
        "<script>pwned=1</script>",
        "\\u{202E}lrt",
        "\\x00\\x07\\x1B[31m",
        "\\xFF\\xFE<script>",
        "X-<b>",
        "<img src=x onerror=pwned=1>\\xC3(",
    ] {
        assert!(text.contains(part), "{}: `{part}` is not in it:\n{text}", opened.session.engine().title());
    }
}

/// A filter leaves what the command line would choose.
async fn filters(opened: &Opened, place: &Place) {
    opened.open("#/matrix").await;
    let records = lines(&place.dir().join("new/results.jsonl"));
    let results: Vec<&Value> = records.iter().filter(|r| r["record"] == "result").collect();
    let families = corscheck_cases::families::Families::embedded().unwrap_or_else(|e| panic!("{e}"));
    let catalogue = Catalogue::embedded().unwrap_or_else(|e| panic!("{e}"));
    let cases: Vec<_> = results
        .iter()
        .filter_map(|r| {
            let id = r["case"].as_str()?;
            catalogue.find(id).cloned().or_else(|| families.find(id)?.ok())
        })
        .collect();
    assert!(cases.len() + 1 == results.len() && cases.len() > 100, "{} of {}", cases.len(), results.len());
    for filter in [
        "area:redirect",
        "area:cors-check area:preflight !api:xhr",
        "read:blocked reason:acao-*",
        "family:cors-check with-acao:acao-star",
        "!family:*",
        "star",
        "cors-check/*absent*",
        "\"allows the origin\" level:must",
        "to:c context:window",
        "behaviour:cors-check/acao-*",
        "api:nothing",
    ] {
        let parsed = Filter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
        let mut wanted: Vec<&str> = cases.iter().filter(|c| parsed.matches(c)).map(|c| c.id.as_str()).collect();
        wanted.sort_unstable();
        let found = opened.check("return filtered(arguments[0])", vec![filter.into()]).await;
        let ids: Vec<&str> =
            found["ids"].as_array().expect("a list").iter().filter_map(Value::as_str).filter(|id| !id.contains("pwned")).collect();
        let engine = opened.session.engine().title();
        assert_eq!(ids, wanted, "{engine}: {filter}: {}", found["said"]);
    }
    let of_verdict = |verdict: &str| results.iter().filter(|r| r["verdict"] == verdict).count();
    for verdict in ["too-open", "agrees"] {
        let found = opened.check("return filtered(arguments[0])", vec![format!("verdict:{verdict}").into()]).await;
        let said = found["said"].as_str().expect("a sentence").replace(',', "");
        assert!(said.starts_with(&format!("{} of ", of_verdict(verdict))), "{verdict}: {said}");
    }
    for wrong in ["nonsense:x", "!", "\"open"] {
        let found = opened.check("return filtered(arguments[0])", vec![wrong.into()]).await;
        assert_eq!(found["ids"], json!([]), "{wrong}");
        assert!(Filter::parse(wrong).is_err(), "{wrong}");
    }
}

/// On paper: what needs attention stands there in full.
async fn paper(opened: &Opened) {
    opened.open("#/matrix?q=kind:too-open").await;
    let script = "for (let i = 0; i < 300 && !document.querySelector('.printed'); i++) await pause(20); return document.querySelectorAll('.printed').length";
    let count = opened.check(script, vec![]).await;
    assert!(count.as_u64().is_some_and(|n| n > 3), "{}: {count} cells in full", opened.session.engine().title());
    match opened.session.print().await {
        Ok(pdf) => {
            let pages = pdf.windows(11).filter(|w| *w == b"/Type /Page").count();
            assert!(pdf.starts_with(b"%PDF"), "{}", opened.session.engine().title());
            // Firefox packs its pages away; then its length has to do.
            assert!(pages > 4 || pdf.len() > 50_000, "{}: {pages} pages, {} bytes", opened.session.engine().title(), pdf.len());
        }
        Err(error) => assert_eq!(opened.session.engine(), Engine::Webkit, "{error}"),
    }
}

/// Without its script the page is a summary that can be read.
async fn without_script(opened: &Opened, html: &str) {
    // Another hash in the policy: the browser refuses the script, as it would one that was tampered with.
    let at = html.find("script-src 'sha256-").expect("a policy") + "script-src 'sha256-".len();
    let mut refused = html.to_owned();
    let other = if refused.as_bytes()[at] == b'A' { "B" } else { "A" };
    refused.replace_range(at..=at, other);
    let url = opened.session.file("refused.html", &refused).expect("a file");
    opened.session.goto("about:blank").await.expect("a blank page");
    opened.session.goto(&url).await.expect("the page");
    let seen = opened.check("return [document.documentElement.hasAttribute('data-ready'), document.body.innerText, injected(), document.querySelectorAll('li').length]", vec![]).await;
    let engine = opened.session.engine().title();
    assert_eq!(seen[0], false, "{engine}: a script with another hash ran");
    let text = seen[1].as_str().expect("a text");
    assert!(text.contains("too open") && text.contains("Unexpected") && text.contains("<script>pwned=1</script>"), "{engine}: {text}");
    assert_eq!(seen[2], json!([]), "{engine}");
    assert!(seen[3].as_u64().is_some_and(|n| n > 3), "{engine}: {}", seen[3]);
}

/// The checks find what they look for: else they would prove nothing.
#[test]
fn the_checks_of_the_report_can_fail() {
    const BAD: &str = r##"<!doctype html><html><body><main id="main"><h1>a</h1><h3 style="color:#aaa;background:#fff">faint</h3><table><tr><th>x</th></tr></table>
<a href="#"></a><button style="width:10px;height:10px">b</button><p style="font-size:10px" tabindex="3" onclick="1">small</p><div id="d"></div><div id="d"></div>
<a href="javascript:1">j</a><div id="app"><img alt="" src="data:,"></div><div style="width:5000px">wide</div></main></body></html>"##;
    let turn = turn();
    for browser in browsers().into_iter().take(1) {
        block_on(async {
            let guard = Arc::new(Guard::new().expect("a folder"));
            let session =
                Session::start(&Endpoint::Local(browser), &SessionOptions::default(), &guard).await.unwrap_or_else(|e| panic!("{e}"));
            let url = session.file("bad.html", BAD).expect("a file");
            session.goto(&url).await.expect("the page");
            let opened = Opened { session, url };
            let found = opened.check("return [structure(), contrast(), injected()].map((list) => list.join('\\n'))", vec![]).await;
            let (structure, contrast, injected) =
                (found[0].as_str().expect("text"), found[1].as_str().expect("text"), found[2].as_str().expect("text"));
            for part in [
                "no name",
                "without a caption",
                "without scope",
                "an id twice",
                "skips a level",
                "no language",
                "an order of its own",
                "smaller than 24 pixels",
                "wider than the window",
            ] {
                assert!(structure.contains(part), "{part}: {structure}");
            }
            for part in ["contrast 2.", "smaller than 15 pixels"] {
                assert!(contrast.contains(part), "{part}: {contrast}");
            }
            for part in ["an element of the data", "an attribute: onclick", "an address: javascript:1"] {
                assert!(injected.contains(part), "{part}: {injected}");
            }
            opened.session.end().await;
        });
    }
    drop(turn);
}

/// What `corscheck report` writes besides, read by whoever reads such things.
#[test]
fn everything_that_is_made_can_be_read() {
    let place = reported();
    let read = |name: &str| fs::read_to_string(place.dir().join("made").join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let junit = quick_junit::Report::deserialize_from_str(&read("junit.xml")).expect("JUnit");
    assert!(junit.tests > 100 && junit.failures > 3, "{} tests, {} failures", junit.tests, junit.failures);
    let wpt: Value = serde_json::from_str(&read("wptreport.json")).expect("JSON");
    assert!(wpt["results"].as_array().is_some_and(|tests| tests.len() >= 4));
    let badge: Value = serde_json::from_str(&read("badge.json")).expect("JSON");
    assert_eq!((&badge["schemaVersion"], &badge["color"]), (&json!(1), &json!("red")));
    assert!(!read("badge.svg").contains("<script"));
    let summary = read("summary.md");
    assert!(summary.contains("Compared with the base run") && summary.contains("towards open"), "{summary}");
    let html = read("report.html");
    for outside in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    // A run with what was wrong before compared with one that is right: all of it is gone.
    let ended = place.run(["report", "old", "--base", "new", "--out", "back"]);
    ended.expect_code(0);
    assert!(ended.stdout.contains("towards agreement"), "{}", ended.stdout);
    // Parts of a run are one column again.
    for part in ["1/2", "2/2"] {
        let out = format!("part-{}", &part[..1]);
        place.run(["run", "--browser", "simulated", "--shard", part, "--out", &out, "area:cors-check"]).expect_code(0);
    }
    place.run(["report", "part-1", "part-2", "--out", "whole"]).expect_code(0);
    let whole = fs::read_to_string(place.dir().join("whole/summary.md")).expect("a summary");
    assert_eq!(whole.matches("\n| simulated").count(), 1, "{whole}");
    place.expect_nothing_left();
}

/// The views of the golden report.
const GOLDEN_VIEWS: &[&str] =
    &["#/", "#/matrix", "#/case/golden/preflight", "#/case/golden/blocked/in/simulated", "#/subject/simulated", "#/compare", "#/env"];

/// A change of what the report says or of how it is built is seen where the change is looked at.
#[test]
fn a_small_report_is_as_it_was() {
    let place = place();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/report/golden");
    for name in ["cases.toml", "old.jsonl", "new.jsonl"] {
        place.file(name, &fs::read_to_string(golden.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")));
    }
    place.run(["report", "new.jsonl", "--base", "old.jsonl", "--catalogue", "cases.toml", "--out", "made"]).expect_code(1);
    let html = fs::read_to_string(place.dir().join("made/report.html")).expect("a report");
    let start = html.find("<main id=\"still\">").expect("a summary");
    let end = html.find("</main>").expect("its end");
    let mut text = format!("without script\n\n{}</main>\n", &html[start..end]);
    let turn = turn();
    let browser = browsers().into_iter().next().expect("a browser");
    block_on(async {
        let guard = Arc::new(Guard::new().expect("a folder"));
        let session = Session::start(&Endpoint::Local(browser), &SessionOptions::default(), &guard).await.unwrap_or_else(|e| panic!("{e}"));
        let url = session.file("report.html", &html).expect("a file");
        let opened = Opened { session, url };
        for view in GOLDEN_VIEWS {
            opened.open(view).await;
            let lines = opened.check("return outline()", vec![]).await;
            let lines: Vec<&str> = lines.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            text.push_str(&format!("\n{view}\n\n{}\n", lines.join("\n")));
        }
        opened.session.end().await;
    });
    drop(turn);
    let file = golden.join("report.txt");
    if std::env::var_os("CORSCHECK_BLESS").is_some() {
        fs::write(&file, &text).expect("it can be written");
    }
    let was = fs::read_to_string(&file).unwrap_or_default();
    let differs = text.lines().zip(was.lines()).enumerate().find(|(_, (now, was))| now != was);
    assert!(
        text == was,
        "the report is another one: look at what changed, and bless it with CORSCHECK_BLESS=1; the first line that differs: {differs:?}"
    );
}

/// What is too large for one file: one for each browser or target, and a page that leads to them.
#[test]
fn a_report_in_parts() {
    let place = place();
    place.run(["run", "--browser", "simulated", "--out", "run", "area:cors-check"]).expect_code(0);
    let mut records = lines(&place.dir().join("run/results.jsonl"));
    // The same of two targets, and of another browser.
    for (name, subject, browser) in
        [("one", Some("My API 1.0"), "simulated"), ("two", Some("my/api 2.0"), "simulated"), ("other", None, "other")]
    {
        fs::create_dir(place.dir().join(name)).expect("a folder");
        let mut mine = records.clone();
        if let Some(subject) = subject {
            mine[0]["subject"] = subject.into();
        }
        mine[0]["browsers"][0]["browser"] = browser.into();
        for record in mine.iter_mut().filter(|r| r["record"] == "result") {
            record["browser"] = browser.into();
        }
        write(&place.dir().join(name).join("results.jsonl"), &mine);
    }
    place.run(["report", "run", "one", "two", "other", "--split", "--out", "made"]).expect_code(0);
    let index = fs::read_to_string(place.dir().join("made/report.html")).expect("an index");
    assert!(!index.contains("<script") && index.contains("style-src"), "an index needs no script");
    records.retain(|r| r["record"] == "result");
    let whole = fs::metadata(place.dir().join("made/report-simulated.html")).expect("a part").len();
    for (file, name) in [
        ("report-simulated.html", "simulated"),
        ("report-my-api-1-0.html", "My API 1.0"),
        ("report-my-api-2-0.html", "my/api 2.0"),
        ("report-other.html", "other"),
    ] {
        assert!(index.contains(&format!("<a href=\"{file}\">{name}")), "{file} is not led to: {index}");
        let part = fs::read_to_string(place.dir().join("made").join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let told = format!("{} results in 1 column", records.len());
        assert!(part.contains(&told), "{file}: not `{told}`");
        assert!(part.len() as u64 > whole / 2, "{file} is half empty");
    }
    // Without it, all stand in one.
    place.run(["report", "run", "one", "two", "other", "--out", "whole"]).expect_code(0);
    let report = fs::read_to_string(place.dir().join("whole/report.html")).expect("a report");
    assert!(report.contains(&format!("{} results in 4 columns", records.len() * 4)) && report.contains("<script>"));
}
