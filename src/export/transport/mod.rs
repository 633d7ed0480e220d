//! One export request to one sink: over HTTP or gRPC, plain or TLS.
//!
//! In: where to, with which credentials; the bytes of a request. Out: what became of it, in the terms of the OTLP
//! specification. Must never know: points, when a request is repeated, who waits for it.

mod endpoint;
mod address;
mod credential;
mod failure;
mod outcome;
mod tls;
mod stream;
mod connect;
mod exchange;
mod http;
mod grpc;
mod client;

pub use address::AddressPolicy;
pub use client::{Client, REQUEST_TIMEOUT};
pub use credential::{
    CertificateAuthority, CertificateError, ClientCertificate, Credential, CredentialError,
};
pub use endpoint::{Endpoint, EndpointError};
pub use failure::Failure;
pub use outcome::Outcome;

/// Where a sink is, and how it knows us.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkTarget {
    /// The address, and with it the protocol.
    pub endpoint: Endpoint,
    /// Sent as `Authorization: Api-Token …`.
    pub api_key: Option<Credential>,
    /// Shown to a sink that asks for one.
    pub certificate: Option<ClientCertificate>,
    /// Trusted instead of the system's authorities.
    pub ca: Option<CertificateAuthority>,
}
