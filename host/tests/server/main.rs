//! The example server over HTTP: documents are kept sealed, the plugin is exchanged under load, and a
//! cause has one status.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod clients;
mod dice;
mod exchange;
mod full_rate;
mod killed;
mod migrating;
mod mixture;
mod promise;
mod real_servers;
mod requests;
mod running;
mod stopping;

/// The built-in component with a custom section more: another digest, the same work.
fn edition(number: u8) -> Vec<u8> {
    let mut bytes = iamseal_component::PLUGIN.to_vec();
    bytes.extend([0, 3, 1, b'e', number]);
    bytes
}
