//! A certificate authority that lives as long as the servers do, and the TLS configuration made with it.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use corscheck_cases::{
    Alias,
    topology::{Protocol, Scheme},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::StartError;

/// One certificate for every host of the topology.
#[derive(Debug)]
pub(crate) struct Identity {
    ca_pem: String,
    leaf_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Identity {
    /// Makes a fresh authority and has it sign the certificate of every host of the topology.
    pub(crate) fn new() -> Result<Self, rcgen::Error> {
        let secure = Alias::ALL.iter().filter(|alias| alias.scheme() == Scheme::Https);
        let mut hosts: BTreeSet<_> = secure.map(|alias| alias.host().to_owned()).collect();
        hosts.insert("127.0.0.1".to_owned());
        Self::of(hosts)
    }

    /// Makes a fresh authority and has it sign the certificate of these hosts; the authority's key is then forgotten.
    pub(crate) fn of(hosts: BTreeSet<String>) -> Result<Self, rcgen::Error> {
        let mut params = dated(CertificateParams::default());
        params.distinguished_name.push(DnType::CommonName, "corscheck throw-away CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut params = dated(CertificateParams::new(Vec::from_iter(hosts))?);
        params.distinguished_name.push(DnType::CommonName, "corscheck origins");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &ca)?;

        Ok(Self { ca_pem: ca.pem(), leaf_pem: leaf.pem(), chain: vec![leaf.der().clone()], key: key.serialize_der() })
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn leaf_pem(&self) -> &str {
        &self.leaf_pem
    }

    /// TLS with HTTP/1.1 on it.
    pub(crate) fn http1(&self) -> Result<Arc<ServerConfig>, StartError> {
        self.speaking(b"http/1.1")
    }

    /// The TLS of an alias; none where its scheme is http.
    pub(crate) fn config(&self, alias: Alias) -> Result<Option<Arc<ServerConfig>>, StartError> {
        let alpn: &[u8] = match (alias.scheme(), alias.protocol()) {
            (Scheme::Http, _) | (_, Protocol::Nothing) => return Ok(None),
            (Scheme::Https, Protocol::Http1) => b"http/1.1",
            // Without HTTP/1.1 beside it: an origin that fell back would answer for the wrong protocol.
            (Scheme::Https, Protocol::Http2) => b"h2",
        };
        self.speaking(alpn).map(Some)
    }

    fn speaking(&self, alpn: &[u8]) -> Result<Arc<ServerConfig>, StartError> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)?;
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(Arc::new(config))
    }
}

/// Valid from last year to the end of next year: within what engines accept of a private authority, whatever the clock.
fn dated(mut params: CertificateParams) -> CertificateParams {
    const YEAR_SECONDS: u64 = 31_556_952;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let year = 1970 + i32::try_from(since_epoch / YEAR_SECONDS).unwrap_or(0);
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + 2, 1, 1);
    params
}
