//! Every system call of the store.
//!
//! Whatever is done inside a folder is done relative to it, by a single name, and no call follows a
//! symbolic link. Names come from [`super::path::Place`] or from the folder itself and hold no `/`.

use alloc::vec::Vec;

use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// What stands under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// Neither; the text is for people.
    Other(&'static str),
}

/// An open folder.
pub(super) struct Folder(Descriptor);

impl Folder {
    pub fn new(folder: Descriptor) -> Self {
        Self(folder)
    }

    /// Opens a folder in this one; `.` is this one, opened anew.
    pub fn folder(&self, name: &[u8]) -> Result<Self, ErrorCode> {
        let flags = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
        self.open_at(name, OpenFlags::DIRECTORY, flags).map(Self)
    }

    /// What stands under a name, a link being a link.
    pub fn kind(&self, name: &[u8]) -> Result<Kind, ErrorCode> {
        let stat = self.0.stat_at(PathFlags::empty(), text(name)?)?;
        Ok(kind(stat.type_))
    }

    /// Everything in this folder, in the system's order. Names that are not UTF-8 are one entry, whose
    /// name is empty.
    pub fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>, ErrorCode> {
        let stream = self.0.read_directory()?;
        let mut entries = Vec::new();
        let mut has_unnamed = false;
        loop {
            match stream.read_directory_entry() {
                Ok(None) => break,
                Ok(Some(entry)) => entries.push((entry.name.into_bytes(), kind(entry.type_))),
                Err(ErrorCode::IllegalByteSequence) => has_unnamed = true,
                // It went while the host looked at it.
                Err(ErrorCode::NoEntry) => {}
                Err(error) => return Err(error),
            }
        }
        if has_unnamed {
            entries.push((Vec::new(), Kind::Other("names that are not UTF-8")));
        }
        Ok(entries)
    }

    /// Opens a file for reading.
    pub fn open(&self, name: &[u8]) -> Result<Descriptor, ErrorCode> {
        self.open_at(name, OpenFlags::empty(), DescriptorFlags::READ)
    }

    /// Makes a file that is not there yet, for writing.
    pub fn create(&self, name: &[u8]) -> Result<Descriptor, ErrorCode> {
        let how = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        self.open_at(name, how, DescriptorFlags::WRITE)
    }

    /// Puts the file `from` in the place of `to`, both in this folder, atomically.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), ErrorCode> {
        self.0.rename_at(text(from)?, &self.0, text(to)?)
    }

    /// Removes a file.
    pub fn remove(&self, name: &[u8]) -> Result<(), ErrorCode> {
        self.0.unlink_file_at(text(name)?)
    }

    /// Makes the names in this folder durable.
    pub fn sync(&self) -> Result<(), ErrorCode> {
        self.0.sync()
    }

    /// Whether both are the same folder of the same file system.
    pub fn is(&self, other: &Self) -> bool {
        self.0.is_same_object(&other.0)
    }

    fn open_at(
        &self,
        name: &[u8],
        how: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, ErrorCode> {
        self.0.open_at(PathFlags::empty(), text(name)?, how, flags)
    }
}

/// Whether it is a plain file.
pub(super) fn is_file(stat: &DescriptorStat) -> bool {
    stat.type_ == DescriptorType::RegularFile
}

fn text(name: &[u8]) -> Result<&str, ErrorCode> {
    core::str::from_utf8(name).map_err(|_| ErrorCode::IllegalByteSequence)
}

fn kind(kind: DescriptorType) -> Kind {
    match kind {
        DescriptorType::RegularFile => Kind::File,
        DescriptorType::Directory => Kind::Folder,
        DescriptorType::SymbolicLink => Kind::Other("a symbolic link"),
        DescriptorType::Fifo => Kind::Other("a named pipe"),
        DescriptorType::Socket => Kind::Other("a socket"),
        DescriptorType::BlockDevice | DescriptorType::CharacterDevice => Kind::Other("a device"),
        // Some hosts do not tell pipes and sockets.
        DescriptorType::Unknown => Kind::Other("no plain file"),
    }
}
