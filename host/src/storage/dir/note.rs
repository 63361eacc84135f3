//! The draft of a removal: which object it is that goes, and which version of it.
//!
//! The object is moved aside under a name that tells nothing, looked at, and removed only if it is that
//! version. For whoever finds it there after a kill, the note beside it says where it was.

use super::stamp::hex;

/// How a note begins.
const BEGIN: &[u8] = b"iamseal removal 1";

/// What a note says.
pub(super) struct Note<'a> {
    /// The version that is to go.
    pub version: &'a [u8],
    /// The tag of the rights that it has.
    pub rights: &'a [u8],
    /// The object's name in its folder.
    pub object: &'a [u8],
}

impl<'a> Note<'a> {
    /// Lines, of which the object's name is the last: it may have line breaks.
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = hex(self.version, self.version.len());
        let lines = [BEGIN, version.as_bytes(), self.rights, self.object];
        lines.join(&b'\n')
    }

    /// What the bytes of a note say, with the version in hexadecimal digits; none if they are none.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
        let is_note = lines.next() == Some(BEGIN);
        let note = Self {
            version: lines.next()?,
            rights: lines.next()?,
            object: lines.next()?,
        };
        let is_name = !note.object.is_empty() && !note.object.contains(&b'/');
        (is_note && is_name).then_some(note)
    }

    /// Whether it is about a file of this version and with rights of this tag.
    pub fn is_of(&self, version: &[u8], rights: &str) -> bool {
        self.version == hex(version, version.len()).as_bytes() && self.rights == rights.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_was_written_and_half_a_note_nothing() {
        let note = Note {
            version: &[0xab, 1],
            rights: b"0123",
            object: b"uid=a\nb.json",
        };
        let bytes = note.to_bytes();
        let read = Note::of(&bytes).unwrap();
        assert_eq!(read.object, note.object);
        assert!(read.is_of(&[0xab, 1], "0123"));
        assert!(!read.is_of(&[0xab, 2], "0123") && !read.is_of(&[0xab, 1], "0124"));
        for cut in 0..BEGIN.len() + 10 {
            assert!(Note::of(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(Note::of(b"iamseal removal 1\n00\n00\n../a").is_none());
    }
}
