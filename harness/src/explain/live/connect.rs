//! How far a connection gets, step by step: name, address, TLS, HTTP.
//!
//! It is looked at only after a request that got no response. What is sent is `HEAD /`, which changes nothing.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

use corscheck_cases::{oracle::network::host_of, text::escape};
use rustls::{CertificateError, ClientConnection, StreamOwned, pki_types::ServerName};
use url::{Host, Url};

use super::access::{Access, AccessError};
use crate::{
    explain::reach::{Reach, TlsFault},
    simulated::client::ClientOptions,
};

/// How long each step may take, at most.
const MOST_STEP: Duration = Duration::from_secs(3);

/// The first bytes of an answer that are looked at.
const FIRST_BYTES: usize = 64;

/// How far a connection to the server of a URL gets.
pub(super) fn reach(url: &Url, access: &Access) -> Result<Reach, AccessError> {
    let options = access.options()?;
    let patience = MOST_STEP.min(options.answer_timeout);
    let socket = match connect(url, &options, patience) {
        Ok(socket) => socket,
        Err(reach) => return Ok(reach),
    };
    if url.scheme() != "https" {
        return Ok(ask(socket, url, patience));
    }
    let mut tls = access.tls(&options);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let shaken = ServerName::try_from(name)
        .map_err(|e| (TlsFault::Other, e.to_string()))
        .and_then(|name| ClientConnection::new(Arc::new(tls), name).map_err(|e| (tls_fault(&e), e.to_string())))
        .and_then(|connection| shake(StreamOwned::new(connection, socket), patience));
    Ok(match shaken {
        Ok(stream) if stream.conn.alpn_protocol() == Some(b"h2") => Reach::Http { status: None },
        Ok(stream) => ask(stream, url, patience),
        Err((TlsFault::Other, words)) => match connect(url, &options, patience).map(|socket| ask(socket, url, patience)) {
            // A server that speaks TLS may answer plain HTTP too, with 400.
            Ok(Reach::Http { status: Some(status) }) if status != 400 => Reach::PlainOnTls,
            _ => Reach::Tls { fault: TlsFault::Other, words },
        },
        Err((fault, words)) => Reach::Tls { fault, words },
    })
}

fn connect(url: &Url, options: &ClientOptions, patience: Duration) -> Result<TcpStream, Reach> {
    let addresses = addresses(url, options).map_err(|e| Reach::Unresolved { words: e.to_string() })?;
    let mut last = Reach::Unresolved { words: "the name has no address".to_owned() };
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(socket) => {
                // Whoever reads or writes is told when it takes too long.
                _ = socket.set_read_timeout(Some(patience));
                _ = socket.set_write_timeout(Some(patience));
                return Ok(socket);
            }
            Err(e) if e.kind() == ErrorKind::ConnectionRefused => last = Reach::Refused { address: address.to_string() },
            Err(e) => last = Reach::NoConnection { words: format!("{address}: {e}") },
        }
    }
    Err(last)
}

/// Where the server is: as the client under the state machine finds it.
fn addresses(url: &Url, options: &ClientOptions) -> std::io::Result<Vec<SocketAddr>> {
    let port = url.port_or_known_default().unwrap_or_default();
    let name = match url.host() {
        Some(Host::Ipv4(ip)) => return Ok(vec![SocketAddr::from((ip, port))]),
        Some(Host::Ipv6(ip)) => return Ok(vec![SocketAddr::from((ip, port))]),
        Some(Host::Domain(name)) => name,
        None => return Ok(Vec::new()),
    };
    if let Some(address) = options.resolve.get(&(name.to_owned(), port)) {
        return Ok(vec![*address]);
    }
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]);
    }
    Ok((name, port).to_socket_addrs()?.collect())
}

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

fn shake(mut stream: TlsStream, patience: Duration) -> Result<TlsStream, (TlsFault, String)> {
    let started = Instant::now();
    while stream.conn.is_handshaking() {
        if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
            let slow = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted);
            if slow && started.elapsed() < patience {
                continue;
            }
            let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).map_or(TlsFault::Other, tls_fault);
            let words = if slow { "the server does not answer the handshake".to_owned() } else { error.to_string() };
            return Err((fault, words));
        }
    }
    Ok(stream)
}

fn tls_fault(error: &rustls::Error) -> TlsFault {
    let rustls::Error::InvalidCertificate(error) = error else { return TlsFault::Other };
    match error {
        CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::WrongName,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TlsFault::Expired,
        _ => TlsFault::Other,
    }
}

/// Asks for the head of `/`, and looks at the first bytes of what comes.
fn ask(mut stream: impl Read + Write, url: &Url, patience: Duration) -> Reach {
    let started = Instant::now();
    let request = format!("HEAD / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", host_of(url));
    // A server that speaks first may have closed already: what it said still counts.
    _ = stream.write_all(request.as_bytes()).and_then(|()| stream.flush());
    let mut first = Vec::new();
    let mut buffer = [0; FIRST_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) if first.is_empty() => return Reach::Closed,
            Ok(0) => break,
            Ok(n) => first.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && first.is_empty() => {
                return Reach::Silent { after_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) };
            }
            Err(_) if first.is_empty() => return Reach::Closed,
            Err(_) => break,
        }
        if first.len() >= FIRST_BYTES || first.contains(&b'\n') || started.elapsed() >= patience {
            break;
        }
    }
    told_by(&first)
}

/// What the first bytes tell.
fn told_by(first: &[u8]) -> Reach {
    let line = first.split(|b| *b == b'\n').next().unwrap_or_default();
    let status = line.strip_prefix(b"HTTP/").and_then(|rest| {
        let digits = rest.split(|b| *b == b' ').nth(1)?.trim_ascii();
        std::str::from_utf8(digits).ok()?.parse().ok()
    });
    match (status, first) {
        (Some(status), _) => Reach::Http { status: Some(status) },
        // An alert, of any version of TLS.
        (None, [0x15, 0x03, ..]) => Reach::TlsOnPlain,
        (None, _) => Reach::NotHttp { first: escape(&first[..first.len().min(FIRST_BYTES)]) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_who_speaks() {
        assert_eq!(told_by(b"HTTP/1.1 404 Not Found\r\n"), Reach::Http { status: Some(404) });
        assert_eq!(told_by(b"\x15\x03\x01\0\x02\x02\x46"), Reach::TlsOnPlain);
        assert_eq!(told_by(b"SSH-2.0-OpenSSH_9\r\n"), Reach::NotHttp { first: r"SSH-2.0-OpenSSH_9\r\n".to_owned() });
        assert_eq!(told_by(b"\x1b[31m"), Reach::NotHttp { first: r"\x1B[31m".to_owned() });
        assert_eq!(told_by(b"HTTP/1.1 OK"), Reach::NotHttp { first: "HTTP/1.1 OK".to_owned() });
    }
}
