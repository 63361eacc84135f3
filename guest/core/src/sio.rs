//! The body of MinIO's forms: an authenticated stream of fragments (docs/formats/minio.md section 2,
//! "sio-go stream").
//!
//! Each fragment is up to 16384 bytes and a tag. Fragment `i` has the nonce
//! `stream nonce || LE32(i + 1)` and the associated data `flag || T`, where the flag marks the last
//! fragment and `T` is the tag of an empty message under counter 0. So fragments cannot be
//! reordered, dropped, added or cut.

use alloc::vec::Vec;

use iamseal_aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag, inout::InOutBuf};
use iamseal_aes_gcm::{Aes128Gcm, Aes256Gcm};
use iamseal_chacha20_poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use zeroize::Zeroizing;

/// The plaintext bytes of a full fragment.
const FRAGMENT: usize = 1 << 14;
/// The bytes of a tag, the same for all ciphers here.
pub(crate) const TAG: usize = 16;
/// The bytes of a nonce that count fragments.
const COUNTER: usize = 4;
/// The longest nonce, XChaCha20-Poly1305's.
const MAX_NONCE: usize = 24;
/// Marks the last fragment.
const LAST: u8 = 0x80;

/// The cipher of an object's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-256-GCM: what MinIO writes where the processor has AES instructions.
    Aes256Gcm,
    /// AES-128-GCM: MinIO reads it and never writes it.
    Aes128Gcm,
    /// ChaCha20-Poly1305: what MinIO writes elsewhere.
    ChaCha20Poly1305,
    /// XChaCha20-Poly1305: MinIO reads it and never writes it.
    XChaCha20Poly1305,
}

impl Cipher {
    const ALL: [Self; 4] = [
        Self::Aes256Gcm,
        Self::Aes128Gcm,
        Self::ChaCha20Poly1305,
        Self::XChaCha20Poly1305,
    ];

    /// The name as it stands in an object's metadata. Case matters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "AES-256-GCM",
            Self::Aes128Gcm => "AES-128-GCM",
            Self::ChaCha20Poly1305 => "ChaCha20-Poly1305",
            Self::XChaCha20Poly1305 => "XChaCha20-Poly1305",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|cipher| cipher.name().as_bytes() == name)
    }

    /// The bytes of a key.
    pub(crate) fn key_size(self) -> usize {
        if self == Self::Aes128Gcm { 16 } else { 32 }
    }

    /// The bytes of a stream's nonce: the cipher's nonce without the counter.
    pub(crate) fn stream_nonce_size(self) -> usize {
        if self == Self::XChaCha20Poly1305 {
            20
        } else {
            8
        }
    }
}

/// Why a stream did not open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SioError {
    /// Key or nonce have the wrong size for the cipher, or no stream has this size.
    Size,
    /// The fragment of this index, counted from 0, is not authentic.
    NotAuthentic(usize),
    /// Every fragment is authentic, and the last of them is not the last of the stream.
    CutShort,
}

/// The size of the stream of `plaintext` bytes.
pub(crate) fn sealed_size(plaintext: usize) -> usize {
    plaintext + TAG * plaintext.div_ceil(FRAGMENT).max(1)
}

/// The size of what a stream of `sealed` bytes holds; none if no stream has this size.
pub(crate) fn plaintext_size(sealed: usize) -> Option<usize> {
    let plaintext = sealed.checked_sub(TAG * sealed.div_ceil(FRAGMENT + TAG).max(1))?;
    (sealed_size(plaintext) == sealed).then_some(plaintext)
}

/// Appends the stream of `plaintext` to `out`.
pub(crate) fn seal(
    cipher: Cipher,
    key: &[u8],
    nonce: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), SioError> {
    match cipher {
        Cipher::Aes256Gcm => seal_with::<Aes256Gcm>(key, nonce, plaintext, out),
        Cipher::Aes128Gcm => seal_with::<Aes128Gcm>(key, nonce, plaintext, out),
        Cipher::ChaCha20Poly1305 => seal_with::<ChaCha20Poly1305>(key, nonce, plaintext, out),
        Cipher::XChaCha20Poly1305 => seal_with::<XChaCha20Poly1305>(key, nonce, plaintext, out),
    }
}

