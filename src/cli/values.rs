//! Values of arguments, read as people and metrics-operator's manifests write them.
//!
//! In: text. Out: a value, or what is wrong with it. Must never know: which argument it belongs to.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use celemetry_engine::scalar;

/// A duration as Go writes it, not negative.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = scalar::Duration::parse(text).map_err(|error| error.to_string())?;
    let nanos = u64::try_from(parsed.nanos).map_err(|_| "must not be negative".to_owned())?;
    Ok(Duration::from_nanos(nanos))
}

/// A duration of at least a second.
pub(super) fn period(text: &str) -> Result<Duration, String> {
    let period = duration(text)?;
    if period < Duration::from_secs(1) { Err("must be at least 1s".to_owned()) } else { Ok(period) }
}

/// An address with a port, as a number, by name, or of all interfaces.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    let found: Vec<_> = whole.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    // What a name means is asked for in IPv4 first, since most scrapers try that.
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| "has no address".to_owned())
}

/// An address as controller-runtime takes it: `:PORT` is every address of this host, in IPv6 too where there is that,
/// and `0` is none at all.
pub(super) fn bind_address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "0" {
        return Ok(None);
    }
    let is_dual = || UdpSocket::bind("[::]:0").is_ok();
    let address = match text.strip_prefix(':') {
        Some(port) if is_dual() => address(&format!("[::]:{port}")),
        _ => address(text),
    };
    address.map(Some)
}

/// A bool as Go's flags take it.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s_and_not_negative() {
        for (text, millis) in
            [("1s", 1_000), ("1m30s", 90_000), ("1.5h", 5_400_000), ("0", 0), ("1d", 86_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "-1s", "1 s", "never"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(period("999ms"), Err("must be at least 1s".to_owned()));
    }

    #[test]
    fn addresses_are_controller_runtime_s() {
        assert_eq!(bind_address("0"), Ok(None));
        assert_eq!(bind_address("127.0.0.1:8080").unwrap().unwrap().to_string(), "127.0.0.1:8080");
        assert_eq!(bind_address("[::1]:8080").unwrap().unwrap().to_string(), "[::1]:8080");
        let every = bind_address(":8080").unwrap().unwrap();
        assert!(every.ip().is_unspecified() && every.port() == 8080);
        assert!(bind_address("8080").is_err() && bind_address(":port").is_err());
    }
}
