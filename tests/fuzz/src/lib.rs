//! Coverage-guided fuzzing of the component inside its sandbox, of the core, and of what reads drives.
//!
//! A target of the sandbox decodes the fuzzer's bytes ([`input`]) into objects ([`samples`], [`edit`]),
//! a host that may misbehave ([`world`]) and a call. Component and native core get the same of each
//! ([`twin`]) and must agree on the answer and on everything they asked of their host; then come the
//! target's own rules. What breaks one panics, which libFuzzer takes for a finding.
//!
//! libFuzzer sees what code ran inside the sandbox because the component that is fuzzed counts its
//! branches and hands the counters out ([`counters`]).
//!
//! Drives are read natively: the component that does so in the sandbox is the same code ([`drives`]).
// A panic is how a target reports a finding.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

extern crate alloc;

#[cfg(feature = "sandbox")]
pub mod budget;
#[cfg(feature = "sandbox")]
pub mod contract;
#[cfg(feature = "sandbox")]
mod convert;
#[cfg(feature = "sandbox")]
pub mod counters;
pub mod drives;
#[cfg(feature = "sandbox")]
pub mod edit;
#[cfg(feature = "sandbox")]
pub mod honest;
#[cfg(feature = "sandbox")]
pub mod input;
#[cfg(feature = "sandbox")]
mod lend;
#[cfg(feature = "sandbox")]
mod message_pack;
#[cfg(feature = "sandbox")]
pub mod mutate;
#[cfg(feature = "sandbox")]
pub mod native;
pub mod one_key;
#[cfg(feature = "sandbox")]
pub mod samples;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "sandbox")]
pub mod twin;
#[cfg(feature = "sandbox")]
pub mod world;
