//! MinIO's drives: an object is an `xl.meta` on each drive of a set, with a shard of the object in it or
//! beside it, and some of the shards suffice.
//!
//! [`Store`] reads objects off the drives' files, which are lent by [`Files`]. It has no I/O, no keys and no
//! way to write. Whatever the files hold, it takes no more memory than they have, up to fixed limits; what
//! is damaged is made up for by the other drives, and named.
#![no_std]

extern crate alloc;

mod copy;
mod decode;
mod erasure;
mod files;
mod folder;
mod format;
mod frames;
mod gf;
mod highway;
mod layout;
mod meta;
mod msgpack;
mod notes;
mod object;
mod placement;
mod pool;
mod pool_list;
mod quorum;
mod residue;
mod signature;
mod store;
mod walk;

pub use files::{Drive, Entry, FileError, Files, Kind, Page, Part};
pub use layout::OpenError;
pub use notes::Note;
pub use store::{OBJECT_BYTES, ReadError, Store};
pub use walk::Walk;
