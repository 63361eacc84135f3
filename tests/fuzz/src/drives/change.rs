//! Changing the files of drives as the fuzzer's bytes say.
//!
//! `[kind × 4 + drive] [file] [what the kind asks for] …` until the bytes end.

use std::ops::Range;

use xxhash_rust::xxh64::xxh64;

use super::Drives;

/// How a file can be changed.
pub const KINDS: u8 = 8;

/// Where the block of an `xl.meta` begins: after its head, the marker of bytes, and their length.
const BLOCK: usize = 13;

/// Changes files, and says which drives were changed.
pub fn all(drives: &Drives, mut input: &[u8]) -> Vec<usize> {
    let mut changed = Vec::new();
    while let [what, file, rest @ ..] = input {
        input = rest;
        let drive = usize::from(what % 4) % drives.count();
        let paths = drives.paths(drive);
        if paths.is_empty() {
            break;
        }
        let path = &paths[usize::from(*file) % paths.len()];
        one(drives, drive, path, what / 4 % KINDS, &mut input);
        changed.push(drive);
    }
    changed.sort_unstable();
    changed.dedup();
    changed
}

fn one(drives: &Drives, drive: usize, path: &[u8], kind: u8, input: &mut &[u8]) {
    let mut bytes = drives.file(drive, path).unwrap_or_default();
    let end = bytes.len();
    match kind {
        // A bit flips, as on a disk.
        0 => {
            let at = place(input, end);
            let bit = byte(input) % 8;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        // Somebody writes what he likes, who can reckon checksums.
        1 => {
            let at = place(input, end);
            let new = short(input);
            let until = end.min(at + new.len());
            bytes.splice(at..until, new.iter().copied());
            right(&mut bytes);
        }
        2 => bytes.truncate(place(input, end)),
        3 => {
            let gone = piece(input, end);
            drop(bytes.drain(gone));
            right(&mut bytes);
        }
        4 => return drives.take(drive, path),
        // With all that is beside it.
        5 => {
            let folder = path.iter().rposition(|byte| *byte == b'/');
            return drives.take(drive, &path[..folder.unwrap_or(path.len())]);
        }
        // Another file of that drive takes its place.
        6 => {
            let paths = drives.paths(drive);
            let other = &paths[usize::from(byte(input)) % paths.len()];
            bytes = drives.file(drive, other).unwrap_or_default();
        }
        // A file that was not there, beside it.
        _ => {
            let folder = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            let new = [&path[..folder], b"/", short(input)].concat();
            return drives.put(drive, &new, &bytes);
        }
    }
    drives.put(drive, path, &bytes);
}

/// Puts the checksum of an `xl.meta` right, where there is one; says whether there was.
pub fn right(meta: &mut [u8]) -> bool {
    let Some(length) = meta.get(BLOCK - 4..BLOCK) else {
        return false;
    };
    let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
    // The marker of a number of four bytes stands before it.
    let Some(end) = BLOCK
        .checked_add(length)
        .filter(|end| end + 5 <= meta.len())
    else {
        return false;
    };
    let checksum = xxh64(&meta[BLOCK..end], 0) as u32;
    meta[end + 1..end + 5].copy_from_slice(&checksum.to_be_bytes());
    true
}

fn byte(input: &mut &[u8]) -> u8 {
    let first = input.split_off_first();
    first.copied().unwrap_or_default()
}

fn short<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let size = input.len().min(usize::from(byte(input) % 32));
    input.split_off(..size).unwrap_or_default()
}

fn place(input: &mut &[u8], end: usize) -> usize {
    let at = usize::from(u16::from_le_bytes([byte(input), byte(input)]));
    at % (end + 1)
}

fn piece(input: &mut &[u8], end: usize) -> Range<usize> {
    let at = place(input, end);
    at..end.min(at + usize::from(byte(input)))
}
