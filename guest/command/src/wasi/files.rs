//! Files and folders that the operator names, below the folders that the host gave.
//!
//! Symbolic links are followed here, as everywhere that an operator names a file; the host lets none
//! lead out of the folder that it gave.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// Why a path is in no folder of the host's.
pub struct Nowhere {
    /// For people.
    pub message: String,
    /// What to do about it.
    pub cure: &'static str,
}

/// A path below one of the host's folders.
pub struct Located {
    folder: Descriptor,
    /// Below that folder; `.` for the folder itself.
    path: String,
}

/// Why a file was not read.
pub enum ReadError {
    /// What the system said.
    System(ErrorCode),
    /// It is a folder, a pipe or another thing that is no file.
    NotAFile,
    /// It has more bytes than were allowed.
    TooLarge,
}

/// Finds the host's folder that a path lies in, the deepest if there are several.
///
/// # Errors
/// No folder that the host gave holds it, or it has a part `..`.
pub fn locate(path: &str) -> Result<Located, Nowhere> {
    let wanted: Vec<&str> = parts(path).collect();
    if wanted.contains(&"..") {
        return Err(Nowhere {
            message: format!("{path} has the part `..`"),
            cure: "give the path without it",
        });
    }
    let mut best: Option<(usize, Descriptor)> = None;
    for (folder, name) in get_directories() {
        // A relative path begins in the folder `.` or at `/`, whichever was given.
        let fits = name.starts_with('/') || !path.starts_with('/');
        let name: Vec<&str> = parts(&name).collect();
        let deeper = best.as_ref().is_none_or(|(depth, _)| name.len() > *depth);
        if fits && deeper && wanted.starts_with(&name) {
            best = Some((name.len(), folder));
        }
    }
    let Some((depth, folder)) = best else {
        return Err(Nowhere {
            message: format!("{path} is in no folder that this program was given"),
            cure: "name its folder before the component: wasmtime run --dir FOLDER::/name …, then /name/…",
        });
    };
    let rest = wanted.get(depth..).unwrap_or_default().join("/");
    let path = if rest.is_empty() {
        ".".to_owned()
    } else {
        rest
    };
    Ok(Located { folder, path })
}

impl Located {
    /// Opens it as a folder for the uses of `flags`.
    ///
    /// # Errors
    /// What the system said.
    pub fn open_folder(&self, flags: DescriptorFlags) -> Result<Descriptor, ErrorCode> {
        self.folder.open_at(
            PathFlags::SYMLINK_FOLLOW,
            &self.path,
            OpenFlags::DIRECTORY,
            flags,
        )
    }

    /// Reads it as a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let follow = PathFlags::SYMLINK_FOLLOW;
        let system = ReadError::System;
        // Asked before it is opened: opening a pipe waits for its other end.
        let stat = self.folder.stat_at(follow, &self.path).map_err(system)?;
        if stat.type_ != DescriptorType::RegularFile {
            return Err(ReadError::NotAFile);
        }
        let file = self
            .folder
            .open_at(
                follow,
                &self.path,
                OpenFlags::empty(),
                DescriptorFlags::READ,
            )
            .map_err(system)?;
        let bytes = read_up_to(&file, limit.saturating_add(1)).map_err(system)?;
        if bytes.len() as u64 > limit {
            return Err(ReadError::TooLarge);
        }
        Ok(bytes)
    }
}

/// Reads a file from its beginning to its end or up to `most` bytes.
///
/// # Errors
/// What the system said.
pub fn read_up_to(file: &Descriptor, most: u64) -> Result<Vec<u8>, ErrorCode> {
    read_from(file, 0, most)
}

/// The same from an offset on.
///
/// # Errors
/// What the system said.
pub fn read_from(file: &Descriptor, offset: u64, most: u64) -> Result<Vec<u8>, ErrorCode> {
    let mut bytes = Vec::new();
    loop {
        let done = bytes.len() as u64;
        let at = offset.saturating_add(done);
        let (mut more, _) = file.read(most.saturating_sub(done), at)?;
        // Some hosts say that the end is reached only when nothing is left to read.
        if more.is_empty() {
            return Ok(bytes);
        }
        bytes.append(&mut more);
        if bytes.len() as u64 >= most {
            return Ok(bytes);
        }
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}
