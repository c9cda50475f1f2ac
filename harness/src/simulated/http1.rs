//! HTTP/1.1, byte by byte: a request as it was asked for, and what came back as [`corscheck_cases::oracle::http1`] reads it.

use corscheck_cases::oracle::{
    http1::{BodyEnd, BodyReader, Head, framing, head},
    network::{Outgoing, ReadEnd, host_of, target_of, wire_fields},
};

use super::{
    client::Recorded,
    connection::{Connection, Deadline, Stop},
};

/// How many bytes are read at once.
const READ: usize = 16 * 1024;

/// A body whose head is there.
pub(super) struct Body {
    connection: Connection,
    reader: BodyReader,
    content: Vec<u8>,
    /// Whether its framing is broken.
    is_broken: bool,
}

/// Sends the request and waits for the heads of its response: the interim ones and the final one.
pub(super) fn exchange(
    mut connection: Connection,
    request: &Outgoing<'_, '_>,
    deadline: &Deadline,
    record: &mut Recorded,
) -> Result<(Vec<Head>, Head, Body), Stop> {
    record.sent_head = request_head(request);
    record.sent_body = request.body.unwrap_or_default().to_vec();
    let mut bytes = record.sent_head.clone();
    put_body(&mut bytes, request);
    let sent = match connection.write_all(&bytes, deadline) {
        // A server may answer and close before it has read everything: its answer counts.
        Err(Stop::Lost(error)) => Err(error),
        Err(stop) => return Err(stop),
        Ok(()) => Ok(()),
    };
    let mut received = Vec::new();
    let mut interim = Vec::new();
    let mut buffer = vec![0; READ];
    loop {
        match head(&received) {
            Ok(Some((head, length))) => {
                let rest = received.split_off(length);
                let raw = std::mem::replace(&mut received, rest);
                let is_switch = head.status == 101 && request.asks_for_websocket();
                let is_interim = if is_switch { Ok(false) } else { head.is_interim() };
                if let Ok(true) = is_interim {
                    record.interim.push(raw);
                    interim.push(head);
                    continue;
                }
                record.received_head = raw;
                is_interim.map_err(Stop::broken)?;
                let framing = framing(&head, request.method == "HEAD").map_err(Stop::broken)?;
                let mut body = Body { connection, reader: BodyReader::new(framing), content: Vec::new(), is_broken: false };
                body.take(&received);
                return Ok((interim, head, body));
            }
            Ok(None) => {}
            Err(malformed) => {
                record.received_head = received;
                return Err(Stop::broken(malformed));
            }
        }
        let ended = match connection.read_some(&mut buffer, deadline) {
            Ok(0) => "the connection ended before a response".to_owned(),
            Ok(n) => {
                received.extend_from_slice(&buffer[..n]);
                continue;
            }
            Err(Stop::Lost(error)) => {
                let error = sent.err().unwrap_or(error);
                format!("the connection was lost before a response: {error}")
            }
            Err(stop) => {
                record.received_head = received;
                return Err(stop);
            }
        };
        record.received_head = received;
        return Err(Stop::broken(ended));
    }
}

/// Whether a stream is to be sent by a defective user agent: then nobody knows its length.
fn is_chunked(request: &Outgoing<'_, '_>) -> bool {
    request.streams && request.body.is_some()
}

fn request_head(request: &Outgoing<'_, '_>) -> Vec<u8> {
    let host = host_of(request.url);
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, target_of(request.url)).into_bytes();
    for (name, value) in wire_fields(host, &request.headers) {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(&value);
        head.extend_from_slice(b"\r\n");
    }
    if is_chunked(request) {
        head.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn put_body(bytes: &mut Vec<u8>, request: &Outgoing<'_, '_>) {
    let content = request.body.unwrap_or_default();
    if !is_chunked(request) {
        bytes.extend_from_slice(content);
        return;
    }
    if !content.is_empty() {
        bytes.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
}

impl Body {
    /// Reads to the end; gives what came and how it ended. Bodies longer than `most` bytes are broken off.
    pub(super) fn read(mut self, most: usize, deadline: &Deadline) -> (Vec<u8>, Result<ReadEnd, Stop>) {
        let end = self.read_on(most, deadline);
        (self.content, end)
    }

    fn read_on(&mut self, most: usize, deadline: &Deadline) -> Result<ReadEnd, Stop> {
        let mut buffer = vec![0; READ];
        while !self.reader.is_complete() {
            if self.is_broken || self.content.len() > most {
                return Ok(ReadEnd::Broken);
            }
            let is_reset = match self.connection.read_some(&mut buffer, deadline) {
                Ok(n @ 1..) => {
                    self.take(&buffer[..n]);
                    continue;
                }
                Ok(0) => false,
                Err(Stop::Lost(_)) => true,
                Err(stop) => return Err(stop),
            };
            return Ok(match self.reader.end(is_reset) {
                BodyEnd::Complete => ReadEnd::Complete,
                BodyEnd::Broken => ReadEnd::Broken,
            });
        }
        Ok(ReadEnd::Complete)
    }

    /// Bytes behind the end of the body belong to nothing: the connection is not used again.
    fn take(&mut self, bytes: &[u8]) {
        self.is_broken |= self.reader.feed(bytes, &mut self.content).is_err();
    }
}
