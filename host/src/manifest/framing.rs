//! The file around the sealed parts of a manifest.
//!
//! ```text
//! "iamseal-manifest" ‖ version 1 ‖ epoch u64 ‖ save id, 16 random bytes ‖ number of parts u32
//! then for each part: its length u32 ‖ a sealed object in the compact form
//! ```
//!
//! Numbers are big-endian. Nothing vouches for this head, but each part is sealed at a path that has all
//! of it in it, so that no part opens behind another head or in another place. The save id tells two
//! manifests of the same epoch apart.

use std::io::{self, Read};

use super::error::ManifestError;

const NAME: &[u8; 16] = b"iamseal-manifest";
const VERSION: u8 = 1;

/// Random bytes that tell one save from every other.
pub(super) type SaveId = [u8; 16];

/// What comes before the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub epoch: u64,
    pub save: SaveId,
    pub parts: u32,
}

impl Head {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = NAME.to_vec();
        bytes.push(VERSION);
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.save);
        bytes.extend(self.parts.to_be_bytes());
        bytes
    }

    /// # Errors
    /// `NotAManifest`, `UnknownVersion`, `CutShort`, `Io`.
    pub fn read(from: &mut impl Read) -> Result<Self, ManifestError> {
        let name = match array(from) {
            // Less than a name is another file, an empty one for instance.
            Err(ManifestError::CutShort) => return Err(ManifestError::NotAManifest),
            other => other?,
        };
        if name != *NAME {
            return Err(ManifestError::NotAManifest);
        }
        let [version] = array(from)?;
        if version != VERSION {
            return Err(ManifestError::UnknownVersion(version));
        }
        Ok(Self {
            epoch: u64::from_be_bytes(array(from)?),
            save: array(from)?,
            parts: u32::from_be_bytes(array(from)?),
        })
    }

    /// The path that part `part`, from 1, is sealed at. Outside config/, so that no object of a server
    /// can be taken for one.
    pub fn path(&self, part: u32) -> Vec<u8> {
        let (epoch, save) = (self.epoch, u128::from_be_bytes(self.save));
        let parts = self.parts;
        format!("iamseal/manifest/{epoch}/{save:032x}/{part}-of-{parts}").into_bytes()
    }
}

/// What precedes a part of these bytes.
pub(super) fn length(part: &[u8]) -> io::Result<[u8; 4]> {
    let length = u32::try_from(part.len()).map_err(io::Error::other)?;
    Ok(length.to_be_bytes())
}

/// Reads part `part` of `parts`, which has at most `limit` bytes. Its length is believed only as far as
/// there are bytes.
///
/// # Errors
/// `CutShort`, `PartLength`, `Io`.
pub(super) fn read_part(
    from: &mut impl Read,
    (part, parts): (u32, u32),
    limit: usize,
) -> Result<Vec<u8>, ManifestError> {
    let length = u32::from_be_bytes(array(from)?);
    if length as usize > limit {
        return Err(ManifestError::PartLength {
            part,
            parts,
            length,
        });
    }
    let mut bytes = Vec::new();
    from.take(u64::from(length))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() < length as usize {
        return Err(ManifestError::CutShort);
    }
    Ok(bytes)
}

/// # Errors
/// `Trailing`, if there is anything more.
pub(super) fn read_end(from: &mut impl Read) -> Result<(), ManifestError> {
    match from.read(&mut [0]).map_err(unreadable)? {
        0 => Ok(()),
        _ => Err(ManifestError::Trailing),
    }
}

fn array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], ManifestError> {
    let mut bytes = [0; N];
    match from.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ManifestError::CutShort),
        Err(error) => Err(unreadable(error)),
    }
}

fn unreadable(source: io::Error) -> ManifestError {
    ManifestError::Io {
        action: "read",
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head {
        epoch: 258,
        save: [0xab; 16],
        parts: 3,
    };

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let bytes = HEAD.encode();
        assert_eq!(Head::read(&mut bytes.as_slice()).unwrap(), HEAD);
        let path = format!("iamseal/manifest/258/{}/2-of-3", "ab".repeat(16));
        assert_eq!(HEAD.path(2), path.as_bytes());
    }

    #[test]
    fn a_head_that_is_cut_or_anothers_is_told() {
        let bytes = HEAD.encode();
        for end in 0..bytes.len() {
            let error = Head::read(&mut &bytes[..end]).unwrap_err();
            let fits = match end {
                0..16 => matches!(error, ManifestError::NotAManifest),
                _ => matches!(error, ManifestError::CutShort),
            };
            assert!(fits, "{end}: {error}");
        }
        let other = [NAME, &bytes[..]].concat();
        let error = Head::read(&mut other.as_slice()).unwrap_err();
        assert!(matches!(error, ManifestError::UnknownVersion(b'i')));
        let error = Head::read(&mut &[b'x'; 99][..]).unwrap_err();
        assert!(matches!(error, ManifestError::NotAManifest));
    }

    #[test]
    fn a_length_is_believed_only_as_far_as_there_are_bytes() {
        let read = |bytes: &[u8], limit| read_part(&mut &*bytes, (1, 1), limit);
        assert_eq!(read(b"\0\0\0\x02ab", 2).unwrap(), b"ab");
        assert_eq!(read(b"\0\0\0\0", 2).unwrap(), b"");
        let error = read(b"\0\0\0\x03abc", 2).unwrap_err();
        assert!(matches!(error, ManifestError::PartLength { length: 3, .. }));
        // Nothing of this size is allocated: it would take 4 GiB.
        let error = read(b"\xff\xff\xff\xffabc", usize::MAX).unwrap_err();
        assert!(matches!(error, ManifestError::CutShort));
        assert!(matches!(read(b"\0\0", 2), Err(ManifestError::CutShort)));
    }
}
