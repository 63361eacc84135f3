//! MinIO's sealed form, version 1 (docs/formats/minio.md section 2):
//!
//! ```text
//! 0     1 byte    version, 1
//! 1     4 bytes   LE32 L, the size of the metadata
//! 5     L bytes   JSON: keyid, kmskey, algorithm, nonce
//! 5+L             the body: a stream under the data key
//! ```

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use iamseal_data_key::base64::{self as go_base64, BASE64};
use iamseal_data_key::json;

use crate::error::{Error, Result};
use crate::keyring::Secret;
use crate::sio::{self, Cipher, SioError};

pub(crate) const VERSION: u8 = 1;
/// Version and metadata size.
const PREFIX: usize = 5;
/// MinIO's own bound.
const MAX_METADATA: usize = 1 << 20;
/// The stream nonce of both ciphers that are written.
pub(crate) const STREAM_NONCE: usize = 8;

/// A sealed object, taken apart.
pub(crate) struct Header<'a> {
    pub(crate) key: String,
    /// The encrypted data key, in whatever encoding.
    pub(crate) data_key: Vec<u8>,
    algorithm: Cow<'a, [u8]>,
    nonce: Vec<u8>,
    body: &'a [u8],
}

impl<'a> Header<'a> {
    /// Takes an object apart that begins with the version.
    ///
    /// # Errors
    /// [`Error::Malformed`], with a text that says which part and why.
    pub(crate) fn parse(stored: &'a [u8]) -> Result<Self> {
        let malformed = |text: &str| Error::Malformed(text.to_string());
        let (prefix, rest) = stored
            .split_first_chunk::<PREFIX>()
            .ok_or_else(|| malformed("it is cut short in the size of its metadata"))?;
        let [_version, size @ ..] = *prefix;
        let size = u32::from_le_bytes(size) as usize;
        if size > MAX_METADATA {
            return Err(Error::Malformed(format!(
                "its metadata is said to be {size} bytes, the most is {MAX_METADATA}"
            )));
        }
        let (metadata, body) = rest.split_at_checked(size).ok_or_else(|| {
            let there = rest.len();
            Error::Malformed(format!(
                "it is cut short: its metadata is {size} bytes, {there} are there"
            ))
        })?;
        let fields = ["keyid", "kmskey", "algorithm", "nonce"];
        let [key, data_key, algorithm, nonce] = json::read_strings(metadata, fields)
            .map_err(|error| Error::Malformed(format!("its metadata: {}", error.text())))?;
        let base64 = |text: &[u8], field: &str| {
            go_base64::decode(text)
                .ok_or_else(|| Error::Malformed(format!("its metadata: {field} is not base64")))
        };
        Ok(Self {
            key: String::from_utf8(key.into_owned())
                .map_err(|_| malformed("its metadata: keyid is not UTF-8"))?,
            data_key: base64(&data_key, "kmskey")?,
            algorithm,
            nonce: base64(&nonce, "nonce")?,
            body,
        })
    }

    /// The cipher of the body, checked against the size of the nonce.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a name that MinIO does not know, [`Error::Malformed`] for a nonce
    /// of another size.
    pub(crate) fn cipher(&self) -> Result<Cipher> {
        let cipher = Cipher::from_name(&self.algorithm).ok_or_else(|| {
            let name: String = String::from_utf8_lossy(&self.algorithm)
                .chars()
                .flat_map(char::escape_default)
                .take(32) // enough to recognise a name, too little to flood a log
                .collect();
            Error::Unsupported(format!("the cipher \"{name}\""))
        })?;
        let (size, wanted) = (self.nonce.len(), cipher.stream_nonce_size());
        if size != wanted {
            let name = cipher.name();
            return Err(Error::Malformed(format!(
                "its nonce is {size} bytes, {name} wants {wanted}"
            )));
        }
        Ok(cipher)
    }

    /// The size of what the object holds.
    ///
    /// # Errors
    /// [`Error::Malformed`] if no body has this size.
    pub(crate) fn plaintext_size(&self) -> Result<usize> {
        sio::plaintext_size(self.body.len()).ok_or_else(|| {
            Error::Malformed(format!("its body is cut short: {} bytes", self.body.len()))
        })
    }

    /// Opens the body with the opened data key.
    ///
    /// # Errors
    /// What [`cipher`](Self::cipher) and [`plaintext_size`](Self::plaintext_size) say;
    /// [`Error::Malformed`] if the data key does not fit the cipher; [`Error::BodyNotAuthentic`],
    /// [`Error::CutShort`].
    pub(crate) fn open_body(&self, data_key: &[u8]) -> Result<Secret> {
        let cipher = self.cipher()?;
        self.plaintext_size()?;
        let (size, wanted) = (data_key.len(), cipher.key_size());
        if size != wanted {
            let name = cipher.name();
            return Err(Error::Malformed(format!(
                "its opened data key is {size} bytes, {name} wants {wanted}"
            )));
        }
        sio::open(cipher, data_key, &self.nonce, self.body).map_err(|error| match error {
            SioError::NotAuthentic(_) => Error::BodyNotAuthentic,
            SioError::CutShort => Error::CutShort,
            SioError::Size => Error::Malformed("its body has no stream's size".to_string()),
        })
    }
}

