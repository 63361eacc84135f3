//! Ports that nobody listens on.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that Linux gives to outgoing connections, which could take a port between here and the
/// server's start.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port on loopback that is free now. Processes begin at places of their own and go on from there, so
/// that two tests that start servers at once get different ports.
///
/// # Panics
/// If none is free.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Neighbours in the order of processes begin far from each other.
    let begin = std::process::id().wrapping_mul(97) as u16;
    (0..COUNT)
        .map(|_| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
        .map(|number| FIRST + number % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("no port is free")
}
