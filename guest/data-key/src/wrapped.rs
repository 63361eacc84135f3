//! Data keys under a secret key, as MinIO's static KMS and KES encrypt them
//! (docs/formats/minio.md section 3).
//!
//! A key-encryption key is derived from the secret key and a fresh iv; it encrypts the data key with
//! the context as associated data:
//!
//! | | key-encryption key | cipher |
//! |---|---|---|
//! | AES | HMAC-SHA256(secret, iv) | AES-256-GCM |
//! | ChaCha | HChaCha20(secret, iv) | ChaCha20-Poly1305 |
//!
//! Three encodings hold iv, nonce and ciphertext: binary, JSON, MessagePack. A binary data key can
//! look like the beginning of another encoding, so one that does not parse is taken as binary.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use hmac::{Hmac, Mac};
use iamseal_aes_gcm::Aes256Gcm;
use iamseal_aes_gcm::aead::array::Array;
use iamseal_aes_gcm::aead::{AeadInOut, KeyInit, Tag};
use iamseal_chacha20_poly1305::ChaCha20Poly1305;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base64::{BASE64, decode};
use crate::{Secret, json};

/// The bytes of a secret key, of a data key for 256-bit ciphers and of a key-encryption key.
pub const KEY: usize = 32;
/// The bytes of the iv that a key-encryption key is derived from.
const IV: usize = 16;
/// The bytes of the nonce that a data key is encrypted with.
const NONCE: usize = 12;
const TAG: usize = 16;

/// The names that the encodings give the two ciphers.
const JSON_AES: &str = "AES-256-GCM-HMAC-SHA-256";
const JSON_CHACHA: &str = "ChaCha20Poly1305";
const MESSAGE_PACK_AES: &[u8] = b"AES256-GCM_SHA256";
const MESSAGE_PACK_CHACHA: &[u8] = b"XCHACHA20-POLY1305";

/// The random bytes that a new data key takes.
pub const RANDOM: usize = KEY + IV + NONCE;

/// How an encrypted data key is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Ciphertext, tag, iv, nonce: MinIO since RELEASE.2024-05-10, KES since 2024-02-29.
    Binary,
    /// A JSON object: MinIO before that, KES before v0.19.2.
    Json,
    /// A MessagePack array: KES in between.
    MessagePack,
}

/// An encrypted data key, taken apart.
pub struct Wrapped<'a> {
    encoding: Encoding,
    cipher: KeyCipher,
    iv: Cow<'a, [u8]>,
    nonce: [u8; NONCE],
    /// Ciphertext and tag.
    bytes: Cow<'a, [u8]>,
}

/// What a secret key encrypts data keys with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCipher {
    /// MinIO's static key, and a key of KES where the processor has AES instructions.
    Aes,
    /// A key of KES elsewhere.
    ChaCha,
}

impl<'a> Wrapped<'a> {
    /// Takes an encrypted data key apart.
    ///
    /// # Errors
    /// [`TooShort`] to be a binary one, if it is no other. (MinIO panics below 28 bytes.)
    pub fn parse(text: &'a [u8]) -> Result<Self, TooShort> {
        let other = match text {
            [b'{', .., b'}'] => parse_json(text),
            [0x95, ..] => parse_message_pack(text),
            _ => None,
        };
        let bytes = text.len();
        other
            .or_else(|| parse_binary(text))
            .ok_or(TooShort { bytes })
    }

    /// How it is written down.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Opens the data key; a binary one was encrypted with AES. None if secret, context and data key do not belong
    /// together.
    #[must_use]
    pub fn open(&self, secret: &[u8; KEY], context: &[u8]) -> Option<Secret> {
        self.open_with(self.cipher, secret, context)
    }

    /// Opens the data key under a key of KES that is for ChaCha, as a binary one does not say. None as there.
    #[must_use]
    pub fn open_under_chacha(&self, secret: &[u8; KEY], context: &[u8]) -> Option<Secret> {
        // What another says may be of a time before its key was for anything.
        let named = (self.encoding != Encoding::Binary).then_some(self.cipher);
        let tries = named.into_iter().chain([KeyCipher::ChaCha]);
        tries
            .into_iter()
            .find_map(|cipher| self.open_with(cipher, secret, context))
    }

