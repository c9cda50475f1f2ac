//! What the program says without a browser: help, listings, mistakes and their exit codes.

use std::process::Command;

use crate::{PROGRAM, case, granted, place};

#[test]
fn help_tells_what_there_is_and_how_it_ends() {
    let place = place();
    let help = place.run(["--help"]);
    help.expect_code(0);
    for word in ["Usage:", "run", "list", "show", "doctor", "Exit codes", "130"] {
        assert!(help.stdout.contains(word), "{word} is missing:\n{}", help.stdout);
    }
    for command in ["run", "list", "show", "doctor", "bench"] {
        let help = place.run([command, "--help"]);
        help.expect_code(0);
        assert!(help.stdout.contains("Examples:"), "{command}:\n{}", help.stdout);
    }
    assert!(place.run(["--version"]).expect_code(0).stdout.starts_with("corscheck "));
    // Without a command there is nothing to do, and that is a mistake.
    place.run([""; 0]).expect_code(2);
}

#[test]
fn cases_are_listed_and_shown() {
    let place = place();
    let list = place.run(["list", "cors-check/acao-absent"]);
    assert!(list.expect_code(0).stdout.contains("cors-check/acao-absent"), "{}", list.stdout);
    assert!(list.stdout.lines().last().is_some_and(|l| l.starts_with("1 of ")), "{}", list.stdout);

    let json = place.run(["list", "--format", "json", "--filter", "area:preflight"]);
    let rows: serde_json::Value = serde_json::from_str(&json.expect_code(0).stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    assert!(!rows.is_empty() && rows.iter().all(|r| r["id"].as_str().is_some_and(|id| id.starts_with("preflight"))), "{rows:?}");

    let schema = place.run(["list", "--schema"]);
    assert!(schema.expect_code(0).stdout.contains("\"$schema\""), "{}", schema.stdout);

    let defects = place.run(["list", "--defects"]);
    for line in ["CORS check:", "  acac-ignored  ", "Access-Control-Allow-Credentials is not looked at."] {
        assert!(defects.expect_code(0).stdout.contains(line), "`{line}` is missing:\n{}", defects.stdout);
    }
    let json = place.run(["list", "--defects", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.expect_code(0).stdout).expect("JSON");
    let is_whole = |row: &serde_json::Value| ["name", "area", "says"].iter().all(|key| row[key].is_string());
    assert!(rows.as_array().is_some_and(|rows| rows.len() > 100 && rows.iter().all(is_whole)), "{rows}");

    let show = place.run(["show", "cors-check/acao-absent"]);
    for word in ["cors-check/acao-absent", "CORS check, step 2", "request", "expected", "https://fetch.spec.whatwg.org/#concept-cors-check"]
    {
        assert!(show.expect_code(0).stdout.contains(word), "{word} is missing:\n{}", show.stdout);
    }
    place.run(["show", "cors-check/acao-absent", "--format", "json"]).expect_code(0);
    place.expect_nothing_left();
}

#[test]
fn doctor_tells_what_is_missing_and_how_to_get_it() {
    let place = place();
    let nothing = place.dir().join("nothing-here");
    let mut doctor = place.command(["doctor", "--browser", "firefox"]);
    doctor.env("PATH", &nothing).env("HOME", &nothing).env_remove("FIREFOX_BIN").env_remove("GECKOWEBDRIVER");
    let told = doctor.output().expect("the program can be started");
    let text = String::from_utf8_lossy(&told.stdout);
    assert_eq!(told.status.code(), Some(3), "{text}");
    for word in ["Firefox: not ready", "geckodriver", "install"] {
        assert!(text.contains(word), "{word} is missing:\n{text}");
    }
    if !corscheck_tests::browsers().is_empty() {
        assert!(place.run(["doctor"]).expect_code(0).stdout.contains(": ready"));
    }
    place.expect_nothing_left();
}

#[test]
fn mistakes_of_the_command_line_end_with_2() {
    let place = place();
    for (args, words) in [
        (&["run", "--filter", "are:x"][..], "area"),
        (&["run", "--browser", "opera"], "`opera`"),
        (&["run", "--browser", "opera"], "simulated"),
        (&["run", "--defect", "acac-ignored"], "--browser simulated"),
        (&["run", "--browser", "chrome", "--defect", "acac-ignored"], "--browser simulated"),
        (&["run", "--browser", "simulated", "--webdriver", "http://127.0.0.1:1"], "--webdriver"),
        (&["bench", "--browser", "simulated"], "measures browsers"),
        (&["list", "--defects", "--schema"], "--schema"),
        (&["run", "--shard", "5/4"], "1/4"),
        (&["run", "--webdriver", "http://127.0.0.1:1"], "--browser"),
        (&["run", "--capabilities", "no json"], "--capabilities"),
        (&["run", "--driver", "chromium"], "NAME=PATH"),
        (&["run", "--catalogue", "no-such-folder"], "no-such-folder"),
        (&["no-such-command"], "no-such-command"),
    ] {
        let ended = place.run(args);
        assert!(ended.expect_code(2).stderr.contains(words), "{args:?}: `{words}` is missing:\n{}", ended.stderr);
        assert!(!place.dir().join("corscheck-out").exists(), "{args:?} made a folder for results");
    }
    place.expect_nothing_left();
}

#[test]
fn mistakes_in_a_file_name_file_line_and_column() {
    let place = place();
    let text = granted("good/one", "b")
        + &case("bad/two", "request = { to = \"nowhere\" }\nresponse = {}\nexpect = { read = \"allowed\", wire = [\"GET\"] }");
    let line = text.lines().position(|l| l.contains("nowhere")).expect("it is there") + 1;
    place.file("bad.toml", &text);
    let ended = place.run(["run", "--catalogue", "bad.toml"]);
    let at = format!("bad.toml:{line}:");
    let column = ended.expect_code(2).stderr.split_once(&*at).and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
    assert!(column.is_some_and(|c| c.parse::<usize>().is_ok()), "`{at}COLUMN` is missing:\n{}", ended.stderr);
    assert!(ended.stderr.contains("nowhere"), "{}", ended.stderr);
}

#[test]
fn a_program_that_is_not_there_ends_with_3() {
    let place = place();
    for flag in ["--driver", "--browser-binary"] {
        let ended = place.run(["run", "--browser", "chromium", flag, "chromium=/no/such/program", "--out", "out"]);
        assert!(ended.expect_code(3).stderr.contains("/no/such/program"), "{}", ended.stderr);
    }
    place.expect_nothing_left();
}

#[test]
fn a_pattern_that_matches_nothing_ends_with_4_and_names_the_nearest() {
    let place = place();
    for args in [["run", "cors-check/acao-abscent"], ["list", "cors-check/acao-abscent"], ["show", "cors-check/acao-abscent"]] {
        let ended = place.run(args);
        assert!(ended.expect_code(4).stderr.contains("cors-check/acao-absent"), "{}", ended.stderr);
    }
    place.run(["run", "--shard", "2/2", "cors-check/acao-absent"]).expect_code(4);
    place.run(["run", "--filter", "level:info !level:info"]).expect_code(4);
}

/// `corscheck list | head`: whoever reads has read enough.
#[test]
fn a_reader_may_go_away() {
    for args in [&["list"][..], &["list", "--coverage"], &["list", "--known"], &["show", "cors-check/acao-absent"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(PROGRAM).args(args).stdout(writer).output().expect("it starts");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{args:?}");
    }
}

/// What engines are known to do otherwise, and how the checklist stands.
#[test]
fn deviations_and_coverage_are_listed() {
    let place = place();
    let known = place.run(["list", "--known"]);
    let known = &known.expect_code(0).stdout;
    let listed =
        known.lines().filter(|l| l.starts_with("chromium ") && l.contains("too-open (header-not-allowed) at page.outcome")).count();
    assert!(listed > 0 && known.contains("whatwg/fetch/issues/1919"), "{known}");
    let json = place.run(["list", "--known", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.expect_code(0).stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    assert!(rows.iter().all(|r| ["versions", "link", "consequence", "point"].iter().all(|key| !r[key].is_null())), "{rows:?}");
    assert_eq!(known.lines().last(), Some(&*format!("{} entries", rows.len())));

    let coverage = place.run(["list", "--coverage"]);
    let all = coverage.expect_code(0).stdout.lines().find(|l| l.starts_with("all ")).map(str::to_owned).expect("a sum");
    let sums: Vec<usize> = all.split_whitespace().skip(1).map(|n| n.parse().expect("a number")).collect();
    assert_eq!(sums[..4].iter().sum::<usize>(), sums[4], "{all}");
}
