//! Which addresses a sink may have: what a tenant writes must not lead to where only the operator can go.
//!
//! In: addresses that a name resolved to. Out: whether a connection may be made. Must never know: names, connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is allowed. Addresses of this link and those of the clouds' metadata services never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether a sink may be on this host, as a Collector in the same Pod is.
    pub allow_loopback: bool,
}

/// Metadata services outside the link-local ranges: of Azure (also its DNS and health probe), Alibaba and Oracle's
/// older regions.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];

/// The same of Google and Scaleway; AWS has the whole of fd00:ec2::/32 for its own.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)];

// === impl AddressPolicy ===

impl AddressPolicy {
    /// Whether a sink may be at this address.
    pub fn allows(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.allows_v4(address),
            IpAddr::V6(address) => self.allows_v6(address),
        }
    }

    fn allows_v4(self, address: Ipv4Addr) -> bool {
        let is_this_network = address.octets()[0] == 0;
        let forbidden = is_this_network
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast()
            || METADATA_V4.contains(&address);
        !forbidden && (self.allow_loopback || !address.is_loopback())
    }

    /// An address that holds an IPv4 address in one of the forms that leads there is judged by that.
    fn allows_v6(self, address: Ipv6Addr) -> bool {
        let segments = address.segments();
        let is_of_aws = segments[..2] == [0xfd00, 0xec2];
        let forbidden = address.is_unspecified()
            || address.is_unicast_link_local()
            || address.is_multicast()
            || is_of_aws
            || METADATA_V6.contains(&address);
        if forbidden || (address.is_loopback() && !self.allow_loopback) {
            return false;
        }
        address.is_loopback() || held_by(segments).is_none_or(|held| self.allows_v4(held))
    }
}

/// The IPv4 address in an IPv4-mapped (`::ffff:a.b.c.d`), IPv4-compatible (`::a.b.c.d`), NAT64 (`64:ff9b::a.b.c.d`) or
/// 6to4 (`2002:a.b.c.d::`) address.
fn held_by(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_the_link_are_forbidden_in_every_form_and_loopback_unless_allowed() {
        const NEVER: [bool; 2] = [false, false];
        const IF_LOOPBACK: [bool; 2] = [false, true];
        const ALWAYS: [bool; 2] = [true, true];
        for (address, expected) in [
            ("169.254.169.254", NEVER),
            ("169.254.0.1", NEVER),
            ("169.254.170.2", NEVER),
            ("168.63.129.16", NEVER),
            ("100.100.100.200", NEVER),
            ("192.0.0.192", NEVER),
            ("0.0.0.0", NEVER),
            ("0.1.2.3", NEVER),
            ("224.0.0.1", NEVER),
            ("255.255.255.255", NEVER),
            ("::", NEVER),
            ("fe80::1", NEVER),
            ("febf::1", NEVER),
            ("ff02::1", NEVER),
            ("fd00:ec2::254", NEVER),
            ("fd00:ec2::23", NEVER),
            ("fd20:ce::254", NEVER),
            ("fd00:42::42", NEVER),
            ("::ffff:169.254.169.254", NEVER),
            ("::ffff:0.0.0.0", NEVER),
            ("::169.254.169.254", NEVER),
            ("64:ff9b::169.254.169.254", NEVER),
            ("2002:a9fe:a9fe::1", NEVER),
            ("127.0.0.1", IF_LOOPBACK),
            ("127.255.255.254", IF_LOOPBACK),
            ("::1", IF_LOOPBACK),
            ("::ffff:127.0.0.1", IF_LOOPBACK),
            ("64:ff9b::7f00:1", IF_LOOPBACK),
            ("10.0.0.1", ALWAYS),
            ("100.100.100.201", ALWAYS),
            ("203.0.113.7", ALWAYS),
            ("::ffff:10.0.0.1", ALWAYS),
            ("2001:db8::1", ALWAYS),
            ("fd00:ec3::254", ALWAYS),
            ("fc00::1", ALWAYS),
        ] {
            let judged = [false, true].map(|allow_loopback| {
                AddressPolicy { allow_loopback }.allows(address.parse().expect(address))
            });
            assert_eq!(judged, expected, "{address}");
        }
    }
}
