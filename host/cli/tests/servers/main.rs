//! The tool against the servers it is made for: etcd, KES and MinIO themselves, on loopback.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "../tool/reference/document.rs"]
mod document;
#[path = "../kit/mod.rs"]
mod kit;
mod real_servers;
