//! Bad input gets its own clear error, natively and through the component, and never opens.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod cut;
mod data_key;
mod flip;
mod metadata;
mod options;
mod place;
mod samples;
mod size;
mod varint;
