//! Why a sink did not take a request, in classes: codes and kinds, never a word of what the other side said.
//!
//! In: nothing. Out: failures as types, with a reason for a condition and a sentence for people. Must never know: how
//! they are found.

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The name has no address.
    Unresolvable,
    /// Every address of the name is one that sinks must not have.
    ForbiddenAddress,
    /// Nobody listens there.
    Refused,
    /// There is no way there.
    Unreachable,
    /// No whole answer within the time that a request has.
    Timeout,
    /// The connection was closed without an answer.
    Closed,
    /// What came back is no answer in the protocol.
    Protocol,
    /// The sink's certificate is of another name.
    CertificateName,
    /// The sink's certificate is not valid now.
    CertificateExpired,
    /// The sink's certificate comes from nobody who is trusted.
    CertificateUntrusted,
    /// The sink wants a certificate that it does not get.
    ClientCertificateRefused,
    /// Any other failure of the handshake.
    Tls,
    /// An HTTP status other than success.
    Http(u16),
    /// A gRPC status other than OK.
    Grpc(i32),
}

// === impl Failure ===

impl Failure {
    /// A word for the reason of a condition.
    pub fn reason(self) -> &'static str {
        match self {
            Failure::Unresolvable => "NameNotResolved",
            Failure::ForbiddenAddress => "AddressForbidden",
            Failure::Refused => "ConnectionRefused",
            Failure::Unreachable => "Unreachable",
            Failure::Timeout => "Timeout",
            Failure::Closed => "ConnectionClosed",
            Failure::Protocol => "ProtocolError",
            Failure::CertificateName => "CertificateNameMismatch",
            Failure::CertificateExpired => "CertificateExpired",
            Failure::CertificateUntrusted => "CertificateUntrusted",
            Failure::ClientCertificateRefused => "ClientCertificateRefused",
            Failure::Tls => "TLSFailed",
            Failure::Http(_) => "HTTPStatus",
            Failure::Grpc(_) => "GRPCStatus",
        }
    }

    /// Whether the sink does not accept who we say we are, so that another credential may help.
    pub fn is_of_credentials(self) -> bool {
        const UNAUTHENTICATED: i32 = 16;
        const PERMISSION_DENIED: i32 = 7;
        matches!(
            self,
            Failure::ClientCertificateRefused
                | Failure::Http(401 | 403)
                | Failure::Grpc(UNAUTHENTICATED | PERMISSION_DENIED)
        )
    }
}

/// The names of gRPC's status codes, by number.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Failure::Unresolvable => "the endpoint's name does not resolve",
            Failure::ForbiddenAddress => "the endpoint's address is one that sinks must not have",
            Failure::Refused => "the connection was refused",
            Failure::Unreachable => "the endpoint cannot be reached",
            Failure::Timeout => "no answer came in time",
            Failure::Closed => "the connection was closed without an answer",
            Failure::Protocol => "what came back is no answer in the endpoint's protocol",
            Failure::CertificateName => "the sink's certificate is not valid for the endpoint's host",
            Failure::CertificateExpired => "the sink's certificate is not valid at this time",
            Failure::CertificateUntrusted => "the sink's certificate comes from an unknown authority",
            Failure::ClientCertificateRefused => "the sink refused the client certificate, or asks for one",
            Failure::Tls => "the TLS handshake failed",
            Failure::Http(status) => return write!(f, "the sink answered with HTTP status {status}"),
            Failure::Grpc(code) => {
                let name = usize::try_from(*code).ok().and_then(|code| GRPC_CODES.get(code));
                let name = name.map(|name| format!(" {name}")).unwrap_or_default();
                return write!(f, "the sink answered with gRPC status {code}{name}");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_and_those_about_credentials_known() {
        assert_eq!(Failure::Http(503).to_string(), "the sink answered with HTTP status 503");
        assert_eq!(Failure::Grpc(14).to_string(), "the sink answered with gRPC status 14 UNAVAILABLE");
        assert_eq!(Failure::Grpc(99).to_string(), "the sink answered with gRPC status 99");
        assert_eq!(Failure::Grpc(-1).to_string(), "the sink answered with gRPC status -1");
        let of_credentials = [
            Failure::Http(401),
            Failure::Http(403),
            Failure::Grpc(7),
            Failure::Grpc(16),
            Failure::ClientCertificateRefused,
        ];
        assert!(of_credentials.iter().all(|failure| failure.is_of_credentials()));
        let others =
            [Failure::Http(404), Failure::Grpc(5), Failure::Tls, Failure::CertificateName, Failure::Refused];
        assert!(!others.iter().any(|failure| failure.is_of_credentials()));
    }
}