/// Opens a whole stream. Nothing is returned unless every fragment is authentic.
pub(crate) fn open(
    cipher: Cipher,
    key: &[u8],
    nonce: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SioError> {
    match cipher {
        Cipher::Aes256Gcm => open_with::<Aes256Gcm>(key, nonce, sealed),
        Cipher::Aes128Gcm => open_with::<Aes128Gcm>(key, nonce, sealed),
        Cipher::ChaCha20Poly1305 => open_with::<ChaCha20Poly1305>(key, nonce, sealed),
        Cipher::XChaCha20Poly1305 => open_with::<XChaCha20Poly1305>(key, nonce, sealed),
    }
}

/// Opens one message without associated data, under a nonce of the cipher's own size. None if it is not
/// authentic.
pub(crate) fn open_single(
    cipher: Cipher,
    key: &[u8],
    nonce: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    match cipher {
        Cipher::Aes256Gcm => open_single_with::<Aes256Gcm>(key, nonce, sealed),
        Cipher::Aes128Gcm => open_single_with::<Aes128Gcm>(key, nonce, sealed),
        Cipher::ChaCha20Poly1305 => open_single_with::<ChaCha20Poly1305>(key, nonce, sealed),
        Cipher::XChaCha20Poly1305 => open_single_with::<XChaCha20Poly1305>(key, nonce, sealed),
    }
}

fn open_single_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let aead = A::new_from_slice(key).ok()?;
    let nonce = Nonce::<A>::try_from(nonce).ok()?;
    let (body, tag) = sealed.split_last_chunk::<TAG>()?;
    let tag = Tag::<A>::try_from(&tag[..]).ok()?;
    let mut plaintext = Zeroizing::new(body.to_vec());
    let out = InOutBuf::from(plaintext.as_mut_slice());
    aead.decrypt_inout_detached(&nonce, &[], out, &tag).ok()?;
    Some(plaintext)
}

/// The parts of a stream that all fragments share.
struct Stream<A> {
    aead: A,
    nonce: [u8; MAX_NONCE],
    nonce_size: usize,
    /// The flag, then `T`.
    associated_data: [u8; 1 + TAG],
}

impl<A: AeadInOut + KeyInit> Stream<A> {
    fn new(key: &[u8], stream_nonce: &[u8]) -> Result<Self, SioError> {
        let nonce_size = stream_nonce.len() + COUNTER;
        let mut stream = Self {
            aead: A::new_from_slice(key).map_err(|_| SioError::Size)?,
            nonce: [0; MAX_NONCE],
            nonce_size,
            associated_data: [0; 1 + TAG],
        };
        let (head, _) = stream
            .nonce
            .split_at_mut_checked(stream_nonce.len())
            .ok_or(SioError::Size)?;
        head.copy_from_slice(stream_nonce);
        let nonce = stream.nonce_at(0)?;
        let tag = stream
            .aead
            .encrypt_inout_detached(&nonce, &[], InOutBuf::from(&mut [][..]))
            .map_err(|_| SioError::Size)?;
        let [_, associated @ ..] = &mut stream.associated_data;
        associated.copy_from_slice(&tag);
        Ok(stream)
    }

    fn nonce_at(&mut self, counter: u32) -> Result<Nonce<A>, SioError> {
        let nonce = self
            .nonce
            .get_mut(..self.nonce_size)
            .ok_or(SioError::Size)?;
        if let Some(tail) = nonce.last_chunk_mut() {
            *tail = counter.to_le_bytes();
        }
        Nonce::<A>::try_from(&*nonce).map_err(|_| SioError::Size)
    }

    /// The nonce of a fragment, and the associated data put right for it.
    fn fragment(&mut self, index: usize, last: bool) -> Result<Nonce<A>, SioError> {
        let [flag, ..] = &mut self.associated_data;
        *flag = if last { LAST } else { 0 };
        let counter = u32::try_from(index)
            .ok()
            .and_then(|index| index.checked_add(1));
        self.nonce_at(counter.ok_or(SioError::Size)?)
    }

    /// Appends what a fragment holds. False, and nothing appended, if it is not authentic.
    fn open(
        &mut self,
        index: usize,
        last: bool,
        fragment: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, SioError> {
        let nonce = self.fragment(index, last)?;
        let (body, tag) = fragment.split_last_chunk::<TAG>().ok_or(SioError::Size)?;
        let tag = Tag::<A>::try_from(&tag[..]).map_err(|_| SioError::Size)?;
        let start = out.len();
        out.extend_from_slice(body);
        let body = out.get_mut(start..).unwrap_or_default();
        let opened =
            self.aead
                .decrypt_inout_detached(&nonce, &self.associated_data, body.into(), &tag);
        if opened.is_err() {
            out.truncate(start);
        }
        Ok(opened.is_ok())
    }
}

fn seal_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), SioError> {
    let mut stream = Stream::<A>::new(key, nonce)?;
    out.reserve(sealed_size(plaintext.len()));
    let count = plaintext.len().div_ceil(FRAGMENT).max(1);
    for index in 0..count {
        let rest = plaintext.get(index * FRAGMENT..).unwrap_or_default();
        let fragment = rest.get(..FRAGMENT).unwrap_or(rest);
        let nonce = stream.fragment(index, index + 1 == count)?;
        let start = out.len();
        out.extend_from_slice(fragment);
        let body = out.get_mut(start..).unwrap_or_default();
        let tag = stream
            .aead
            .encrypt_inout_detached(&nonce, &stream.associated_data, body.into())
            .map_err(|_| SioError::Size)?;
        out.extend_from_slice(&tag);
    }
    Ok(())
}

