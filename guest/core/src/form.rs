//! Telling the forms apart by structure, never by "is it UTF-8" first (docs/formats/minio.md section 1).

use alloc::format;
use alloc::string::{String, ToString};

use iamseal_data_key::Wrapped;

use crate::compact;
use crate::credential;
use crate::error::{Error, Result};
use crate::keyring::{DataKeyEncoding, KeyDerivation};
use crate::minio;
use crate::sio::Cipher;

/// How an object is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Not encrypted.
    Plaintext,
    /// Encrypted with the root credential.
    RootCredential,
    /// MinIO's sealed form, version 1.
    Minio,
    /// iamseal's compact form.
    Compact,
}

/// What can be seen of an object without any key. None of it is authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The form.
    pub form: Form,
    /// The size of the stored object in bytes.
    pub size: u64,
    /// The size of what it holds in bytes; of the root-credential form, if its body is a stream.
    pub plaintext_size: u64,
    /// The name of the key it asks for.
    pub key: Option<String>,
    /// The cipher of its body.
    pub cipher: Option<Cipher>,
    /// How its data key is written down.
    pub data_key_encoding: Option<DataKeyEncoding>,
    /// How the key is made of the root credential.
    pub key_derivation: Option<KeyDerivation>,
}

/// Describes an object by its structure.
///
/// # Errors
/// [`Error::Empty`], [`Error::UnknownForm`], [`Error::Malformed`], [`Error::Unsupported`].
pub fn inspect(stored: &[u8]) -> Result<Description> {
    let shape = recognise(stored)?;
    let mut description = Description {
        form: shape.form(),
        size: stored.len() as u64,
        plaintext_size: stored.len() as u64,
        key: None,
        cipher: None,
        data_key_encoding: None,
        key_derivation: None,
    };
    match shape {
        Shape::Plaintext => {}
        Shape::RootCredential(header) => {
            description.plaintext_size = header.plaintext_size()? as u64;
            description.cipher = Some(header.cipher);
            description.key_derivation = Some(header.key_derivation);
        }
        Shape::Minio(header) => {
            description.cipher = Some(header.cipher()?);
            description.plaintext_size = header.plaintext_size()? as u64;
            // A data key of a remote key may have a shape of its own.
            description.data_key_encoding = Wrapped::parse(&header.data_key)
                .ok()
                .map(|data_key| data_key.encoding());
            description.key = Some(header.key);
        }
        Shape::Compact(header) => {
            description.plaintext_size = header.plaintext_size()? as u64;
            description.cipher = Some(Cipher::ChaCha20Poly1305);
            description.key = Some(header.key.to_string());
        }
    }
    Ok(description)
}

/// An object, recognised and taken apart.
pub(crate) enum Shape<'a> {
    Plaintext,
    RootCredential(credential::Header<'a>),
    Minio(minio::Header<'a>),
    Compact(compact::Header<'a>),
}

impl Shape<'_> {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Plaintext => Form::Plaintext,
            Self::RootCredential(_) => Form::RootCredential,
            Self::Minio(_) => Form::Minio,
            Self::Compact(_) => Form::Compact,
        }
    }
}

/// The name of the key that an object asks for; none if it asks for none or none can be read.
pub(crate) fn key(stored: &[u8]) -> Option<String> {
    match recognise(stored).ok()? {
        Shape::Plaintext | Shape::RootCredential(_) => None,
        Shape::Minio(header) => Some(header.key),
        Shape::Compact(header) => Some(header.key.to_string()),
    }
}

/// Tells what an object is.
///
/// - A compact object begins with bytes that no text begins with, and its byte 32 is never 0, 1 or 2.
/// - A sealed object is sealed if all of its header parses, be it UTF-8 or not. In one, byte 32
///   stands in JSON text and is never 0, 1 or 2.
/// - A root-credential object has 0, 1 or 2 there and is not UTF-8, which its random bytes never are.
/// - Plaintext is UTF-8 without a zero byte (zeros are what a loss of power leaves). It never begins with byte 1, since it is JSON or key-value text: that is a
///   sealed object cut short (which MinIO would take for plaintext).
///
/// # Errors
/// [`Error::Empty`], [`Error::UnknownForm`], and for damage what the form's parser says.
pub(crate) fn recognise(stored: &[u8]) -> Result<Shape<'_>> {
    let Some(first) = stored.first().copied() else {
        return Err(Error::Empty);
    };
    let mut damage = None;
    if compact::Header::begins(stored) {
        match compact::Header::parse(stored) {
            Ok(header) => return Ok(Shape::Compact(header)),
            Err(error) => damage = Some(error),
        }
    } else if first == minio::VERSION {
        match minio::Header::parse(stored) {
            Ok(header) => return Ok(Shape::Minio(header)),
            Err(error) => damage = Some(error),
        }
    }
    if is_drive_metadata(stored) {
        return Err(Error::UnknownForm(
            "it is an xl.meta file of a MinIO drive, not an object".to_string(),
        ));
    }
    if stored.iter().all(|byte| *byte == 0) {
        let zeros = stored.len();
        return Err(Error::Malformed(format!(
            "all {zeros} bytes are zero, as a loss of power leaves a file"
        )));
    }
    let is_utf8 = core::str::from_utf8(stored).is_ok();
    let is_text = is_utf8 && !stored.contains(&0);
    if !is_utf8 && let Some(header) = credential::Header::parse(stored) {
        return Ok(Shape::RootCredential(header));
    }
    match damage {
        Some(error) => Err(error),
        None if is_text => Ok(Shape::Plaintext),
        None => Err(Error::UnknownForm(unknown(stored))),
    }
}

