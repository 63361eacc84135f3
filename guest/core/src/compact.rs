//! The compact form. `docs/formats/compact.md` is its specification; in short:
//!
//! ```text
//! 0    4 bytes   f9 'i' 's' 01
//! 4    32 bytes  salt, random but for the top bit of its byte 28, which is set
//! 36             postcard: the key's name, the encrypted data-key seed
//!      32 bytes  commitment
//!                body: fragments of up to 64 KiB, each with a tag
//! ```
//!
//! The seed is a data key bound to the store; one serves many objects. Everything before the commitment,
//! the store's name and the path are hashed; HKDF-SHA256 makes the commitment and the body's key of that
//! hash and the seed. So the whole header, the place and the key are authenticated before a byte of the
//! body is opened, and each object has its own key.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use hkdf::Hkdf;
use iamseal_chacha20_poly1305::ChaCha20Poly1305;
use iamseal_chacha20_poly1305::aead::array::Array;
use iamseal_chacha20_poly1305::aead::{AeadInOut, KeyInit, Nonce, Tag};
use iamseal_data_key::KEY;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::context;
use crate::error::{Error, Result};
use crate::keyring::Secret;
use crate::location::Location;

/// The first byte begins neither UTF-8 text nor MinIO's sealed form; the last is the version.
const PREFIX: [u8; 4] = [0xf9, b'i', b's', 1];
pub(crate) const SALT: usize = 32;
/// Offset 32 of the object: 0, 1 or 2 there would be the shape of a root-credential object.
const MARKED: usize = 28;
const MARK: u8 = 0x80;
const COMMITMENT: usize = 32;
/// 64 KiB, as age has it: the tags of a large object weigh nothing, and a reader that streams needs
/// little memory.
const FRAGMENT: usize = 1 << 16;
const TAG: usize = 16;

/// A compact object, taken apart.
pub(crate) struct Header<'a> {
    pub(crate) key: &'a str,
    /// The encrypted seed.
    pub(crate) seed: &'a [u8],
    /// Everything before the commitment.
    head: &'a [u8],
    commitment: &'a [u8; COMMITMENT],
    body: &'a [u8],
}

/// What stands in the header besides prefix and salt.
#[derive(Serialize, Deserialize)]
struct Names<'a> {
    key: &'a str,
    seed: &'a [u8],
}

impl Names<'_> {
    /// Whether the end of `head` is how these names are written.
    fn is_written_as(&self, head: &[u8]) -> bool {
        let size = PREFIX.len() + SALT;
        postcard::to_extend(self, Vec::with_capacity(head.len()))
            .is_ok_and(|written: Vec<u8>| head.get(size..) == Some(&*written))
    }
}

impl<'a> Header<'a> {
    /// Whether an object begins as this form does, in any version.
    pub(crate) fn begins(stored: &[u8]) -> bool {
        let [first, second, third, _] = PREFIX;
        stored.starts_with(&[first, second, third])
    }

    /// Takes an object apart that [`begins`](Self::begins) as this form does.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for another version, [`Error::Malformed`] for what is damaged or cut
    /// short.
    pub(crate) fn parse(stored: &'a [u8]) -> Result<Self> {
        let malformed = |text: &str| Error::Malformed(text.to_string());
        let (prefix, rest) = stored
            .split_first_chunk::<4>()
            .ok_or_else(|| malformed("it is cut short in its prefix"))?;
        let [.., version] = *prefix;
        if *prefix != PREFIX {
            return Err(Error::Unsupported(format!(
                "version {version} of the compact form"
            )));
        }
        let (salt, rest) = rest
            .split_first_chunk::<SALT>()
            .ok_or_else(|| malformed("it is cut short in its salt"))?;
        if salt.get(MARKED).is_none_or(|byte| byte & MARK == 0) {
            return Err(malformed("the marked bit of its salt is not set"));
        }
        // One text: a number that is too long for postcard on 32 bits may not be on 64.
        let damaged = || malformed("its header is damaged, cut short or longer than need be");
        let (names, rest) = postcard::take_from_bytes::<Names>(rest).map_err(|_| damaged())?;
        let head = stored.get(..stored.len() - rest.len()).unwrap_or_default();
        // Postcard reads numbers longer than they need be.
        if !names.is_written_as(head) {
            return Err(damaged());
        }
        let (commitment, body) = rest
            .split_first_chunk()
            .ok_or_else(|| malformed("it is cut short in its commitment"))?;
        let header = Self {
            key: names.key,
            seed: names.seed,
            head,
            commitment,
            body,
        };
        header.plaintext_size()?;
        Ok(header)
    }

