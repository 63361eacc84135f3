//! What a server notes on a drive that it heals: a map of MessagePack. It stays there when that is done, with
//! `Finished` true, as was seen on a real server.

use crate::files::{Drive, FileError, Files};
use crate::msgpack::{Malformed, Reader};

/// Where it is, below the system folder.
pub const FILE: &[u8] = b"buckets/.healing.bin";
/// As much of it as is read: it names the buckets that are healed.
const BYTES: u32 = 1 << 20;

/// Whether a drive is being healed, and incomplete: a server notes so in this file, and not that it is done.
pub fn is_under_way(files: &impl Files, drive: Drive, file: &[u8]) -> bool {
    match files.read(drive, file, 0, BYTES) {
        Ok(note) => !is_finished(&note.bytes).unwrap_or_default(),
        Err(FileError::NotFound) => false,
        // What it says is not known.
        Err(FileError::Failed(_)) => true,
    }
}

fn is_finished(note: &[u8]) -> Result<bool, Malformed> {
    /// MessagePack's true.
    const TRUE: &[u8] = &[0xc3];
    let mut reader = Reader::new(note);
    let mut is_finished = false;
    for _ in 0..reader.map()? {
        let name = reader.bytes()?;
        let value = reader.skip()?;
        if name == b"Finished" {
            is_finished = value == TRUE;
        }
    }
    Ok(is_finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server left on a drive that it had healed.
    const FINISHED: &[u8] = include_bytes!("../tests/healing-finished.bin");

    #[test]
    fn it_is_done_only_where_that_is_said() {
        assert_eq!(is_finished(FINISHED), Ok(true));
        let (_, not_yet) = FINISHED.split_last().unwrap();
        // False, nothing, and something else.
        for (end, says) in [
            (&[0xc2][..], Ok(false)),
            (&[], Err(Malformed)),
            (&[0x01], Ok(false)),
        ] {
            assert_eq!(is_finished(&[not_yet, end].concat()), says);
        }
        for none in [&b""[..], b"x", &[1], &[0x80]] {
            assert!(!is_finished(none).unwrap_or_default());
        }
    }
}
