//! What a sink knows us by, and what we know it by. Contents never show.
//!
//! In: the bytes of Secrets. Out: credentials, checked before they are used. Must never know: where they came from.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::{Zeroize, Zeroizing};

/// A token. Overwritten when the last copy goes.
#[derive(Clone, PartialEq)]
pub struct Credential(Arc<Zeroizing<String>>);

/// A certificate chain and its key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// Ready for use; ring keeps its own form of the key.
    pub(super) certified: Arc<CertifiedKey>,
    /// To be compared.
    key: Arc<Key>,
}

/// A key as it was given. Overwritten when the last copy goes.
struct Key(PrivateKeyDer<'static>);

/// Authorities that a sink's certificate may come from.
#[derive(Clone)]
pub struct CertificateAuthority(pub(super) Arc<RootCertStore>);

/// Why a Secret's content is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Nothing but white space.
    #[error("is empty")]
    Empty,
    /// Nothing that a header can hold.
    #[error("holds characters other than visible ASCII")]
    NotVisible,
}

/// Why Secrets' contents are no certificates. Says nothing of the contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate in the text.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// Something in the text that calls itself a certificate.
    #[error("holds a certificate that cannot be read")]
    BadCertificate,
    /// No key in the text, or one that cannot be read.
    #[error("holds no private key in PEM form that can be read")]
    NoKey,
    /// A key of another certificate.
    #[error("the private key is not that of the certificate")]
    Mismatch,
}

// === impl Credential ===

impl Credential {
    /// A token from a Secret's content; white space around it is not part of it.
    ///
    /// # Errors
    /// Where no header can hold it.
    pub fn new(content: &[u8]) -> Result<Self, CredentialError> {
        let trimmed = content.trim_ascii();
        if trimmed.is_empty() {
            return Err(CredentialError::Empty);
        }
        let visible = trimmed.iter().all(u8::is_ascii_graphic);
        let text =
            std::str::from_utf8(trimmed).ok().filter(|_| visible).ok_or(CredentialError::NotVisible)?;
        Ok(Credential(Arc::new(Zeroizing::new(text.to_owned()))))
    }

    /// The token itself, for the one place that sends it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

// === impl ClientCertificate ===

impl ClientCertificate {
    /// From a PEM chain, the client's own certificate first, and a PEM key.
    ///
    /// # Errors
    /// Where either cannot be read, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain = certificates(chain)?;
        let key = Key(PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::NoKey)?);
        let certified = CertifiedKey::from_der(chain, key.0.clone_key(), &ring::default_provider());
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateError::Mismatch,
            rustls::Error::InvalidCertificate(_) => CertificateError::BadCertificate,
            _ => CertificateError::NoKey,
        })?;
        Ok(ClientCertificate { certified: Arc::new(certified), key: Arc::new(key) })
    }
}

impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.key.0 == other.key.0 && self.certified.cert == other.certified.cert
    }
}

impl fmt::Debug for ClientCertificate {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

// === impl CertificateAuthority ===

impl CertificateAuthority {
    /// From one or more PEM certificates.
    ///
    /// # Errors
    /// Where there is none, or one that cannot be read.
    pub fn from_pem(bundle: &[u8]) -> Result<Self, CertificateError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(bundle)? {
            roots.add(certificate).map_err(|_| CertificateError::BadCertificate)?;
        }
        Ok(CertificateAuthority(Arc::new(roots)))
    }
}

impl PartialEq for CertificateAuthority {
    fn eq(&self, other: &Self) -> bool {
        self.0.roots == other.0.roots
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateAuthority")
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = read.map_err(|_| CertificateError::BadCertificate)?;
    if certificates.is_empty() { Err(CertificateError::NoCertificate) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn a_token_is_what_stands_between_white_space() {
        for (content, expected) in [
            (&b"abc.DEF-1=="[..], Ok("abc.DEF-1==")),
            (b" abc\r\n", Ok("abc")),
            (b"", Err(CredentialError::Empty)),
            (b" \n", Err(CredentialError::Empty)),
            (b"a b", Err(CredentialError::NotVisible)),
            (b"a\r\nX-Forged: b", Err(CredentialError::NotVisible)),
            ("é".as_bytes(), Err(CredentialError::NotVisible)),
            (b"\xff", Err(CredentialError::NotVisible)),
            (b"a\0", Err(CredentialError::NotVisible)),
        ] {
            let credential = Credential::new(content);
            assert_eq!(credential.as_ref().map(Credential::reveal), expected.as_ref().copied());
            assert!(!format!("{credential:?}").contains("abc"));
        }
    }

    fn identity() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["client".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn a_client_certificate_is_a_chain_with_its_own_key() {
        let (chain, key) = identity();
        let (other, other_key) = identity();
        let read = |chain: &str, key: &str| ClientCertificate::from_pem(chain.as_bytes(), key.as_bytes());
        assert!(read(&chain, &key).unwrap() == read(&format!("\n{chain}"), &key).unwrap());
        assert!(read(&chain, &key).unwrap() != read(&other, &other_key).unwrap());
        assert_eq!(format!("{:?}", read(&chain, &key).unwrap()), "ClientCertificate");
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (chain, key, expected) in [
            ("", &*key, CertificateError::NoCertificate),
            (&key, &key, CertificateError::NoCertificate),
            ("-----BEGIN CERTIFICATE-----\n%\n", &key, CertificateError::BadCertificate),
            (bad, &key, CertificateError::BadCertificate),
            (&chain, "", CertificateError::NoKey),
            (&chain, &chain, CertificateError::NoKey),
            (&chain, &other_key, CertificateError::Mismatch),
        ] {
            assert_eq!(read(chain, key).err(), Some(expected), "{chain}");
        }
    }

    #[test]
    fn an_authority_is_one_certificate_or_more() {
        let ((first, key), (second, _)) = (identity(), identity());
        let read = |bundle: &str| CertificateAuthority::from_pem(bundle.as_bytes());
        assert_eq!(read(&format!("# ours\n{first}{second}")).unwrap().0.len(), 2);
        assert!(
            read(&first).unwrap() == read(&first).unwrap() && read(&first).unwrap() != read(&second).unwrap()
        );
        assert_eq!(read(&key).err(), Some(CertificateError::NoCertificate));
    }
}
