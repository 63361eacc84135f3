//! The library with the real component, and with components that mean harm.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod background;
mod instances;
mod leaks;
mod limits;
mod loading;
mod manifest_file;
mod nonsense;
mod reach;
mod sealed_store;
mod slot;
mod stopped;
