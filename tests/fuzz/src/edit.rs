//! Changing a genuine object in one part, with the rest put right around it: the sizes fit, the base64
//! is base64. So a change inside the data key is not stopped by the JSON around it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_tests::objects::{PREFIX, join, split};

use crate::input::Input;

/// The parts of an object that an edit can be in; the last four are fields of MinIO's metadata.
pub const PARTS: usize = 8;

/// How a part can be changed.
pub const KINDS: usize = 7;

/// Changes an object in one part as the input says.
pub fn edit(input: &mut Input, part: usize, mut stored: Vec<u8>) -> Vec<u8> {
    // Where the root-credential form has its id, and the compact form its header.
    let head = stored.len().min(128);
    if part == 1 {
        let mut changed = stored[..head].to_vec();
        change(input, &mut changed);
        stored.splice(..head, changed);
        return stored;
    }
    if part == 0 || !is_minio(&stored) {
        change(input, &mut stored);
        return stored;
    }
    let (metadata, body) = split(&stored);
    let (mut metadata, mut body) = (metadata.to_vec(), body.to_vec());
    match part {
        2 => change(input, &mut metadata),
        3 => change(input, &mut body),
        4 => change_field(input, &mut metadata, b"\"keyid\":\"", false),
        5 => change_field(input, &mut metadata, b"\"kmskey\":\"", true),
        6 => change_field(input, &mut metadata, b"\"algorithm\":\"", false),
        _ => change_field(input, &mut metadata, b"\"nonce\":\"", true),
    }
    join(&metadata, &body)
}

/// Whether an object can be split as MinIO's sealed form.
pub fn is_minio(stored: &[u8]) -> bool {
    let size = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
    stored.first() == Some(&1)
        && stored[1..]
            .first_chunk()
            .is_some_and(|bytes| size(bytes) <= stored.len() - PREFIX)
}

/// Changes what stands after these bytes, up to the quote.
fn change_field(input: &mut Input, metadata: &mut Vec<u8>, before: &[u8], is_base64: bool) {
    let mut places = metadata.windows(before.len());
    let Some(at) = places.position(|there| there == before) else {
        return change(input, metadata);
    };
    let start = at + before.len();
    let end = metadata[start..].iter().position(|byte| *byte == b'"');
    let end = start + end.unwrap_or_default();
    let mut value = metadata[start..end].to_vec();
    match is_base64.then(|| STANDARD.decode(&value)) {
        Some(Ok(mut bytes)) => {
            change(input, &mut bytes);
            value = STANDARD.encode(bytes).into_bytes();
        }
        _ => change(input, &mut value),
    }
    metadata.splice(start..end, value);
}

fn change(input: &mut Input, bytes: &mut Vec<u8>) {
    let kind = input.below(KINDS);
    // From place to place for small parts, up to all of them.
    let len = bytes.len();
    let start = input.place() % (len + 1);
    let range = |input: &mut Input| {
        let size = usize::from(input.byte());
        start..start + size.min(len - start)
    };
    match kind {
        0 => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte ^= input.byte().max(1);
            }
        }
        1 => {
            let new = input.short();
            let end = bytes.len().min(start + new.len());
            bytes.splice(start..end, new.iter().copied());
        }
        2 => drop(bytes.drain(range(input))),
        3 => drop(bytes.splice(start..start, input.short().iter().copied())),
        4 => bytes.truncate(start),
        5 => {
            let range = range(input);
            let again = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, again);
        }
        // Fragments change their places.
        _ => {
            let range = range(input);
            bytes[range.start..].rotate_left(range.len());
        }
    }
}
