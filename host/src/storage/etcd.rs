//! The store in etcd, where MinIO keeps its IAM if it is told to.
//!
//! **Nobody else's keys are touched.** A path is the rest of a key after the store's prefix, which is
//! taken to the letter as MinIO takes it, so the listing of `config/` begins and ends exactly there.
//!
//! **Nothing is lost.** New bytes are written to a draft and read back before the object is touched;
//! one transaction then compares the object's revision with the one that was read, replaces it, and
//! removes the draft. The object keeps its lease with the time that remains. An answer that is lost is
//! asked for again, at each node in turn; what happened is then learnt from the object itself. So a
//! cluster that loses a node goes on, and one that loses most of them ends in an error.
//!
//! Drafts are under `iamseal-draft/` below the prefix, which takes up to twice the room of a batch of
//! objects for a while. They hang on a lease, so those of a killed run vanish after half an hour;
//! [`Store::sweep`](super::Store::sweep) removes them after a quarter. Those of a lease that could not be ended
//! are known ([`Store::abandoned`](super::Store::abandoned)).
//!
//! Every call needs a tokio runtime.

mod address;
mod changes;
mod client;
mod commit;
mod connect;
mod cursor;
mod draft;
mod errors;
#[doc(hidden)] // It says why.
pub mod faults;
mod keys;
mod lease;
mod messages;
mod open_error;
mod store;
mod sweep;

pub use self::address::Address;
pub use self::open_error::OpenError;
pub use self::store::EtcdStore;