fn open_with<A: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SioError> {
    let mut stream = Stream::<A>::new(key, nonce)?;
    let size = plaintext_size(sealed.len()).ok_or(SioError::Size)?;
    let mut out = Zeroizing::new(Vec::with_capacity(size));
    let count = sealed.len().div_ceil(FRAGMENT + TAG);
    for (index, fragment) in sealed.chunks(FRAGMENT + TAG).enumerate() {
        let last = index + 1 == count;
        if stream.open(index, last, fragment, &mut out)? {
            continue;
        }
        // Only a whole fragment can be one that others came after.
        let others_came_after = last
            && fragment.len() == FRAGMENT + TAG
            && stream.open(index, false, fragment, &mut out)?;
        return Err(match others_came_after {
            true => SioError::CutShort,
            false => SioError::NotAuthentic(index),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(cipher: Cipher, size: usize) -> Vec<u8> {
        let mut out = vec![];
        let key = &KEY[..cipher.key_size()];
        seal(
            cipher,
            key,
            &[9; 20][..cipher.stream_nonce_size()],
            &vec![1; size],
            &mut out,
        )
        .unwrap();
        out
    }

    fn opened(cipher: Cipher, stream: &[u8]) -> Result<Zeroizing<Vec<u8>>, SioError> {
        let key = &KEY[..cipher.key_size()];
        open(cipher, key, &[9; 20][..cipher.stream_nonce_size()], stream)
    }

    #[test]
    fn every_cipher_opens_what_it_sealed_at_the_edges_of_fragments() {
        for cipher in Cipher::ALL {
            for size in [
                0,
                1,
                FRAGMENT - 1,
                FRAGMENT,
                FRAGMENT + 1,
                2 * FRAGMENT,
                2 * FRAGMENT + 1,
            ] {
                let stream = sealed(cipher, size);
                assert_eq!(stream.len(), sealed_size(size));
                assert_eq!(plaintext_size(stream.len()), Some(size));
                assert_eq!(*opened(cipher, &stream).unwrap(), vec![1; size]);
            }
        }
    }

    #[test]
    fn sizes_that_no_stream_has_are_known() {
        for size in [
            0,
            15,
            FRAGMENT + TAG + 1,
            FRAGMENT + 2 * TAG,
            2 * (FRAGMENT + TAG) + 16,
        ] {
            assert_eq!(plaintext_size(size), None, "{size}");
            assert_eq!(
                opened(Cipher::Aes256Gcm, &vec![0; size]),
                Err(SioError::Size)
            );
        }
        assert_eq!(plaintext_size(FRAGMENT + 2 * TAG + 1), Some(FRAGMENT + 1));
    }

    #[test]
    fn cut_swapped_dropped_and_doubled_fragments_do_not_open() {
        let whole = FRAGMENT + TAG;
        let stream = sealed(Cipher::ChaCha20Poly1305, 3 * FRAGMENT);
        let part = |index: usize| &stream[index * whole..(index + 1) * whole];
        for parts in [vec![part(0)], vec![part(0), part(1)]] {
            let result = opened(Cipher::ChaCha20Poly1305, &parts.concat());
            assert_eq!(result, Err(SioError::CutShort));
        }
        for (parts, fails) in [
            (vec![part(1)], 0),
            (vec![part(1), part(0), part(2)], 0),
            (vec![part(0), part(2)], 1),
            (vec![part(0), part(1), part(1), part(2)], 2),
            (vec![part(0), part(1), part(2), part(2)], 2),
        ] {
            let result = opened(Cipher::ChaCha20Poly1305, &parts.concat());
            assert_eq!(result, Err(SioError::NotAuthentic(fails)));
        }
    }

    #[test]
    fn wrong_sizes_of_key_and_nonce_are_refused() {
        for (key, nonce) in [
            (31, 8),
            (32, 7),
            (32, 9),
            (32, 20),
            (32, 21),
            (0, 0),
            (32, 300),
        ] {
            let result = open(Cipher::Aes256Gcm, &vec![0; key], &vec![0; nonce], &[0; TAG]);
            assert_eq!(result, Err(SioError::Size));
        }
    }
}
