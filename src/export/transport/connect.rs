//! A name → a connection to an address that was checked.
//!
//! In: an endpoint, a policy. Out: a connected socket. Must never know: TLS, HTTP.
//!
//! The address that is checked is the address that is connected to: the name is resolved once, so that whoever owns it
//! cannot answer with another address the second time.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::{AddressPolicy, Failure};

/// How long one of several addresses is waited for, so that one that swallows packets leaves time for the next.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Connects to the first address of the endpoint that is allowed and answers.
pub(super) async fn connect(endpoint: &Endpoint, policy: AddressPolicy) -> Result<TcpStream, Failure> {
    let found = resolve(endpoint).await?;
    let allowed: Vec<_> = found.into_iter().filter(|address| policy.allows(address.ip())).collect();
    let mut failure = Failure::ForbiddenAddress;
    for address in &allowed {
        let attempt = TcpStream::connect(address);
        let connected = if allowed.len() == 1 {
            attempt.await
        } else {
            timeout(ATTEMPT, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match connected {
            Ok(stream) => {
                // A failure costs milliseconds at worst.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failure = failure_of(&error),
        }
    }
    Err(failure)
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = endpoint.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, endpoint.port)]);
    }
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let found: Vec<_> = found.map_err(|_| Failure::Unresolvable)?.collect();
    if found.is_empty() { Err(Failure::Unresolvable) } else { Ok(found) }
}

fn failure_of(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        io::ErrorKind::TimedOut => Failure::Timeout,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Failure::Closed,
        _ => Failure::Unreachable,
    }
}