    /// The size of what the object holds.
    ///
    /// # Errors
    /// [`Error::Malformed`] if no body has this size.
    pub(crate) fn plaintext_size(&self) -> Result<usize> {
        let sealed = self.body.len();
        sealed
            .checked_sub(TAG * sealed.div_ceil(FRAGMENT + TAG).max(1))
            .filter(|plaintext| body_size(*plaintext) == sealed)
            .ok_or_else(|| Error::Malformed(format!("its body is cut short: {sealed} bytes")))
    }

    /// Opens the object with its opened seed. None if seed, header, store and path do not belong together.
    ///
    /// # Errors
    /// [`Error::BodyNotAuthentic`].
    pub(crate) fn open(&self, seed: &[u8; KEY], location: &Location) -> Result<Option<Secret>> {
        let keys = Keys::derive(seed, self.head, location)?;
        if !bool::from(keys.commitment().ct_eq(self.commitment)) {
            return Ok(None);
        }
        let aead = keys.body();
        let mut plaintext = Zeroizing::new(Vec::with_capacity(self.body.len()));
        let count = self.body.len().div_ceil(FRAGMENT + TAG);
        let mut open = |index, last, fragment: &[u8]| {
            let (body, tag) = fragment
                .split_last_chunk::<TAG>()
                .ok_or(Error::BodyNotAuthentic)?;
            let start = plaintext.len();
            plaintext.extend_from_slice(body);
            let body = plaintext.get_mut(start..).unwrap_or_default();
            let tag = Tag::<ChaCha20Poly1305>::from(*tag);
            let opened = aead.decrypt_inout_detached(&nonce(index, last), &[], body.into(), &tag);
            if opened.is_err() {
                plaintext.truncate(start);
            }
            Ok::<_, Error>(opened.is_ok())
        };
        for (index, fragment) in self.body.chunks(FRAGMENT + TAG).enumerate() {
            let last = index + 1 == count;
            if open(index, last, fragment)? {
                continue;
            }
            // Only a whole fragment can be one that others came after.
            let others_came_after =
                last && fragment.len() == FRAGMENT + TAG && open(index, false, fragment)?;
            return Err(match others_came_after {
                true => Error::CutShort,
                false => Error::BodyNotAuthentic,
            });
        }
        Ok(Some(plaintext))
    }
}

/// Writes an object. `salt` must be fresh and random; `key` is the opened seed, whose encrypted form is
/// `seed`.
///
/// # Errors
/// None that a caller can bring about.
pub(crate) fn seal(
    name: &str,
    seed: &[u8],
    key: &[u8; KEY],
    mut salt: [u8; SALT],
    location: &Location,
    plaintext: &[u8],
) -> Result<Vec<u8>> {
    if let Some(byte) = salt.get_mut(MARKED) {
        *byte |= MARK;
    }
    // The two lengths take at most 10 bytes.
    let head = PREFIX.len() + SALT + name.len() + seed.len() + 10;
    let mut out = Vec::with_capacity(head + COMMITMENT + body_size(plaintext.len()));
    out.extend_from_slice(&PREFIX);
    out.extend_from_slice(&salt);
    let failed = || Error::Other("the compact form was not written".to_string());
    let mut out = postcard::to_extend(&Names { key: name, seed }, out).map_err(|_| failed())?;
    let keys = Keys::derive(key, &out, location)?;
    out.extend_from_slice(keys.commitment());
    let aead = keys.body();
    let count = plaintext.len().div_ceil(FRAGMENT).max(1);
    for index in 0..count {
        let rest = plaintext.get(index * FRAGMENT..).unwrap_or_default();
        let start = out.len();
        out.extend_from_slice(rest.get(..FRAGMENT).unwrap_or(rest));
        let body = out.get_mut(start..).unwrap_or_default();
        let tag = aead
            .encrypt_inout_detached(&nonce(index, index + 1 == count), &[], body.into())
            .map_err(|_| failed())?;
        out.extend_from_slice(&tag);
    }
    Ok(out)
}

/// What a seed is bound to: the store. Not the path, since one seed serves many objects; each object's
/// own place is bound by its commitment.
pub(crate) fn seed_context(location: &Location) -> Vec<u8> {
    context::entry(b"iamseal compact seed", &[location.store.as_bytes()])
}

fn body_size(plaintext: usize) -> usize {
    plaintext + TAG * plaintext.div_ceil(FRAGMENT).max(1)
}