    fn open_with(&self, cipher: KeyCipher, secret: &[u8; KEY], context: &[u8]) -> Option<Secret> {
        let key = match cipher {
            KeyCipher::Aes => derive_aes(secret, &self.iv)?,
            KeyCipher::ChaCha => derive_chacha(secret, &self.iv)?,
        };
        let (body, tag) = self.bytes.split_last_chunk::<TAG>()?;
        let mut data_key = Zeroizing::new(body.to_vec());
        let nonce = Array(self.nonce);
        match cipher {
            KeyCipher::Aes => {
                let tag = Tag::<Aes256Gcm>::from(*tag);
                let aead = Aes256Gcm::new(&Array(*key));
                aead.decrypt_inout_detached(&nonce, context, data_key.as_mut_slice().into(), &tag)
            }
            KeyCipher::ChaCha => {
                let tag = Tag::<ChaCha20Poly1305>::from(*tag);
                let aead = ChaCha20Poly1305::new(&Array(*key));
                aead.decrypt_inout_detached(&nonce, context, data_key.as_mut_slice().into(), &tag)
            }
        }
        .ok()?;
        Some(data_key)
    }
}

/// An encrypted data key that is of no encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Its size.
    pub bytes: usize,
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, least) = (self.bytes, TAG + IV + NONCE);
        write!(f, "its data key is {bytes} bytes, the shortest has {least}")
    }
}

/// A new data key, in the open and encrypted.
pub struct Made {
    /// The data key.
    pub plaintext: Zeroizing<[u8; KEY]>,
    /// What [`Wrapped`] opens under the same key and context.
    pub ciphertext: Vec<u8>,
}

/// Makes a data key and encrypts it under a secret key, as MinIO's writer does with AES and KES with either.
///
/// `random` must be fresh. MessagePack is never written: binary takes its place. None if the ciphers do
/// not run, which no input brings about.
#[must_use]
pub fn make(
    secret: &[u8; KEY],
    cipher: KeyCipher,
    encoding: Encoding,
    context: &[u8],
    random: &[u8; RANDOM],
) -> Option<Made> {
    let (plaintext, rest) = random.split_first_chunk::<KEY>()?;
    let (iv, rest) = rest.split_first_chunk::<IV>()?;
    let nonce = rest.first_chunk::<NONCE>()?;
    let mut bytes = Vec::with_capacity(KEY + TAG + IV + NONCE);
    bytes.extend_from_slice(plaintext);
    let (name, tag): (_, [u8; TAG]) = match cipher {
        KeyCipher::Aes => {
            let aead = Aes256Gcm::new(&Array(*derive_aes(secret, iv)?));
            let body = bytes.as_mut_slice().into();
            let tag = aead.encrypt_inout_detached(&Array(*nonce), context, body);
            (JSON_AES, tag.ok()?.into())
        }
        KeyCipher::ChaCha => {
            let aead = ChaCha20Poly1305::new(&Array(*derive_chacha(secret, iv)?));
            let body = bytes.as_mut_slice().into();
            let tag = aead.encrypt_inout_detached(&Array(*nonce), context, body);
            (JSON_CHACHA, tag.ok()?.into())
        }
    };
    bytes.extend_from_slice(&tag);
    let ciphertext = match encoding {
        Encoding::Json => format!(
            r#"{{"aead":"{name}","iv":"{}","nonce":"{}","bytes":"{}"}}"#,
            BASE64.encode(iv),
            BASE64.encode(nonce),
            BASE64.encode(bytes)
        )
        .into_bytes(),
        Encoding::Binary | Encoding::MessagePack => {
            bytes.extend_from_slice(iv);
            bytes.extend_from_slice(nonce);
            bytes
        }
    };
    Some(Made {
        plaintext: Zeroizing::new(*plaintext),
        ciphertext,
    })
}

fn derive_aes(secret: &[u8; KEY], iv: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).ok()?;
    mac.update(iv);
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}

fn derive_chacha(secret: &[u8; KEY], iv: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    let iv: [u8; IV] = iv.try_into().ok()?;
    let key = chacha20::hchacha::<chacha20::R20>(&Array(*secret), &Array(iv));
    Some(Zeroizing::new(key.0))
}

fn parse_binary(text: &[u8]) -> Option<Wrapped<'_>> {
    let (rest, nonce) = text.split_last_chunk::<NONCE>()?;
    let (bytes, iv) = rest.split_last_chunk::<IV>()?;
    (bytes.len() >= TAG).then_some(Wrapped {
        encoding: Encoding::Binary,
        cipher: KeyCipher::Aes,
        iv: Cow::Borrowed(iv),
        nonce: *nonce,
        bytes: Cow::Borrowed(bytes),
    })
}

