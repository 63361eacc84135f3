//! The tool against the servers it is made for: etcd, KES and MinIO themselves, on loopback.
#![cfg(feature = "tool")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "../reference/document.rs"]
mod document;
mod real_servers;
#[path = "../tool/mod.rs"]
mod tool;
