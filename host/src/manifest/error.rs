//! Why a manifest is not read or written.

use std::io;

use crate::error::Error;

/// Why a manifest was not read or written. What is refused is refused whole: no part of it is used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The system does not let it be read or written.
    #[error("cannot {action} it: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a link, a device, a pipe.
    #[error("it is no plain file")]
    NotAFile,
    /// The file is something else.
    #[error("it is no manifest")]
    NotAManifest,
    /// A manifest of a version that this one does not know.
    #[error("it is a manifest of version {0}, which this iamseal does not know")]
    UnknownVersion(u8),
    /// The file ends before the manifest does.
    #[error("it was cut short")]
    CutShort,
    /// The file goes on after the manifest.
    #[error("something follows after its end")]
    Trailing,
    /// A part cannot be as long as it says.
    #[error("its part {part} of {parts} says that it has {length} bytes")]
    PartLength {
        /// Which part, from 1.
        part: u32,
        /// Of how many.
        parts: u32,
        /// The length that it gives itself.
        length: u32,
    },
    /// A part does not open: a wrong key or store name, or it was changed, moved or taken from another
    /// manifest.
    #[error("its part {part} of {parts} does not open: {error}")]
    Part {
        /// Which part, from 1.
        part: u32,
        /// Of how many.
        parts: u32,
        /// What the plugin says of it.
        #[source]
        error: Error,
    },
    /// It opens, and is not what a manifest holds.
    #[error("what it holds is no manifest: {0}")]
    Malformed(String),
    /// It is for a store of another name than the plugin's.
    #[error("it is the manifest of the store named {found:?}, not of {expected:?}")]
    OtherStore {
        /// The name that the plugin has for its store.
        expected: String,
        /// The manifest's name for it.
        found: String,
    },
    /// It is older than is acceptable: an older manifest was put in its place.
    #[error("it is of epoch {epoch}, and at least {at_least} is asked for")]
    TooOld {
        /// Its epoch.
        epoch: u64,
        /// The least acceptable.
        at_least: u64,
    },
    /// It was not written, since the file is not the one that was read: somebody else wrote it
    /// meanwhile, or it was removed or put back.
    #[error("it is not the one that was read: {}", epochs(*read, *found))]
    Conflict {
        /// The epoch that was read; 0: there was no file.
        read: u64,
        /// The epoch that the file says it has; none: there is no file.
        found: Option<u64>,
    },
    /// Another process keeps its folder locked.
    #[error("another process has kept its folder locked for {0} s")]
    Locked(u64),
    /// The plugin did not seal it.
    #[error("it cannot be sealed: {0}")]
    Seal(#[source] Error),
}

fn epochs(read: u64, found: Option<u64>) -> String {
    match (read, found) {
        (0, _) => "there is one now".into(),
        (read, None) => format!("that of epoch {read} is gone"),
        (read, Some(found)) if read == found => format!("another one of epoch {read} is there"),
        (read, Some(found)) => format!("epoch {read} was read, {found} is there"),
    }
}
