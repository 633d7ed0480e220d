//! Addresses of the Internet protocol, and ranges of them.
//!
//! In: text as Kubernetes' CEL reads it, which is `net/netip` without zones and without IPv4 addresses in the form of IPv6.
//! Out: addresses, ranges. Must never know: expressions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ScalarError;

/// An address.
///
/// Aligned, as [`Cidr`] is, so that a value of an expression that can be one is copied in whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(align(8))]
pub struct Ip(pub IpAddr);

/// An address with the length of a prefix: `192.168.0.1/24`. Bits behind the prefix may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(align(8))]
pub struct Cidr {
    /// The address as it was written.
    pub address: IpAddr,
    /// How many of its bits are the prefix.
    pub prefix: u8,
}

const NO_ADDRESS: ScalarError =
    ScalarError("not an IP address: it must be one such as 192.168.0.1 or 2001:db8::1, without a zone");
const MAPPED: ScalarError =
    ScalarError("not an IP address: an IPv4 address in the form of IPv6 is not allowed");
const NO_PREFIX: ScalarError =
    ScalarError("not a CIDR: it must be an address and the length of its prefix, such as 192.168.0.0/16");

// === impl Ip ===

impl Ip {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// If the text is none, has a zone, or is an IPv4 address in the form of IPv6.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        match text.parse() {
            Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => Err(MAPPED),
            Ok(address) => Ok(Ip(address)),
            Err(_) => Err(NO_ADDRESS),
        }
    }
}

impl std::fmt::Display for Ip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Cidr ===

impl Cidr {
    /// Reads an address and the length of its prefix.
    ///
    /// # Errors
    ///
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        let (address, length) = text.rsplit_once('/').ok_or(NO_PREFIX)?;
        let Ip(address) = Ip::parse(address)?;
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let plain = digits && (length.len() == 1 || !length.starts_with('0'));
        let prefix: u8 = length.parse().ok().filter(|_| plain).ok_or(NO_PREFIX)?;
        if prefix > width(address) {
            return Err(NO_PREFIX);
        }
        Ok(Cidr { address, prefix })
    }

    /// Whether an address begins with the prefix.
    pub fn contains(self, address: IpAddr) -> bool {
        same_family(self.address, address)
            && masked(self.address, self.prefix) == masked(address, self.prefix)
    }

    /// Whether all addresses of another range are in this one.
    pub fn contains_range(self, other: Cidr) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// The same range with no bit set behind the prefix.
    #[must_use]
    pub fn masked(self) -> Cidr {
        Cidr { address: masked(self.address, self.prefix), prefix: self.prefix }
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn same_family(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let behind = u32::from(width(address) - prefix.min(width(address)));
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(behind).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(behind).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