/// Writes an object: `data_key` opened and, in `sealed_data_key`, encrypted under the key `key`.
///
/// # Errors
/// [`Error::Unsupported`] for a cipher that is never written.
pub(crate) fn seal(
    key: &str,
    sealed_data_key: &[u8],
    data_key: &[u8],
    cipher: Cipher,
    nonce: [u8; STREAM_NONCE],
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    // Names, punctuation and base64 take less than 256 bytes more than twice the key name and data key.
    let room = PREFIX + 2 * (key.len() + sealed_data_key.len()) + 256;
    let mut out = Vec::with_capacity(room + sio::sealed_size(plaintext.len()));
    out.extend([VERSION, 0, 0, 0, 0]);
    out.extend_from_slice(b"{\"keyid\":");
    json::write_string(&mut out, key.as_bytes());
    out.extend_from_slice(b",\"kmskey\":\"");
    out.extend_from_slice(BASE64.encode(sealed_data_key).as_bytes());
    out.extend_from_slice(b"\",\"algorithm\":\"");
    out.extend_from_slice(cipher.name().as_bytes());
    out.extend_from_slice(b"\",\"nonce\":\"");
    out.extend_from_slice(BASE64.encode(nonce).as_bytes());
    out.extend_from_slice(b"\"}");
    let size = u32::try_from(out.len() - PREFIX).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(1..PREFIX) {
        field.copy_from_slice(&size.to_le_bytes());
    }
    sio::seal(cipher, data_key, &nonce, plaintext, &mut out)
        .map_err(|_| Error::Unsupported(format!("writing {}", cipher.name())))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn object(metadata: &[u8], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(metadata.len()).unwrap();
        [&[VERSION][..], &size.to_le_bytes(), metadata, body].concat()
    }

    fn refusal(stored: &[u8]) -> String {
        match Header::parse(stored).and_then(|header| {
            header.cipher()?;
            header.plaintext_size()
        }) {
            Err(Error::Malformed(text) | Error::Unsupported(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn metadata_is_written_as_minio_writes_it() {
        let stored = seal(
            "k<é",
            b"sealed",
            &[0; 32],
            Cipher::ChaCha20Poly1305,
            [0; 8],
            b"",
        )
        .unwrap();
        let metadata = "{\"keyid\":\"k\\u003cé\",\"kmskey\":\"c2VhbGVk\",\
            \"algorithm\":\"ChaCha20-Poly1305\",\"nonce\":\"AAAAAAAAAAA=\"}";
        assert_eq!(stored[..5], [1, metadata.len() as u8, 0, 0, 0]);
        assert_eq!(&stored[5..stored.len() - 16], metadata.as_bytes());
    }

    #[test]
    fn each_damage_has_its_own_text() {
        let body = [0; 16];
        for (stored, text) in [
            (vec![1, 0, 0], "it is cut short in the size of its metadata"),
            (
                object(b"", &body),
                "its metadata: no JSON object begins at byte 0",
            ),
            (
                vec![1, 9, 0, 0, 0, b'{'],
                "it is cut short: its metadata is 9 bytes, 1 are there",
            ),
            (
                vec![1, 1, 0, 16, 0],
                "its metadata is said to be 1048577 bytes, the most is 1048576",
            ),
            (
                vec![1, 255, 255, 255, 255],
                "its metadata is said to be 4294967295 bytes, the most is 1048576",
            ),
            (object(b"{}", &body), "the cipher \"\""),
            (
                object(b"{\"kmskey\":\"====\"}", &body),
                "its metadata: kmskey is not base64",
            ),
            (
                object(b"{\"nonce\":\"AA\"}", &body),
                "its metadata: nonce is not base64",
            ),
            (
                object(b"{\"keyid\":\"\xff\"}", &body),
                "its metadata: keyid is not UTF-8",
            ),
            (
                object(b"{\"algorithm\":\"aes-256-gcm\"}", &body),
                "the cipher \"aes-256-gcm\"",
            ),
            (
                object(b"{\"algorithm\":\"AES-256-GCM\"}", &body),
                "its nonce is 0 bytes, AES-256-GCM wants 8",
            ),
            (
                object(
                    b"{\"algorithm\":\"AES-256-GCM\",\"nonce\":\"AAAAAAAAAAA=\"}",
                    &body[1..],
                ),
                "its body is cut short: 15 bytes",
            ),
        ] {
            assert_eq!(refusal(&stored), text);
        }
    }
}
