//! What a DataSink asks for becomes where to send and with which credentials.
//!
//! In: a DataSink, the Secrets that it names. Out: a target, or why there is none. Must never know: who sends.
//!
//! What a Secret holds goes into types that do not show it, and nowhere else.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::api::{DataSink, SecretKeySelector};
use crate::cluster::fault::{Fault, FaultClass};
use crate::controller::status::SinkDefect;
use crate::export::transport::{CertificateAuthority, ClientCertificate, Credential, Endpoint, SinkTarget};

/// Why there is no target.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Something must be mended.
    Defect(SinkDefect),
    /// The API server could not be asked, so nothing is known.
    Unknown {
        /// Of which Secret, as `namespace/name`.
        secret: Option<String>,
        /// Why.
        fault: Fault,
    },
}

/// Secrets that were read, so that each is read once.
struct Secrets {
    api: Api<Secret>,
    namespace: String,
    read: BTreeMap<String, BTreeMap<String, ByteString>>,
}

/// Reads everything that a DataSink names.
pub(super) async fn read_target(client: &Client, sink: &DataSink) -> Result<SinkTarget, Refusal> {
    let endpoint = sink.spec.connection.as_ref().and_then(|connection| connection.endpoint.as_deref());
    let endpoint = Endpoint::parse(endpoint.unwrap_or_default())
        .map_err(|error| Refusal::Defect(SinkDefect::InvalidEndpoint { message: error.to_string() }))?;
    let mut target = SinkTarget { endpoint, api_key: None, certificate: None, ca: None };
    let Some(authentication) = &sink.spec.authentication else { return Ok(target) };
    let api = Api::namespaced(client.clone(), sink.namespace());
    let mut secrets = Secrets { api, namespace: sink.namespace().to_owned(), read: BTreeMap::new() };
    if let Some(selector) = authentication.api_key.as_ref().and_then(|key| key.secret_key_ref.as_ref()) {
        target.api_key = match secrets.value(selector).await? {
            Some(bytes) => Some(Credential::new(&bytes).map_err(|error| secrets.invalid(selector, error))?),
            None => None,
        };
    }
    if let Some(certificate) = &authentication.certificate {
        let chain = secrets.optional(certificate.client_cert_secret_key_ref.as_ref()).await?;
        let key = secrets.optional(certificate.client_key_secret_key_ref.as_ref()).await?;
        if let (Some((selector, chain)), Some((_, key))) = (chain, key) {
            let certificate = ClientCertificate::from_pem(&chain, &key);
            target.certificate = Some(certificate.map_err(|error| secrets.invalid(selector, error))?);
        }
        if let Some((selector, bundle)) =
            secrets.optional(certificate.ca_cert_secret_key_ref.as_ref()).await?
        {
            let authority = CertificateAuthority::from_pem(&bundle);
            target.ca = Some(authority.map_err(|error| secrets.invalid(selector, error))?);
        }
    }
    Ok(target)
}

// === impl Secrets ===

impl Secrets {
    /// The value that a selector names; `None` where that is optional and missing.
    async fn value(&mut self, selector: &SecretKeySelector) -> Result<Option<Vec<u8>>, Refusal> {
        let name = selector.name.clone().unwrap_or_default();
        let key = selector.key.clone().unwrap_or_default();
        let optional = selector.optional.unwrap_or(false);
        let data = match self.data(&name).await {
            Ok(data) => data,
            Err(Refusal::Defect(SinkDefect::SecretNotFound { .. })) if optional => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        match data.get(&key) {
            Some(bytes) => Ok(Some(bytes.0.clone())),
            None if optional => Ok(None),
            None => Err(Refusal::Defect(SinkDefect::SecretKeyNotFound { name: self.full(&name), key })),
        }
    }

    async fn optional<'s>(
        &mut self,
        selector: Option<&'s SecretKeySelector>,
    ) -> Result<Option<(&'s SecretKeySelector, Vec<u8>)>, Refusal> {
        let Some(selector) = selector else { return Ok(None) };
        Ok(self.value(selector).await?.map(|bytes| (selector, bytes)))
    }

    fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.namespace)
    }

    /// What a Secret holds is no use.
    fn invalid(&self, selector: &SecretKeySelector, error: impl std::fmt::Display) -> Refusal {
        let name = self.full(selector.name.as_deref().unwrap_or_default());
        Refusal::Defect(SinkDefect::InvalidCredentials { name, message: error.to_string() })
    }

    async fn data(&mut self, name: &str) -> Result<&BTreeMap<String, ByteString>, Refusal> {
        if !self.read.contains_key(name) {
            let secret = match self.api.get(name).await {
                Ok(secret) => secret,
                Err(error) => return Err(refusal(self.full(name), Fault::of_kube(&error))),
            };
            self.read.insert(name.to_owned(), secret.data.unwrap_or_default());
        }
        Ok(&self.read[name])
    }
}

fn refusal(name: String, fault: Fault) -> Refusal {
    match fault.class {
        FaultClass::NotFound => Refusal::Defect(SinkDefect::SecretNotFound { name }),
        FaultClass::Forbidden | FaultClass::Unauthorized => {
            Refusal::Defect(SinkDefect::SecretForbidden { name })
        }
        FaultClass::Malformed => Refusal::Defect(SinkDefect::SecretUnreadable { name }),
        _ => Refusal::Unknown { secret: Some(name), fault },
    }
}
