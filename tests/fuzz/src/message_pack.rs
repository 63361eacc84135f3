//! The data key as KES wrote it for two years, which neither the vectors nor the core's own objects have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_tests::objects::{join, split};
use serde_json::Value;

/// docs/formats/minio.md section 3.2: a binary data key ends in its iv and its nonce.
const IV: usize = 16;
const NONCE: usize = 12;
/// A sealed data key of 32 bytes.
const BINARY: usize = 32 + 16 + IV + NONCE;

/// The same object with its binary data key in MessagePack; none if it has no binary one.
pub fn in_message_pack(stored: &[u8]) -> Option<Vec<u8>> {
    let (metadata, body) = split(stored);
    let mut fields: Value = serde_json::from_slice(metadata).ok()?;
    let data_key = STANDARD.decode(fields["kmskey"].as_str()?).ok()?;
    if data_key.len() != BINARY || data_key.starts_with(b"{") {
        return None;
    }
    let (rest, nonce) = data_key.split_at(BINARY - NONCE);
    let (sealed, iv) = rest.split_at(rest.len() - IV);
    let mut text = vec![0x95];
    let (cipher, id) = (b"AES256-GCM_SHA256", [b'1'; 32]);
    text.extend([&[0xa0 | cipher.len() as u8], &cipher[..]].concat());
    text.extend([&[0xd9, id.len() as u8], &id[..]].concat());
    for part in [iv, nonce, sealed] {
        text.extend([&[0xc4, part.len() as u8], part].concat());
    }
    fields["kmskey"] = STANDARD.encode(text).into();
    Some(join(fields.to_string().as_bytes(), body))
}
