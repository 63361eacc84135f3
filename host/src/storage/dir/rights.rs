//! Who may do what with a file, as a value: its owner, its mode, and its extended attributes, among
//! which Linux keeps access control lists, security labels and capabilities.
//!
//! A draft is given all that its object has, in two steps. [`Rights::prepare`] comes before the
//! bytes: the draft belongs to whom the object belongs to, and nobody else may open it. In
//! [`Rights::give`] it gets the object's access control list and mode. That comes with the commit,
//! and after the bytes also because writing takes set-id bits and capabilities away.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;

use sha2::{Digest as _, Sha256};

use super::disk::File;
use super::errors::{refused, shown};
use super::stamp::hex;
use crate::contract::StorageError;

/// The mode of a draft: its owner's alone.
pub(super) const CLOSED: u32 = 0o600;
/// The mode bits that are carried over: permissions, set-id and sticky.
const MODE: u32 = 0o7777;
/// Those of them that a file has in common with the files beside it.
const PERMISSIONS: u32 = 0o777;
/// The same of a folder, where running means entering.
const READ_AND_WRITE: u32 = 0o666;
/// What access control lists begin with: `system.posix_acl_access`, `system.nfs4_acl`.
const SYSTEM: &[u8] = b"system.";
/// The only list that can be taken off a file.
const POSIX_ACL: &[u8] = b"system.posix_acl_access";
/// How the list ends that a folder has for what is made in it.
const DEFAULT: &[u8] = b"_default";
/// What labels begin with that security modules give.
const SECURITY: &[u8] = b"security.";
/// Lost when the file is written to, as set-id bits are.
const CAPABILITY: &[u8] = b"security.capability";
/// Digests of the file that the kernel makes itself. Those of other bytes would make it unreadable.
const OF_THE_BYTES: [&[u8]; 2] = [b"security.ima", b"security.evm"];

/// The rights of one file. Equal values give everybody the same rights.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Rights {
    user: u32,
    group: u32,
    mode: u32,
    attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What a file could not be given, and why.
#[derive(Debug)]
pub(super) struct NotGiven {
    what: String,
    why: io::Error,
}

