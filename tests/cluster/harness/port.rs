//! Ports that stay free while nobody listens on them.
//!
//! In: nothing. Out: loopback ports below those that systems give to outgoing connections (32768 on Linux, 49152
//! elsewhere), so that a server can be stopped and started again on its port without anyone having taken it meanwhile.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// The loopback address with a port that nobody listens on, and that this process gives out once.
///
/// # Panics
///
/// If all are taken.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Runs at the same time start at different places.
    let offset = std::process::id().wrapping_mul(61);
    for _ in 0..COUNT {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(offset) % COUNT;
        let port = u16::try_from(FIRST + number).expect("ports end below 65536");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port")
}
