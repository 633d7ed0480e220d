//! The address of a sink, as its author wrote it.
//!
//! In: a URL. Out: its parts, checked. Must never know: what it resolves to.
//!
//! The scheme decides about the protocol, as in metrics-operator: `http` and `https` are OTLP/HTTP to exactly the given
//! path, `/v1/metrics` where there is none; `grpc` and `grpcs` are OTLP/gRPC to host and port, whatever the path.

use std::fmt;
use std::net::IpAddr;

use hyper::http::uri::PathAndQuery;
use rustls::pki_types::ServerName;

/// A sink's address. Shown without its path, which may hold a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) protocol: Protocol,
    pub(super) encrypted: bool,
    /// A DNS name, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as they were written.
    pub(super) authority: String,
    /// What is asked for, query included.
    pub(super) path: PathAndQuery,
}

/// How requests are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Protobuf over HTTP/1.1.
    Http,
    /// gRPC over HTTP/2.
    Grpc,
}

/// Why a text is no sink's address. Says nothing of the text, which may hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No known scheme.
    #[error("must begin with http://, https://, grpc:// or grpcs://")]
    Scheme,
    /// A user or a password in the URL.
    #[error("must not hold a user or a password")]
    User,
    /// No host, or none that can be looked up.
    #[error("has no host that is a DNS name or an IP address; an IPv6 address stands in brackets")]
    Host,
    /// A port that is no number from 1 to 65535.
    #[error("has a port that is no number from 1 to 65535")]
    Port,
    /// A path with characters that must be escaped.
    #[error("has a path with characters that must be percent-encoded")]
    Path,
}

/// Schemes, whether they are encrypted, and the port of an address that names none. `grpcs` has the default of
/// metrics-operator's gRPC library; `grpc` has OTLP's, since nobody speaks plain text on 443.
const SCHEMES: &[(&str, Protocol, bool, u16)] = &[
    ("http://", Protocol::Http, false, 80),
    ("https://", Protocol::Http, true, 443),
    ("grpc://", Protocol::Grpc, false, 4317),
    ("grpcs://", Protocol::Grpc, true, 443),
];

const DEFAULT_PATH: &str = "/v1/metrics";
const GRPC_PATH: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

// === impl Endpoint ===

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// Where it is no address of a sink.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let scheme = SCHEMES.iter().find(|(scheme, ..)| url.starts_with(scheme));
        let (scheme, protocol, encrypted, default_port) = *scheme.ok_or(EndpointError::Scheme)?;
        let rest = &url[scheme.len()..];
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(EndpointError::User);
        }
        let (host, port) = host_and_port(authority)?;
        let path = match protocol {
            Protocol::Grpc => GRPC_PATH.to_owned(),
            Protocol::Http => path(rest),
        };
        Ok(Endpoint {
            protocol,
            encrypted,
            host,
            port: port.unwrap_or(default_port),
            authority: authority.to_owned(),
            path: PathAndQuery::try_from(path).map_err(|_| EndpointError::Path)?,
        })
    }

    /// The name that a certificate must be valid for.
    pub(super) fn server_name(&self) -> ServerName<'static> {
        ServerName::try_from(self.host.clone()).expect("parsed as a name or an address")
    }
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), EndpointError> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(EndpointError::Host)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_bracketed = authority.starts_with('[');
    let fits = match host.parse::<IpAddr>() {
        Ok(address) => address.is_ipv6() == is_bracketed,
        Err(_) => !is_bracketed && ServerName::try_from(host).is_ok(),
    };
    if !fits {
        return Err(EndpointError::Host);
    }
    let port = match rest.strip_prefix(':') {
        // A colon without a port is allowed by RFC 3986, 3.2.3.
        Some("") => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse().ok().filter(|port| *port > 0).ok_or(EndpointError::Port)?)
        }
        Some(_) => return Err(EndpointError::Port),
        None if rest.is_empty() => None,
        None => return Err(EndpointError::Host),
    };
    Ok((host.to_owned(), port))
}