impl Rights {
    /// Those of an open file. A file system that knows no extended attributes has none of them; the
    /// system shows `trusted.` ones to root alone.
    pub fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let mut attributes = file.attributes()?;
        attributes.retain(|name, _| !OF_THE_BYTES.contains(&name.as_slice()));
        Ok(Self {
            user: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & MODE,
            attributes,
        })
    }

    /// Makes an empty file of this user's ready for bytes that are for holders of these rights:
    /// gives it their owner and attributes, but keeps it closed to everybody else.
    ///
    /// # Errors
    /// What it cannot be given, such as an owner by anybody but root.
    pub fn prepare(&self, file: &File) -> Result<(), NotGiven> {
        let now = Self::of(file).map_err(unreadable)?;
        // A folder's default list may have opened the file to somebody.
        if now.attributes.keys().any(|name| name.starts_with(SYSTEM)) || now.mode != CLOSED {
            if now.attributes.contains_key(POSIX_ACL) {
                set(file, POSIX_ACL, None)?;
            }
            set_mode(file, CLOSED)?;
        }
        if (now.user, now.group) != (self.user, self.group) {
            let owner = file.set_owner(self.user, self.group);
            owner
                .map_err(|why| NotGiven::new(format!("owner {}:{}", self.user, self.group), why))?;
        }
        self.set_attributes(file, &now, |name| !is_late(name))
    }

    /// Gives a file that was prepared all of these rights, and sees that it has exactly them.
    ///
    /// # Errors
    /// What it cannot be given, or does not have although the system said that it was given.
    pub fn give(&self, file: &File) -> Result<(), NotGiven> {
        let now = Self::of(file).map_err(unreadable)?;
        self.set_attributes(file, &now, |name| name.starts_with(SYSTEM))?;
        // After the list, which sets permission bits of its own.
        let mode = file.metadata().map_err(unreadable)?.mode() & MODE;
        if mode != self.mode {
            set_mode(file, self.mode)?;
        }
        self.set_attributes(file, &now, |name| name == CAPABILITY)?;
        match self.difference(&Self::of(file).map_err(unreadable)?) {
            None => Ok(()),
            Some(what) => Err(NotGiven::new(
                what,
                io::Error::other("the file system changed it"),
            )),
        }
    }

    /// Sets those attributes of a file that has `now` which are `wanted` and other than here.
    fn set_attributes(
        &self,
        file: &File,
        now: &Self,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<(), NotGiven> {
        for (name, value) in &self.attributes {
            if wanted(name) && now.attributes.get(name) != Some(value) {
                set(file, name, Some(value))?;
            }
        }
        for name in now.attributes.keys() {
            if wanted(name) && !self.attributes.contains_key(name) {
                set(file, name, None)?;
            }
        }
        Ok(())
    }

    /// The mode bits that are carried over.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// Those of a new file beside one with these: its owner, its permissions and its list, but nothing that
    /// was given to that file alone.
    pub fn of_neighbour(mut self) -> Self {
        self.mode &= PERMISSIONS;
        self.attributes
            .retain(|name, _| is_shared(name) && !name.ends_with(DEFAULT));
        self
    }

    /// Those of a new file in a folder with these that has no file to go by.
    pub fn of_folder(self) -> Self {
        let mut rights = self.of_neighbour();
        rights.mode &= READ_AND_WRITE;
        // Which of a folder's list is for its files, its bits for running do not say.
        rights
            .attributes
            .retain(|name, _| !name.starts_with(SYSTEM));
        rights
    }

    /// As bytes, which [`Self::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.user, self.group, self.mode] {
            bytes.extend(number.to_le_bytes());
        }
        for text in self
            .attributes
            .iter()
            .flat_map(|(name, value)| [name, value])
        {
            // The system takes none of 4 GiB.
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(text);
        }
        bytes
    }

    /// None: no store made these bytes.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let number = |bytes: &mut &[u8]| {
            let (number, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            Some(u32::from_le_bytes(*number))
        };
        let mut rights = Self {
            user: number(&mut bytes)?,
            group: number(&mut bytes)?,
            mode: number(&mut bytes)? & MODE,
            attributes: BTreeMap::new(),
        };
        while !bytes.is_empty() {
            let mut text = || {
                let length = number(&mut bytes)?;
                let (text, rest) = bytes.split_at_checked(length as usize)?;
                bytes = rest;
                Some(text.to_vec())
            };
            let (name, value) = (text()?, text()?);
            rights.attributes.insert(name, value);
        }
        Some(rights)
    }

    /// A tag of 64 bits: who sees the same one sees the same rights.
    pub fn tag(&self) -> String {
        let mut digest = Sha256::new();
        for number in [self.user, self.group, self.mode] {
            digest.update(number.to_le_bytes());
        }
        for (name, value) in &self.attributes {
            for text in [name, value] {
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text);
            }
        }
        hex(&digest.finalize(), 8)
    }

    /// The first thing that is other than here.
    fn difference(&self, other: &Self) -> Option<String> {
        if (self.user, self.group) != (other.user, other.group) {
            return Some(format!("owner {}:{}", self.user, self.group));
        }
        let names = self.attributes.keys().chain(other.attributes.keys());
        let differs = |name: &&Vec<u8>| self.attributes.get(*name) != other.attributes.get(*name);
        let attribute = names.into_iter().find(differs);
        attribute.map(|name| named(name)).or_else(|| {
            let differs = self.mode != other.mode;
            differs.then(|| format!("mode {:04o}", self.mode))
        })
    }
}

impl NotGiven {
    fn new(what: String, why: io::Error) -> Self {
        Self { what, why }
    }

    /// The same of an object, which is left alone for it.
    pub fn of(&self, path: &[u8]) -> StorageError {
        let Self { what, why } = self;
        let text = format!(
            "the permissions of {} cannot be kept: its {what}: {why}",
            shown(path)
        );
        match why.kind() {
            ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::Other => {
                refused(text)
            }
            // A disk that is full or broken says nothing of the object.
            _ => StorageError::Other(text),
        }
    }
}

/// Whether the files of a folder have an attribute in common.
fn is_shared(name: &[u8]) -> bool {
    name.starts_with(SYSTEM) || (name.starts_with(SECURITY) && name != CAPABILITY)
}

/// Whether an attribute waits for the commit.
fn is_late(name: &[u8]) -> bool {
    name.starts_with(SYSTEM) || name == CAPABILITY
}

fn set(file: &File, name: &[u8], value: Option<&[u8]>) -> Result<(), NotGiven> {
    let done = file.set_attribute(name, value);
    done.map_err(|why| NotGiven::new(named(name), why))
}

fn set_mode(file: &File, mode: u32) -> Result<(), NotGiven> {
    let done = file.set_mode(mode);
    done.map_err(|why| NotGiven::new(format!("mode {mode:04o}"), why))
}

fn named(name: &[u8]) -> String {
    match name {
        POSIX_ACL => "access control list".into(),
        name => format!("attribute {}", shown(name)),
    }
}

fn unreadable(why: io::Error) -> NotGiven {
    NotGiven::new("permissions".into(), why)
}

#[cfg(test)]
mod tests;