fn parse_json(text: &[u8]) -> Option<Wrapped<'_>> {
    let [aead, iv, nonce, bytes] =
        json::read_strings(text, ["aead", "iv", "nonce", "bytes"]).ok()?;
    let cipher = match &*aead {
        name if name == JSON_AES.as_bytes() => KeyCipher::Aes,
        name if name == JSON_CHACHA.as_bytes() => KeyCipher::ChaCha,
        _ => return None,
    };
    let iv = decode(&iv).filter(|iv| iv.len() == IV)?;
    Some(Wrapped {
        encoding: Encoding::Json,
        cipher,
        iv: Cow::Owned(iv),
        nonce: decode(&nonce)?.try_into().ok()?,
        bytes: Cow::Owned(decode(&bytes)?),
    })
}

/// An array of five: cipher, key id, iv, nonce, ciphertext and tag.
fn parse_message_pack(text: &[u8]) -> Option<Wrapped<'_>> {
    let rest = text.get(1..)?;
    let (name, rest) = take_string(rest)?;
    let cipher = match name {
        MESSAGE_PACK_AES => KeyCipher::Aes,
        MESSAGE_PACK_CHACHA => KeyCipher::ChaCha,
        _ => return None,
    };
    let (_key_id, rest) = take_string(rest)?;
    let (iv, rest) = take_binary(rest)?;
    let (nonce, rest) = take_binary(rest)?;
    let (bytes, rest) = take_binary(rest)?;
    (iv.len() == IV && rest.is_empty()).then_some(Wrapped {
        encoding: Encoding::MessagePack,
        cipher,
        iv: Cow::Borrowed(iv),
        nonce: nonce.try_into().ok()?,
        bytes: Cow::Borrowed(bytes),
    })
}

/// A MessagePack string: fixstr or str 8.
fn take_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text {
        [head @ 0xa0..=0xbf, rest @ ..] => rest.split_at_checked(usize::from(head & 0x1f)),
        [0xd9, size, rest @ ..] => rest.split_at_checked(usize::from(*size)),
        _ => None,
    }
}

