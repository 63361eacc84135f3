//! Every system call of the store.
//!
//! Whatever is done inside a folder is done relative to it, by a single name, and no call follows a
//! symbolic link. Names come from a `Place` of the rules or from the folder itself and hold no `/`.

use iamseal_words::folder::Kind;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// An open folder.
pub struct Folder {
    folder: Descriptor,
    /// What it, and each folder that is opened in it, is open for.
    uses: DescriptorFlags,
}

impl Folder {
    /// A folder that was opened for these uses.
    pub fn new(folder: Descriptor, uses: DescriptorFlags) -> Self {
        Self { folder, uses }
    }

    /// Opens a folder in this one; `.` is this one, opened anew.
    pub fn folder(&self, name: &[u8]) -> Result<Self, ErrorCode> {
        let folder = self.open_at(name, OpenFlags::DIRECTORY, self.uses)?;
        Ok(Self::new(folder, self.uses))
    }

    /// What stands under a name, a link being a link.
    pub fn kind(&self, name: &[u8]) -> Result<Kind, ErrorCode> {
        let stat = self.folder.stat_at(PathFlags::empty(), text(name)?)?;
        Ok(kind(stat.type_))
    }

    /// Everything in this folder, in the system's order. Names that are not UTF-8 are one entry, whose
    /// name is empty.
    pub fn entries(&self) -> Result<Vec<(Vec<u8>, Kind)>, ErrorCode> {
        let stream = self.folder.read_directory()?;
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
        self.folder.rename_at(text(from)?, &self.folder, text(to)?)
    }

    /// Removes a file.
    pub fn remove(&self, name: &[u8]) -> Result<(), ErrorCode> {
        self.folder.unlink_file_at(text(name)?)
    }

    /// Makes the names in this folder durable.
    pub fn sync(&self) -> Result<(), ErrorCode> {
        self.folder.sync()
    }

    /// Whether both are the same folder of the same file system.
    pub fn is(&self, other: &Self) -> bool {
        self.folder.is_same_object(&other.folder)
    }

    fn open_at(
        &self,
        name: &[u8],
        how: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, ErrorCode> {
        self.folder
            .open_at(PathFlags::empty(), text(name)?, how, flags)
    }
}

/// Whether it is a plain file.
pub fn is_file(stat: &DescriptorStat) -> bool {
    stat.type_ == DescriptorType::RegularFile
}

fn text(name: &[u8]) -> Result<&str, ErrorCode> {
    std::str::from_utf8(name).map_err(|_| ErrorCode::IllegalByteSequence)
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
