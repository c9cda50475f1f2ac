//! HTTP/1.1 as far as the reference needs it: every byte of a request is taken as it comes, and answers are written as they are.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A head may be so long.
const LONGEST_HEAD: usize = 64 * 1024;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// Names in lower case, values without white space around them.
    pub(super) fields: Vec<(String, Vec<u8>)>,
}

impl Request {
    /// The values of a field, line by line.
    pub(super) fn values(&self, name: &str) -> Vec<&[u8]> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| &v[..]).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(n, _)| n == name)
    }

    /// The value of a field that stands there once.
    pub(super) fn single(&self, name: &str) -> Option<&[u8]> {
        match self.values(name)[..] {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// How long to wait before it.
    pub(super) delay: Duration,
    /// Nothing is sent, and the connection ends.
    pub(super) dies: bool,
}

impl Answer {
    pub(super) fn new(status: u16) -> Self {
        Self { status, fields: Vec::new(), body: Vec::new(), delay: Duration::ZERO, dies: false }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    pub(super) fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.fields.push((name.to_owned(), value.into()));
    }
}

/// Answers the requests of a connection until it ends.
pub(super) async fn serve(mut stream: TcpStream, answer: impl Fn(Request) -> Answer) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await? {
        let (head_only, close) = (request.method == "HEAD", request.values("connection").iter().any(|v| v.eq_ignore_ascii_case(b"close")));
        let answer = answer(request);
        if answer.dies {
            return Ok(());
        }
        tokio::time::sleep(answer.delay).await;
        let mut out = format!("HTTP/1.1 {} \r\n", answer.status).into_bytes();
        for (name, value) in &answer.fields {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        let bodyless = matches!(answer.status, 204 | 304);
        if !bodyless {
            out.extend_from_slice(format!("Content-Length: {}\r\n", answer.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        if !bodyless && !head_only {
            out.extend_from_slice(&answer.body);
        }
        stream.write_all(&out).await?;
        if close {
            return Ok(());
        }
    }
    Ok(())
}

/// The next request; none where the connection ends.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > LONGEST_HEAD || stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head: Vec<u8> = buffer.drain(..end + 4).collect();
    let mut lines = split(&head[..end], b"\r\n").into_iter();
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
    let field = |line: &[u8]| {
        let at = line.iter().position(|b| *b == b':')?;
        Some((String::from_utf8_lossy(&line[..at]).to_ascii_lowercase(), line[at + 1..].trim_ascii().to_vec()))
    };
    let request = Request { method, path: path.to_owned(), query, fields: lines.filter_map(field).collect() };
    let length = request.single("content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse::<usize>().ok()).unwrap_or(0);
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    buffer.drain(..length);
    Ok(Some(request))
}

fn split<'b>(bytes: &'b [u8], by: &[u8]) -> Vec<&'b [u8]> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(by.len()).position(|w| w == by) {
        out.push(&rest[..at]);
        rest = &rest[at + by.len()..];
    }
    out.push(rest);
    out
}
