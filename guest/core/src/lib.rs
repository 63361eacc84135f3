//! The logic of iamseal: MinIO's at-rest forms of IAM and configuration objects, iamseal's own
//! compact form, audit and migration.
//!
//! Nothing here does I/O or knows of WebAssembly. Keys, randomness and storage are traits
//! ([`Keyring`], [`KeyMaker`], [`Random`], [`Storage`], [`StorageWriter`]) that the plugin binds
//! to its imports and the tests bind to plain data. The contract in `wit/` says what each operation
//! guarantees; the modules here say where each byte rule comes from.
//!
//! Every input may be hostile: nothing panics, recursion is bounded, and what is allocated is
//! bounded by the size of the input.
#![no_std]

extern crate alloc;

mod audit;
mod compact;
mod context;
mod contract;
mod credential;
mod error;
mod form;
mod judge;
mod keyring;
mod location;
mod migrate;
mod minio;
mod opening;
mod reason;
mod sealing;
mod session;
mod sio;
mod storage;
mod walk;

pub use audit::{Audit, Finding, Scope, Verdict};
pub use context::Context;
pub use error::{Error, KeyError, StorageError};
pub use form::{Description, Form, inspect};
pub use judge::{Content, Fault, Signer};
pub use keyring::{
    Candidate, DataKey, DataKeyEncoding, Key, KeyDerivation, KeyMaker, Keyring, Random,
    RootCandidate, RootCredential, RootKey, Secret,
};
pub use location::Location;
pub use migrate::{Outcome, Plan, Run, Step, Target};
pub use opening::{Found, Opened, Policy, unseal};
pub use reason::Reason;
pub use sealing::{SealOptions, SealedForm, seal};
pub use session::Session;
pub use sio::Cipher;
pub use storage::{Cursor, Draft, Replacement, Storage, StorageWriter, Stored, Version};
pub use walk::Shard;
