//! What the tests share: keyrings, stores, both ways to run the core, and the readers of vectors.
//!
//! Every test of behaviour runs twice where it can, once with the core compiled natively and once
//! through the component, and expects the same of both.
// Helpers of tests may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

pub mod backend;
pub mod bridge;
pub mod compact_vectors;
pub mod component;
pub mod conversation;
pub mod convert;
mod data_key;
pub mod errors;
pub mod host_store;
pub mod hostile;
pub mod keys;
pub mod lent;
pub mod machine;
pub mod objects;
pub mod other_host;
pub mod peer;
pub mod runtime;
pub mod samples;
pub mod service;
pub mod store;
pub mod trick;
pub mod vectors;

/// The README's example, so that it goes on compiling.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// The examples for servers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub struct Embedding;
