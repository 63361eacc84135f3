//! Changing a genuine object in one part, with the rest put right around it: the sizes fit, the base64
//! is base64. So a change inside the data key is not stopped by the JSON around it.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_tests::objects::{PREFIX, join, split};

use crate::input::Input;

/// Changes an object as the input says.
pub fn edit(input: &mut Input, mut stored: Vec<u8>) -> Vec<u8> {
    match input.below(6) {
        0 => change(input, &mut stored),
        // Where the root-credential form has its id, and the compact form its header.
        1 => {
            let head = stored.len().min(128);
            let mut changed = stored[..head].to_vec();
            change(input, &mut changed);
            stored.splice(..head, changed);
        }
        part => {
            if !is_minio(&stored) {
                change(input, &mut stored);
                return stored;
            }
            let (metadata, body) = split(&stored);
            let (mut metadata, mut body) = (metadata.to_vec(), body.to_vec());
            match part {
                2 => change(input, &mut metadata),
                3 => change_base64(input, &mut metadata, b"\"kmskey\":\""),
                4 => change_base64(input, &mut metadata, b"\"nonce\":\""),
                _ => change(input, &mut body),
            }
            stored = join(&metadata, &body);
        }
    }
    stored
}

/// Whether an object can be split as MinIO's sealed form.
pub fn is_minio(stored: &[u8]) -> bool {
    let size = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
    stored.first() == Some(&1)
        && stored[1..]
            .first_chunk()
            .is_some_and(|bytes| size(bytes) <= stored.len() - PREFIX)
}

/// Changes what stands in base64 after these bytes, up to the quote.
fn change_base64(input: &mut Input, metadata: &mut Vec<u8>, before: &[u8]) {
    let Some(at) = metadata
        .windows(before.len())
        .position(|there| there == before)
    else {
        return change(input, metadata);
    };
    let start = at + before.len();
    let end = metadata[start..].iter().position(|byte| *byte == b'"');
    let end = start + end.unwrap_or_default();
    let Ok(mut bytes) = STANDARD.decode(&metadata[start..end]) else {
        return change(input, metadata);
    };
    change(input, &mut bytes);
    metadata.splice(start..end, STANDARD.encode(bytes).into_bytes());
}

fn change(input: &mut Input, bytes: &mut Vec<u8>) {
    match input.below(7) {
        0 => {
            let at = range(input, bytes).start;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= input.byte().max(1);
            }
        }
        1 => {
            let Range { start, .. } = range(input, bytes);
            let new = input.short();
            let end = bytes.len().min(start + new.len());
            bytes.splice(start..end, new.iter().copied());
        }
        2 => drop(bytes.drain(range(input, bytes))),
        3 => {
            let Range { start, .. } = range(input, bytes);
            bytes.splice(start..start, input.short().iter().copied());
        }
        4 => bytes.truncate(range(input, bytes).start),
        5 => {
            let range = range(input, bytes);
            let again = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, again);
        }
        // Fragments change their places.
        _ => {
            let range = range(input, bytes);
            bytes[range.start..].rotate_left(range.len());
        }
    }
}

/// A part of these bytes; from place to place for small ones, up to all of it.
fn range(input: &mut Input, bytes: &[u8]) -> Range<usize> {
    let start = input.place() % (bytes.len() + 1);
    let size = usize::from(input.byte()).min(bytes.len() - start);
    start..start + size
}
