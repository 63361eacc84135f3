//! MinIO's drives: an object is an `xl.meta` on each drive of a set, with a shard of the object in it or
//! beside it, and some of the shards suffice.
//!
//! [`Store`] reads objects off the drives' files, which are lent by [`Files`], and replaces them where these
//! can be written to ([`FilesWriter`]). It has no I/O and no keys. Whatever the files hold, it takes no more memory than they have, up to fixed limits; what
//! is damaged is made up for by the other drives, and named.
#![no_std]

extern crate alloc;

mod browse;
mod census;
mod change;
mod commit;
mod copy;
mod creation;
mod decode;
mod draft;
mod encode;
mod erasure;
mod file_of;
mod files;
mod folder;
mod format;
mod frames;
mod gf;
mod healing;
mod highway;
mod layout;
mod left;
mod life;
mod meta;
mod metadata;
mod missing;
mod msgpack;
mod notes;
mod object;
mod pack;
mod placement;
mod plan;
mod pool;
mod pool_copies;
mod pool_list;
mod quorum;
mod read_back;
mod removal;
mod residue;
mod signature;
mod sse;
mod stage;
mod store;
mod sweep;
mod torn;
mod versions;
mod walk;
mod writer;

pub use census::{Census, Counts, Place, Sealed, Unread};
pub use change::{Change, Creation, Removal, Replacement};
pub use draft::Draft;
pub use encode::{Renewal, Unwritable, Written, etag, set};
pub use file_of::object_of;
pub use files::{Drive, Entry, FileError, Files, Kind, Page, Part};
pub use layout::OpenError;
pub use metadata::{Need, Needed, needed};
pub use notes::Note;
pub use sse::{Encryption, Sse};
pub use stage::{WriteError, version};
pub use store::{OBJECT_BYTES, ReadError, Store};
pub use sweep::Swept;
pub use walk::Walk;
pub use writer::FilesWriter;