/// A fragment's nonce: its index, 11 bytes big-endian, and 1 for the last fragment (STREAM).
fn nonce(index: usize, last: bool) -> Nonce<ChaCha20Poly1305> {
    let mut nonce = [0; 12];
    let [.., c0, c1, c2, c3, c4, c5, c6, c7, flag] = &mut nonce;
    for (to, from) in [c0, c1, c2, c3, c4, c5, c6, c7]
        .into_iter()
        .zip((index as u64).to_be_bytes())
    {
        *to = from;
    }
    *flag = u8::from(last);
    Array(nonce)
}

/// The commitment and the body's key.
struct Keys(Zeroizing<[u8; COMMITMENT + KEY]>);

impl Keys {
    fn derive(key: &[u8; KEY], head: &[u8], location: &Location) -> Result<Self> {
        let transcript = Sha256::new()
            .chain_update(head)
            .chain_update((location.store.len() as u64).to_le_bytes())
            .chain_update(location.store)
            .chain_update(&location.path)
            .finalize();
        let mut keys = Zeroizing::new([0; COMMITMENT + KEY]);
        // A seed is uniformly random, so HKDF's extract step is left out (RFC 5869 section 3.3).
        let failed = || Error::Other("HKDF did not run".to_string());
        Hkdf::<Sha256>::from_prk(key)
            .map_err(|_| failed())?
            .expand(&transcript, &mut *keys)
            .map_err(|_| failed())?;
        Ok(Self(keys))
    }

    fn commitment(&self) -> &[u8] {
        self.0.split_at(COMMITMENT).0
    }

    fn body(&self) -> ChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; KEY]);
        key.copy_from_slice(self.0.split_at(COMMITMENT).1);
        ChaCha20Poly1305::new(&Array(*key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const KEY_BYTES: [u8; KEY] = [5; KEY];

    fn at<'a>(store: &'a str, path: &'a str) -> Location<'a> {
        Location::new(store, path.as_bytes()).unwrap()
    }

    /// As long as those of a static key and of KES.
    const SEALED_SEED: [u8; 76] = [9; 76];

    fn sealed(size: usize) -> Vec<u8> {
        seal(
            "key",
            &SEALED_SEED,
            &KEY_BYTES,
            [0; SALT],
            &at("s", "a/b"),
            &vec![7; size],
        )
        .unwrap()
    }

    fn open(stored: &[u8], location: &Location) -> Result<Option<Secret>> {
        Header::parse(stored)?.open(&KEY_BYTES, location)
    }

    #[test]
    fn opens_what_was_sealed_at_the_edges_of_fragments() {
        for size in [
            0,
            1,
            FRAGMENT - 1,
            FRAGMENT,
            FRAGMENT + 1,
            2 * FRAGMENT,
            3 * FRAGMENT + 5,
        ] {
            let stored = sealed(size);
            assert_eq!(
                Header::parse(&stored).unwrap().plaintext_size().unwrap(),
                size
            );
            assert_eq!(
                *open(&stored, &at("s", "/a//b/")).unwrap().unwrap(),
                vec![7; size]
            );
        }
    }

    #[test]
    fn overhead_is_what_the_specification_says() {
        assert_eq!(sealed(512).len() - 512, 162 + "key".len());
    }

    #[test]
    fn other_place_or_key_does_not_open() {
        let stored = sealed(9);
        for location in [
            at("t", "a/b"),
            at("", "a/b"),
            at("s", "a/c"),
            at("sa", "/b"),
        ] {
            assert!(open(&stored, &location).unwrap().is_none());
        }
        let header = Header::parse(&stored).unwrap();
        assert!(header.open(&[6; KEY], &at("s", "a/b")).unwrap().is_none());
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let stored = sealed(40);
        for end in 0..stored.len() {
            assert!(
                !matches!(open(&stored[..end], &at("s", "a/b")), Ok(Some(_))),
                "cut at {end}"
            );
        }
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !matches!(open(&flipped, &at("s", "a/b")), Ok(Some(_))),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn spliced_fragments_are_refused() {
        let whole = FRAGMENT + TAG;
        let stored = sealed(3 * FRAGMENT);
        let (head, body) = stored.split_at(stored.len() - 3 * whole);
        let part = |index: usize| &body[index * whole..(index + 1) * whole];
        let all = [
            (vec![part(0)], Error::CutShort),
            (vec![part(0), part(1)], Error::CutShort),
            (vec![part(1)], Error::BodyNotAuthentic),
            (vec![part(1), part(0), part(2)], Error::BodyNotAuthentic),
            (vec![part(0), part(2)], Error::BodyNotAuthentic),
            (
                vec![part(0), part(1), part(2), part(2)],
                Error::BodyNotAuthentic,
            ),
        ];
        for (parts, error) in all {
            let spliced = [head, &parts.concat()].concat();
            assert_eq!(open(&spliced, &at("s", "a/b")), Err(error));
        }
    }
}