/// MessagePack bytes: bin 8. Nothing in a data key is longer than 255 bytes.
fn take_binary(text: &[u8]) -> Option<(&[u8], &[u8])> {
    match text {
        [0xc4, size, rest @ ..] => rest.split_at_checked(usize::from(*size)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const SECRET: [u8; KEY] = [1; KEY];
    const DATA_KEY: [u8; KEY] = [2; KEY];
    const CONTEXT: &[u8] = b"{}";

    fn sealed(encoding: Encoding) -> Vec<u8> {
        let random = [&DATA_KEY[..], &[3; IV], &[4; NONCE]].concat();
        let random = random.try_into().unwrap();
        let made = make(&SECRET, KeyCipher::Aes, encoding, CONTEXT, &random).unwrap();
        assert_eq!(*made.plaintext, DATA_KEY);
        made.ciphertext
    }

    fn opened(text: &[u8]) -> Option<Secret> {
        Wrapped::parse(text).unwrap().open(&SECRET, CONTEXT)
    }

    /// The same data key as KES wrote it, from the binary one.
    fn message_pack(binary: &[u8]) -> Vec<u8> {
        let (rest, nonce) = binary.split_last_chunk::<NONCE>().unwrap();
        let (bytes, iv) = rest.split_last_chunk::<IV>().unwrap();
        let id = b"66687aadf862bd776c8fc18b8e9f8e20";
        let mut out = vec![0x95, 0xa0 + MESSAGE_PACK_AES.len() as u8];
        out.extend_from_slice(MESSAGE_PACK_AES);
        out.extend([0xd9, id.len() as u8]);
        out.extend_from_slice(id);
        for part in [&iv[..], nonce, bytes] {
            out.extend([0xc4, part.len() as u8]);
            out.extend_from_slice(part);
        }
        out
    }

    #[test]
    fn data_keys_that_minio_made_open() {
        let context = br#"{".minio.sys":".minio.sys/config/iam/users/alice/identity.json"}"#;
        let key = decode(b"rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=").unwrap();
        let key: [u8; KEY] = key.try_into().unwrap();
        for (text, encoding, wanted) in [
            (
                "hJ1RnhAi4X4MBolsnGEUMJPgPxlNT74hJM5j9BHTTrvNBs6XY1uOYRsv1rwP2SUfTNS3nDT4YJcdbexq\
                 7YWyguoTtS9bAXQlz55u2w==",
                Encoding::Binary,
                "+LBREmetOaFTsC+fTxL7Cl2OgXmv/L9ccLsKYHN1U64=",
            ),
            (
                "eyJhZWFkIjoiQUVTLTI1Ni1HQ00tSE1BQy1TSEEtMjU2IiwiaXYiOiJmY1hqZTNIaDFYQTBiRE9ybE85\
                 SkNnPT0iLCJub25jZSI6IjRkL1FlajBXQUVMdm15YWIiLCJieXRlcyI6Ii9WSERYTUhJdmhxYTlUcmp5\
                 T245dzlwRjVERVMyclo5Y1BYV2VyK0E2Q09nN21PSFlBUzdJaWFFbUpqN3IzR3gifQ==",
                Encoding::Json,
                "+lWwqVmC1cwLGrw1SbNYsX2ZKB+XbiOytYiNyl/9DhI=",
            ),
        ] {
            let text = decode(text.as_bytes()).unwrap();
            let wrapped = Wrapped::parse(&text).unwrap();
            assert_eq!(wrapped.encoding(), encoding);
            let opened = wrapped.open(&key, context).unwrap();
            assert_eq!(BASE64.encode(&*opened), wanted);
        }
    }

    #[test]
    fn every_encoding_opens() {
        let binary = sealed(Encoding::Binary);
        assert_eq!(binary.len(), 76);
        for (text, encoding) in [
            (message_pack(&binary), Encoding::MessagePack),
            (sealed(Encoding::Json), Encoding::Json),
            (binary, Encoding::Binary),
        ] {
            assert_eq!(Wrapped::parse(&text).unwrap().encoding, encoding);
            assert_eq!(*opened(&text).unwrap(), DATA_KEY);
            let parsed = Wrapped::parse(&text).unwrap();
            assert!(parsed.open(&[9; KEY], CONTEXT).is_none());
            assert!(parsed.open(&SECRET, b"{\"a\":\"b\"}").is_none());
        }
    }

    #[test]
    fn under_a_key_for_chacha_a_binary_data_key_is_too() {
        let random = [&DATA_KEY[..], &[3; IV], &[4; NONCE]].concat();
        let random = random.try_into().unwrap();
        for encoding in [Encoding::Binary, Encoding::Json] {
            let made = make(&SECRET, KeyCipher::ChaCha, encoding, CONTEXT, &random).unwrap();
            let wrapped = Wrapped::parse(&made.ciphertext).unwrap();
            assert_eq!(wrapped.encoding, encoding);
            let opened = wrapped.open_under_chacha(&SECRET, CONTEXT).unwrap();
            assert_eq!(*opened, DATA_KEY);
            assert!(wrapped.open_under_chacha(&[9; KEY], CONTEXT).is_none());
            assert!(
                wrapped
                    .open_under_chacha(&SECRET, b"{\"a\":\"b\"}")
                    .is_none()
            );
            // Only JSON says which cipher it is.
            let says_it = encoding == Encoding::Json;
            assert_eq!(wrapped.open(&SECRET, CONTEXT).is_some(), says_it);
        }
        // What says AES is AES, whatever the key is for by now.
        let text = sealed(Encoding::Json);
        let wrapped = Wrapped::parse(&text).unwrap();
        assert!(wrapped.open_under_chacha(&SECRET, CONTEXT).is_some());
    }

    #[test]
    fn data_keys_too_short_for_any_encoding_are_malformed() {
        for size in 0..TAG + IV + NONCE {
            for byte in [0, b'{', 0x95] {
                let mut text = vec![byte; size];
                if let Some(last) = text.last_mut() {
                    *last = b'}';
                }
                assert!(
                    Wrapped::parse(&text).err() == Some(TooShort { bytes: size }),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn a_binary_data_key_may_look_like_another_encoding() {
        for (first, last) in [(b'{', b'}'), (0x95, 0)] {
            let mut text = sealed(Encoding::Binary);
            *text.first_mut().unwrap() = first;
            *text.last_mut().unwrap() = last;
            assert_eq!(Wrapped::parse(&text).unwrap().encoding, Encoding::Binary);
            assert!(opened(&text).is_none());
        }
    }

    #[test]
    fn cut_and_flipped_data_keys_do_not_open() {
        let binary = sealed(Encoding::Binary);
        let all = [message_pack(&binary), sealed(Encoding::Json), binary];
        for text in all {
            for at in 0..text.len() {
                let cut = Wrapped::parse(&text[..at]);
                assert!(cut.is_err() || cut.unwrap().open(&SECRET, CONTEXT).is_none());
                let mut flipped = text.clone();
                flipped[at] ^= 1;
                let opens = opened(&flipped);
                // The key id and the spare bits of base64 carry nothing; all else must fail.
                assert!(opens.is_none_or(|key| *key == DATA_KEY), "byte {at}");
            }
        }
    }
}