/// What an operator wants to know of an object that is none of ours.
fn unknown(stored: &[u8]) -> String {
    // Editors of Windows write text like this, with zeros in it.
    if matches!(stored, [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, _, ..]) {
        return "text in UTF-16, and servers read UTF-8".to_string();
    }
    let begins: String = stored
        .iter()
        .take(4)
        .map(|byte| format!(" {byte:02x}"))
        .collect();
    format!("{} bytes that begin with{begins}", stored.len())
}

/// What stands on a MinIO drive in the place of an object: `XL2 `, then the version, which is `1` and
/// spaces or two numbers of 16 bits, 1 and 0 to 3 (docs/formats/minio.md section 10). Byte 32 of such a file is 0
/// as in the root-credential form, but no salt begins with all of this by chance.
fn is_drive_metadata(stored: &[u8]) -> bool {
    matches!(
        stored,
        [b'X', b'L', b'2', b' ', b'1', b' ', b' ', b' ', ..]
            | [b'X', b'L', b'2', b' ', 1, 0, 0..=3, 0, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// The shape of a root-credential object whose salt begins as given.
    fn root_credential(salt: &[u8], id: u8) -> Vec<u8> {
        let mut stored = vec![0xaa; 57];
        stored[..salt.len()].copy_from_slice(salt);
        stored[32] = id;
        stored
    }

    #[test]
    fn root_credential_objects_are_known_whatever_their_salt() {
        for salt in [
            &b""[..],
            b"\x01",
            b"\x01\x10\0\0\0{}",
            b"{\"",
            &[0xf9, b'i', b's', 1],
        ] {
            for id in 0..=2 {
                assert_eq!(
                    inspect(&root_credential(salt, id)).unwrap().form,
                    Form::RootCredential
                );
            }
        }
    }

    #[test]
    fn other_things_are_not_root_credential_objects() {
        assert!(matches!(
            inspect(&root_credential(b"", 3)),
            Err(Error::UnknownForm(_))
        ));
        assert!(matches!(
            inspect(&root_credential(b"", 0)[..56]),
            Err(Error::UnknownForm(_))
        ));
        assert_eq!(inspect(&[b' '; 57]).unwrap().form, Form::Plaintext);
    }

    #[test]
    fn text_is_plaintext_unless_it_begins_as_a_sealed_object() {
        assert_eq!(inspect(b"{}").unwrap().form, Form::Plaintext);
        assert_eq!(inspect("k=vé\n".as_bytes()).unwrap().form, Form::Plaintext);
        assert!(matches!(inspect(b"\x01"), Err(Error::Malformed(_))));
        assert!(matches!(
            inspect(b"\x01\x39\0\0\0{\"keyid\":\"k\""),
            Err(Error::Malformed(_))
        ));
        assert_eq!(inspect(b""), Err(Error::Empty));
    }

    #[test]
    fn zeros_alone_are_damage() {
        for size in [1, 57, 300] {
            let Err(Error::Malformed(text)) = inspect(&vec![0; size]) else {
                panic!("{size}");
            };
            assert!(text.starts_with(&format!("all {size} bytes are zero")));
        }
    }

    #[test]
    fn an_unknown_form_says_what_was_seen() {
        let text = |stored: &[u8]| match inspect(stored) {
            Err(Error::UnknownForm(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(b"\xff\xfe"), "2 bytes that begin with ff fe");
        for stored in [b"\xff\xfe{\0}\0", b"\xfe\xff\0{\0}"] {
            assert_eq!(text(stored), "text in UTF-16, and servers read UTF-8");
        }
        let mut meta = vec![0; 300];
        meta[..9].copy_from_slice(b"XL2 \x01\0\x03\0\xc6");
        meta[299] = 0xff;
        assert_eq!(
            text(&meta),
            "it is an xl.meta file of a MinIO drive, not an object"
        );
    }
}
