//! The guide to `corscheck explain`, command by command, against the servers that it shows.

use std::{
    collections::BTreeMap,
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use corscheck_tests::eventually;

use crate::place;

const GUIDE: &str = include_str!("../../../harness/EXPLAIN.md");

/// What stands for lines that are left out.
const LEFT_OUT: &str = "…";

/// A fenced block of the guide.
#[derive(Debug, PartialEq)]
struct Block<'g> {
    language: &'g str,
    lines: Vec<&'g str>,
}

fn blocks(guide: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in guide.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language, lines: Vec::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// The commands of a block, each with what it prints.
fn commands<'b>(block: &'b Block<'_>) -> Vec<(&'b str, &'b [&'b str])> {
    let starts: Vec<_> = (0..block.lines.len()).filter(|i| block.lines[*i].starts_with("$ corscheck ")).collect();
    let ends = starts.iter().skip(1).copied().chain([block.lines.len()]);
    starts.iter().zip(ends).map(|(start, end)| (&block.lines[*start]["$ corscheck ".len()..], &block.lines[start + 1..end])).collect()
}

/// Words as a shell takes them apart, single quotes understood.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command.chars().chain([' ']) {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            c => word.push(c),
        }
    }
    words
}

/// The first line of `shown` that `printed` does not have in its place.
fn first_missing<'s>(shown: &[&'s str], printed: &[&str]) -> Option<&'s str> {
    let mut rest = printed;
    let chunks: Vec<&[&str]> = shown.split(|line| *line == LEFT_OUT).collect();
    let last = chunks.len() - 1;
    for (i, chunk) in chunks.iter().enumerate() {
        let at = match () {
            () if chunk.is_empty() => Some(0),
            () if i == 0 => rest.starts_with(chunk).then_some(0),
            () if i == last => rest.ends_with(chunk).then(|| rest.len() - chunk.len()),
            () => rest.windows(chunk.len()).position(|lines| lines == *chunk),
        };
        let Some(at) = at else {
            return chunk.iter().find(|line| !rest.contains(line)).or(chunk.first()).copied();
        };
        rest = &rest[at + chunk.len()..];
    }
    // Without a last `…` nothing may follow.
    (!chunks[last].is_empty() && !rest.is_empty()).then_some("the end")
}

/// An nginx with the servers of a block, ended with this value.
struct Nginx {
    child: Child,
    /// Ports of the guide, and those in their place.
    ports: BTreeMap<String, u16>,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It has no workers of its own to be told: see `master_process`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("NGINX_BIN") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a port").port()
}

impl Nginx {
    fn start(program: &Path, servers: &str, folder: &Path) -> Nginx {
        let mut ports = BTreeMap::new();
        for (_, rest) in servers.match_indices("listen 127.0.0.1:").map(|(at, found)| servers.split_at(at + found.len())) {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            ports.entry(port).or_insert_with(free_port);
        }
        let html = folder.join("html");
        fs::create_dir_all(html.join("items")).expect("a folder");
        fs::write(html.join("items/1"), "{}\n").expect("a file");
        fs::write(html.join("orders"), "[]\n").expect("a file");
        fs::write(folder.join("users"), "ada:{PLAIN}lovelace\n").expect("a file");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()))
            .collect();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log {0}/errors;\nevents {{}}\nhttp {{\n\
             access_log off;\nserver_tokens off;\n{temporary}root {0}/html;\n{1}\n}}\n",
            folder.display(),
            replaced(servers, &ports)
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, config).expect("a file");
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(&file).arg("-e").arg(folder.join("errors"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nginx starts");
        let nginx = Nginx { child, ports };
        let up = eventually(Duration::from_secs(20), || {
            nginx.ports.values().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()).then_some(())
        });
        assert!(up.is_some(), "nginx does not come up: {}", fs::read_to_string(folder.join("errors")).unwrap_or_default());
        nginx
    }
}

/// The guide's ports replaced by others.
fn replaced(text: &str, ports: &BTreeMap<String, u16>) -> String {
    ports.iter().fold(text.to_owned(), |text, (from, to)| text.replace(&format!("127.0.0.1:{from}"), &format!("127.0.0.1:{to}")))
}

fn replaced_back(text: &str, ports: &BTreeMap<String, u16>) -> String {
    ports.iter().fold(text.to_owned(), |text, (from, to)| text.replace(&format!("127.0.0.1:{to}"), &format!("127.0.0.1:{from}")))
}

#[test]
fn the_guide_shows_what_is_printed() {
    let Some(program) = program() else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "there is no nginx, and on a CI server there must be one");
        eprintln!("NOT TESTED: there is no nginx here");
        return;
    };
    let (mut tried, mut wrong) = (0, Vec::new());
    let blocks = blocks(GUIDE);
    for pair in blocks.windows(2).filter(|pair| pair[0].language == "nginx") {
        let place = place();
        let nginx = Nginx::start(&program, &pair[0].lines.join("\n"), place.dir());
        assert_eq!(pair[1].language, "console", "what is configured is tried");
        for (command, shown) in commands(&pair[1]) {
            let ended = place.run(words(&replaced(command, &nginx.ports)));
            let printed = replaced_back(&ended.stdout, &nginx.ports);
            tried += 1;
            if let Some(line) = first_missing(shown, &printed.lines().collect::<Vec<_>>()) {
                wrong.push(format!("$ corscheck {command}\nlacks, in its place: {line}\n{printed}{}", ended.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 7, "{tried} commands were tried");
}

#[test]
fn what_is_not_printed_is_found() {
    let printed = ["a", "b", "c", "d"];
    let missing = |shown: &[&'static str]| first_missing(shown, &printed);
    assert_eq!(missing(&["a", "b", "c", "d"]), None);
    assert_eq!(missing(&["a", "…", "c", "…"]), None);
    assert_eq!(missing(&["…", "b", "…", "d"]), None);
    assert_eq!(missing(&["a", "b", "c"]), Some("the end"));
    assert_eq!(missing(&["b", "…"]), Some("b"));
    assert_eq!(missing(&["…", "c", "…", "b", "…"]), Some("b"));
    assert_eq!(missing(&["…", "c"]), Some("c"));
    assert_eq!(missing(&["a", "…", "x", "…", "d"]), Some("x"));
    let text = "x\n```nginx\nserver\n```\n```console\n$ corscheck a 'b c'\nout\n$ corscheck d\n```\n";
    let blocks = blocks(text);
    assert_eq!(blocks[0], Block { language: "nginx", lines: vec!["server"] });
    assert_eq!(commands(&blocks[1]), [("a 'b c'", &["out"][..]), ("d", &[][..])]);
    assert_eq!(words("a 'b c'"), ["a", "b c"]);
}
