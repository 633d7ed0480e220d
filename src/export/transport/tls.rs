//! TLS as a client: whom we trust, and what we show.
//!
//! In: a sink's credentials. Out: settings; failures of a handshake in classes. Must never know: addresses.
//!
//! Certificates are always verified, TLS 1.2 at least. There is no setting that changes either.

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::sign::SingleCertAndKey;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use super::endpoint::Protocol;
use super::{Failure, SinkTarget};

/// The settings for one sink.
pub(super) fn config(target: &SinkTarget) -> Arc<ClientConfig> {
    let roots = target.ca.as_ref().map_or_else(system_roots, |ca| Arc::clone(&ca.0));
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows the ciphers of TLS 1.2 and 1.3")
        .with_root_certificates(roots);
    let mut config = match &target.certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&certificate.certified)))),
    };
    config.alpn_protocols = match target.endpoint.protocol {
        Protocol::Http => vec![b"http/1.1".to_vec()],
        Protocol::Grpc => vec![b"h2".to_vec()],
    };
    Arc::new(config)
}

/// What the system trusts, read once: a file or a folder, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Empty where
/// there is nothing, so that nobody is trusted.
fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    Arc::clone(ROOTS.get_or_init(read))
}

/// The failure of TLS that an error comes from, if it does.
pub(super) fn failure_in(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(failure_of(found));
        }
        // The source of an `io::Error` is the source of what it wraps, so what it wraps would be passed over.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

fn failure_of(error: &rustls::Error) -> Failure {
    use CertificateError as Of;
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            Of::NotValidForName | Of::NotValidForNameContext { .. } => Failure::CertificateName,
            Of::Expired | Of::ExpiredContext { .. } | Of::NotValidYet | Of::NotValidYetContext { .. } => {
                Failure::CertificateExpired
            }
            _ => Failure::CertificateUntrusted,
        },
        rustls::Error::AlertReceived(alert) if is_of_our_certificate(*alert) => {
            Failure::ClientCertificateRefused
        }
        _ => Failure::Tls,
    }
}

/// `decrypt_error` is what a signature that does not hold is called, that of the certificate's issuer included.
fn is_of_our_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::CertificateRequired
    )
}
