//! Opening the data keys of MinIO's static key and of KES with the key at hand, without the core.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::vectors::base64;

const IV: usize = 16;
const NONCE: usize = 12;

/// Opens a data key in the binary or the JSON encoding, both with AES. None if key, data key and
/// context do not belong together.
pub(crate) fn open(key: &[u8; 32], sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
    let (iv, nonce, bytes) = match serde_json::from_slice::<Value>(sealed) {
        Ok(fields) => {
            let field = |name: &str| Some(base64(fields[name].as_str()?));
            (field("iv")?, field("nonce")?, field("bytes")?)
        }
        Err(_) => {
            let (rest, nonce) = sealed.split_last_chunk::<NONCE>()?;
            let (bytes, iv) = rest.split_last_chunk::<IV>()?;
            (iv.to_vec(), nonce.to_vec(), bytes.to_vec())
        }
    };
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(&iv);
    let aead = Aes256Gcm::new(&mac.finalize().into_bytes());
    let nonce = <[u8; NONCE]>::try_from(nonce).ok()?;
    let payload = Payload {
        msg: &bytes,
        aad: context,
    };
    aead.decrypt(&nonce.into(), payload).ok()
}