/// Path and query: exactly what was written, without the fragment.
fn path(rest: &str) -> String {
    let written = rest.split('#').next().unwrap_or_default();
    if written.starts_with('/') { written.to_owned() } else { format!("{DEFAULT_PATH}{written}") }
}

impl fmt::Display for Endpoint {
    /// Scheme, host and port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_mine =
            |scheme: &&(&str, Protocol, bool, u16)| (scheme.1, scheme.2) == (self.protocol, self.encrypted);
        let scheme = SCHEMES.iter().find(is_mine).map(|scheme| scheme.0).unwrap_or_default();
        write!(f, "{scheme}{}", self.authority)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_decides_and_the_path_stays_what_it_is() {
        for (url, host, port, path, shown) in [
            ("http://otel:4318", "otel", 4318, "/v1/metrics", "http://otel:4318"),
            ("http://otel", "otel", 80, "/v1/metrics", "http://otel"),
            ("https://otel/", "otel", 443, "/", "https://otel"),
            ("https://otel/api/v2/otlp", "otel", 443, "/api/v2/otlp", "https://otel"),
            ("https://otel/a?token=b#c", "otel", 443, "/a?token=b", "https://otel"),
            ("https://otel?token=b", "otel", 443, "/v1/metrics?token=b", "https://otel"),
            ("https://otel:/a", "otel", 443, "/a", "https://otel:"),
            ("http://127.0.0.1:1/a", "127.0.0.1", 1, "/a", "http://127.0.0.1:1"),
            ("http://[::1]:4318", "::1", 4318, "/v1/metrics", "http://[::1]:4318"),
            ("grpc://otel:4317/whatever", "otel", 4317, GRPC_PATH, "grpc://otel:4317"),
            ("grpc://otel", "otel", 4317, GRPC_PATH, "grpc://otel"),
            ("grpcs://a.b.example:65535", "a.b.example", 65535, GRPC_PATH, "grpcs://a.b.example:65535"),
            ("grpcs://a_b", "a_b", 443, GRPC_PATH, "grpcs://a_b"),
        ] {
            let endpoint = Endpoint::parse(url).expect(url);
            let parts = (endpoint.host.as_str(), endpoint.port, endpoint.path.as_str());
            assert_eq!(parts, (host, port, path), "{url}");
            assert_eq!((endpoint.to_string(), format!("{endpoint:?}")), (shown.to_owned(), shown.to_owned()));
            assert_eq!(endpoint.encrypted, url.contains("s://"), "{url}");
            assert!(!endpoint.server_name().to_str().is_empty());
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for (url, expected) in [
            ("", EndpointError::Scheme),
            ("otel:4317", EndpointError::Scheme),
            ("HTTP://otel", EndpointError::Scheme),
            ("file:///etc/passwd", EndpointError::Scheme),
            ("http://", EndpointError::Host),
            ("http:///v1/metrics", EndpointError::Host),
            ("http://:80", EndpointError::Host),
            ("http://a b", EndpointError::Host),
            ("http://größe", EndpointError::Host),
            ("http://a\r\nb", EndpointError::Host),
            ("http://::1", EndpointError::Host),
            ("http://[::1", EndpointError::Host),
            ("http://[::1]x", EndpointError::Host),
            ("http://[127.0.0.1]", EndpointError::Host),
            ("http://[fe80::1%25eth0]", EndpointError::Host),
            ("http://[otel]", EndpointError::Host),
            ("http://user:secret@otel", EndpointError::User),
            ("http://@otel", EndpointError::User),
            ("http://otel:0", EndpointError::Port),
            ("http://otel:65536", EndpointError::Port),
            ("http://otel:+1", EndpointError::Port),
            ("http://otel:a", EndpointError::Port),
            ("http://otel/a b", EndpointError::Path),
            ("http://otel/a\r\nHost: b", EndpointError::Path),
        ] {
            assert_eq!(Endpoint::parse(url).err(), Some(expected), "{url}");
        }
    }
}
