//! How servers are reached: whom to trust, where names lead, how long to wait.

use std::{collections::HashMap, net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    explain::recording::MOST_BODY,
    simulated::client::{Client, ClientOptions, RootError},
};

/// How long one address may take to accept a connection, at most.
const MOST_CONNECT: Duration = Duration::from_secs(5);

/// How servers are reached.
#[derive(Debug, Clone)]
pub struct Access {
    /// Whether any certificate is accepted.
    pub insecure: bool,
    /// Authorities to trust besides those of the system, in PEM.
    pub ca: Option<String>,
    /// Where to connect to instead of asking for the address of a host.
    pub resolve: Vec<Resolve>,
    /// How long a server may take to answer one request.
    pub timeout: Duration,
}

/// Where a host is, as told: `HOST:PORT:ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The host, as in URLs.
    pub host: String,
    /// The port in URLs, and the one to connect to.
    pub port: u16,
    /// The address to connect to.
    pub address: SocketAddr,
}

/// A certificate that was to be trusted cannot be.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file of authorities.
    #[error("--ca: {0}")]
    Authority(#[from] RootError),
    /// There is none in it.
    #[error("--ca: there is no certificate in it; expected PEM, which begins with -----BEGIN CERTIFICATE-----")]
    NoAuthority,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`: expected HOST:PORT:ADDRESS, such as api.example.com:443:127.0.0.1");
        // A host in brackets holds colons.
        let split = if text.starts_with('[') { text.find("]:").map(|at| at + 1) } else { text.find(':') };
        let (host, rest) = split.and_then(|at| Some((&text[..at], text.get(at + 1..)?))).ok_or_else(wrong)?;
        let (port, address) = rest.split_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
        let address = SocketAddr::new(address.parse().map_err(|_| wrong())?, port);
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self { host: host.to_ascii_lowercase(), port, address })
    }
}

impl Access {
    /// The options of a client that reaches servers so.
    pub(crate) fn options(&self) -> Result<ClientOptions, AccessError> {
        let mut options = ClientOptions {
            roots: RootCertStore::empty(),
            resolve: self.resolve.iter().map(|r| ((r.host.clone(), r.port), r.address)).collect::<HashMap<_, _>>(),
            connect_timeout: MOST_CONNECT.min(self.timeout),
            answer_timeout: self.timeout,
            most_body: MOST_BODY,
        };
        // What the system trusts; without any, every https server is told to be untrusted, which is true here.
        options.roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = &self.ca {
            let before = options.roots.len();
            options = options.trusting(pem)?;
            if options.roots.len() == before {
                return Err(AccessError::NoAuthority);
            }
        }
        Ok(options)
    }

    /// The TLS of a client that reaches servers so.
    pub(crate) fn tls(&self, options: &ClientOptions) -> ClientConfig {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the versions that rustls takes for safe");
        if self.insecure {
            let verifier = Arc::new(AnyCertificate(provider));
            return builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        }
        builder.with_root_certificates(options.roots.clone()).with_no_client_auth()
    }

    pub(super) fn client(&self) -> Result<Client, AccessError> {
        let options = self.options()?;
        let tls = self.tls(&options);
        Ok(Client::with_tls(options, tls))
    }
}

/// Accepts any certificate: whoever asks to, wants to know what the server says and not who it is.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_host_is_can_be_told() {
        let of = |text: &str| text.parse::<Resolve>().map(|r| format!("{} {} {}", r.host, r.port, r.address));
        assert_eq!(of("API.example.com:443:127.0.0.1").as_deref(), Ok("api.example.com 443 127.0.0.1:443"));
        assert_eq!(of("api.example.com:80:::1").as_deref(), Ok("api.example.com 80 [::1]:80"));
        assert_eq!(of("api.example.com:80:[::1]").as_deref(), Ok("api.example.com 80 [::1]:80"));
        for wrong in ["", "host", "host:80", ":80:127.0.0.1", "host:x:127.0.0.1", "host:80:name", "host:80:", "[::1:80:127.0.0.1"] {
            assert!(of(wrong).is_err_and(|e| e.contains("HOST:PORT:ADDRESS")), "{wrong}");
        }
    }

    #[test]
    fn an_authority_must_be_there() {
        let access = |pem: &str| Access { insecure: false, ca: Some(pem.to_owned()), resolve: Vec::new(), timeout: Duration::from_secs(1) };
        assert!(matches!(access("no PEM").client(), Err(AccessError::NoAuthority)));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(access(broken).client(), Err(AccessError::Authority(_))));
    }
}
