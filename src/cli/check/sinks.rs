//! What is wrong with a DataSink, as far as it can be seen without its Secrets.
//!
//! In: a DataSink. Out: errors. Must never know: networks.

use crate::cli::finding::{Finding, FindingKind};
use crate::cli::metrics::PlacedSink;
use crate::export::transport::Endpoint;

/// Every error.
pub(super) fn errors(placed: &PlacedSink) -> Vec<Finding> {
    let PlacedSink { place, sink } = placed;
    let name = sink.metadata.name.as_deref().filter(|name| !name.is_empty());
    let subject = format!("DataSink {}", name.unwrap_or("without a name"));
    let mut errors = vec![];
    let mut refuse = |path: &str, message: String| {
        let finding = Finding::new(FindingKind::Error, place, path, message);
        errors.push(Finding { subject: Some(subject.clone()), ..finding });
    };
    if name.is_none() {
        refuse("metadata.name", "is missing".to_owned());
    }
    let endpoint = sink.spec.connection.as_ref().and_then(|connection| connection.endpoint.as_deref());
    match endpoint.map(Endpoint::parse) {
        None => refuse("spec.connection.endpoint", "is missing".to_owned()),
        Some(Err(error)) => refuse("spec.connection.endpoint", error.to_string()),
        Some(Ok(_)) => {}
    }
    if let Some(authentication) = &sink.spec.authentication {
        if authentication.api_key.is_some() == authentication.certificate.is_some() {
            let message = "exactly one of apiKey and certificate is needed";
            refuse("spec.authentication", message.to_owned());
        }
        if authentication.api_key.as_ref().is_some_and(|key| key.secret_key_ref.is_none()) {
            refuse("spec.authentication.apiKey", "needs secretKeyRef".to_owned());
        }
        if let Some(certificate) = &authentication.certificate {
            let parts = [
                ("clientCertSecretKeyRef", &certificate.client_cert_secret_key_ref),
                ("clientKeySecretKeyRef", &certificate.client_key_secret_key_ref),
            ];
            for (name, _) in parts.iter().filter(|(_, part)| part.is_none()) {
                refuse("spec.authentication.certificate", format!("needs {name}"));
            }
        }
    }
    errors
}
