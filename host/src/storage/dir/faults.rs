//! For tests: a look at every system call of a store before it is made, and the power to let it fail.
//!
//! Hidden from the documentation, since only a proof of what the store survives has a use for it.
//! No Cargo feature either: what is tested is the store that ships, and asking whether there is
//! anybody to be told costs nothing beside a system call.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// A call that the store is about to make. Those that change the disk say what they change.
#[derive(Clone, Copy)]
pub enum Call<'a> {
    /// Opens a folder.
    OpenFolder,
    /// Reads a folder's names.
    List,
    /// Asks what stands under a name or what was opened.
    Look,
    /// Opens a file for reading.
    Open,
    /// Reads a file to its end.
    Read,
    /// Locks a file or a folder.
    Lock,
    /// Makes a file that is not there.
    Create {
        /// Where.
        folder: BorrowedFd<'a>,
        /// Its name.
        name: &'a [u8],
    },
    /// Writes at the end of a file.
    Write {
        /// The file, open for writing.
        file: BorrowedFd<'a>,
        /// What is written.
        bytes: &'a [u8],
    },
    /// Gives a file to another owner.
    SetOwner {
        /// The file.
        file: BorrowedFd<'a>,
        /// Its user.
        user: u32,
    },
    /// Sets a file's mode.
    SetMode {
        /// The file.
        file: BorrowedFd<'a>,
        /// Its mode bits.
        mode: u32,
    },
    /// Sets the time of a file's last write.
    SetTime,
    /// Sets an extended attribute of a file, such as its access control list, or takes it off.
    SetAttribute {
        /// The file.
        file: BorrowedFd<'a>,
        /// The attribute's name.
        name: &'a [u8],
        /// What it is to be, unless it is taken off.
        value: Option<&'a [u8]>,
    },
    /// Makes a file's bytes, mode and attributes durable, but not its name.
    SyncFile {
        /// The file.
        file: BorrowedFd<'a>,
    },
    /// Gives a file another name, whose file goes if there is one.
    Rename {
        /// Where both names are.
        folder: BorrowedFd<'a>,
        /// The old name.
        from: &'a [u8],
        /// The new name.
        to: &'a [u8],
    },
    /// Gives a file another name if nothing has it.
    RenameNew {
        /// Where both names are.
        folder: BorrowedFd<'a>,
        /// The old name.
        from: &'a [u8],
        /// The new name.
        to: &'a [u8],
    },
    /// Gives a file a second name if nothing has it.
    Link {
        /// Where both names are.
        folder: BorrowedFd<'a>,
        /// The name that it has.
        from: &'a [u8],
        /// The second one.
        to: &'a [u8],
    },
    /// Exchanges what stands under two names.
    Exchange {
        /// Where both names are.
        folder: BorrowedFd<'a>,
        /// The one.
        one: &'a [u8],
        /// The other.
        other: &'a [u8],
    },
    /// Removes a file.
    Remove {
        /// Where.
        folder: BorrowedFd<'a>,
        /// Its name.
        name: &'a [u8],
    },
    /// Makes the names in a folder durable.
    SyncFolder {
        /// The folder.
        folder: BorrowedFd<'a>,
    },
    /// Makes a folder.
    MakeFolder {
        /// Where.
        folder: BorrowedFd<'a>,
        /// Its name.
        name: &'a [u8],
    },
    /// Removes a folder that is empty.
    RemoveFolder {
        /// Where.
        folder: BorrowedFd<'a>,
        /// Its name.
        name: &'a [u8],
    },
    /// Moves a file or folder to another folder. Stores in folders do not, nor what is below.
    Move,
    /// Makes a whole file system durable.
    SyncFileSystem,
}

/// Somebody who is told.
pub trait Faults: Send + Sync {
    /// Called before each call of the store, on the thread that makes it. A store that is watched
    /// works on one thread alone, so that its calls come in the same order every time.
    ///
    /// # Errors
    /// What the call is to fail with; it is not made then.
    fn before(&self, call: Call<'_>) -> io::Result<()>;
}

/// Whoever is told of a store's calls, usually nobody.
#[derive(Clone, Default)]
pub(crate) struct Watch(Option<Arc<dyn Faults>>);

impl Watch {
    pub fn by(faults: Arc<dyn Faults>) -> Self {
        Self(Some(faults))
    }

    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub fn before(&self, call: Call<'_>) -> io::Result<()> {
        match &self.0 {
            Some(faults) => faults.before(call),
            None => Ok(()),
        }
    }
}
