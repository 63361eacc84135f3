//! The mode: NIST SP 800-38D, sections 7.1 and 7.2, for nonces of 96 bits and whole tags.

use core::arch::wasm32::{u32x4_replace_lane, u64x2, v128, v128_any_true, v128_xor};
use core::fmt::{self, Debug, Formatter};

use aes_gcm::aead::array::Array;
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{
    AeadCore, AeadInOut, Error, Key, KeyInit, KeySizeUser, Nonce, Tag, TagPosition,
};
use zeroize::ZeroizeOnDrop;

use crate::bitslice::{BLOCKS, SlicedKeys};
use crate::ghash;
use crate::permute::RoundKeys;
use crate::vector::{ZERO, load, store};

/// The longest associated data and the longest message, in bytes: section 5.2.1.1.
const MAX_ASSOCIATED: u64 = (1 << 61) - 1;
const MAX_MESSAGE: u64 = (1 << 36) - 32;
/// The counter of the block that masks the tag; a message begins at the next.
const FIRST: u32 = 1;
/// From how many blocks on it pays to cut up the round keys.
const WORTH: usize = 5;

/// AES-256-GCM with nonces of 12 bytes and tags of 16.
#[derive(Clone)]
pub struct Aes256Gcm {
    cipher: RoundKeys,
    hash: ghash::Key,
}

impl ZeroizeOnDrop for Aes256Gcm {}

impl Debug for Aes256Gcm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aes256Gcm").finish_non_exhaustive()
    }
}

impl KeySizeUser for Aes256Gcm {
    type KeySize = U32;
}

impl KeyInit for Aes256Gcm {
    fn new(key: &Key<Self>) -> Self {
        let cipher = RoundKeys::new(&key.0);
        let [h] = cipher.encrypt([ZERO]);
        Self {
            cipher,
            hash: ghash::Key::new(h),
        }
    }
}

impl AeadCore for Aes256Gcm {
    type NonceSize = U12;
    type TagSize = U16;
    const TAG_POSITION: TagPosition = TagPosition::Postfix;
}

impl AeadInOut for Aes256Gcm {
    fn encrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        associated_data: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
    ) -> Result<Tag<Self>, Error> {
        check_sizes(associated_data, buffer.get_in())?;
        Ok(self.with_stream(nonce, buffer, |stream, mut buffer| {
            let [mask, first @ ..] = stream.first(buffer.len());
            stream.apply(&first, buffer.reborrow());
            let tag = self.tag(mask, associated_data, buffer.get_out());
            Array(store(tag))
        }))
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        associated_data: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
        tag: &Tag<Self>,
    ) -> Result<(), Error> {
        check_sizes(associated_data, buffer.get_in())?;
        self.with_stream(nonce, buffer, |stream, buffer| {
            let [mask, first @ ..] = stream.first(buffer.len());
            let wanted = self.tag(mask, associated_data, buffer.get_in());
            if v128_any_true(v128_xor(wanted, load(&tag.0))) {
                return Err(Error);
            }
            stream.apply(&first, buffer);
            Ok(())
        })
    }
}

fn check_sizes(associated_data: &[u8], message: &[u8]) -> Result<(), Error> {
    let fits =
        associated_data.len() as u64 <= MAX_ASSOCIATED && message.len() as u64 <= MAX_MESSAGE;
    fits.then_some(()).ok_or(Error)
}

impl Aes256Gcm {
    fn tag(&self, mask: v128, associated_data: &[u8], ciphertext: &[u8]) -> v128 {
        let bits = |bytes: &[u8]| (bytes.len() as u64 * 8).swap_bytes();
        let sizes = u64x2(bits(associated_data), bits(ciphertext));
        v128_xor(self.hash.hash([associated_data, ciphertext], sizes), mask)
    }

    /// Does work with the stream of a nonce, for a message as long as `buffer`.
    fn with_stream<'i, 'o, T>(
        &self,
        nonce: &Nonce<Self>,
        buffer: InOutBuf<'i, 'o, u8>,
        work: impl FnOnce(&Stream<'_>, InOutBuf<'i, 'o, u8>) -> T,
    ) -> T {
        let mut block = [0; 16];
        for (to, from) in block.iter_mut().zip(nonce) {
            *to = *from;
        }
        let mut stream = Stream {
            cipher: &self.cipher,
            sliced: None,
            nonce: load(&block),
        };
        if blocks(buffer.len()) < WORTH {
            return work(&stream, buffer);
        }
        let sliced = SlicedKeys::new(&self.cipher);
        stream.sliced = Some(&sliced);
        work(&stream, buffer)
    }
}

/// The blocks that a message of this size takes, with that of its tag.
fn blocks(size: usize) -> usize {
    1 + size.div_ceil(16)
}

/// The blocks that a message and its tag are masked with.
struct Stream<'a> {
    cipher: &'a RoundKeys,
    /// Where there is enough to encrypt.
    sliced: Option<&'a SlicedKeys>,
    /// The nonce, then the counter 0.
    nonce: v128,
}

impl Stream<'_> {
    /// As many of the first blocks as a message of this size takes.
    fn first(&self, size: usize) -> [v128; BLOCKS] {
        self.blocks(FIRST, blocks(size))
    }

    /// The blocks from `counter` on: as many as are `wanted`, eight at most, and others.
    fn blocks(&self, counter: u32, wanted: usize) -> [v128; BLOCKS] {
        let at =
            |block| u32x4_replace_lane::<3>(self.nonce, counter.wrapping_add(block).swap_bytes());
        match (self.sliced, wanted) {
            (_, 0..=1) => {
                let [a] = self.cipher.encrypt([at(0)]);
                [a, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO]
            }
            (Some(sliced), WORTH..) => {
                sliced.encrypt([at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)])
            }
            _ => {
                let [a, b, c, d] = self.cipher.encrypt([at(0), at(1), at(2), at(3)]);
                [a, b, c, d, ZERO, ZERO, ZERO, ZERO]
            }
        }
    }

    /// Masks a message, whose first blocks' masks are `first`.
    fn apply(&self, first: &[v128; BLOCKS - 1], buffer: InOutBuf<'_, '_, u8>) {
        let size = buffer.len().min(first.len() * 16);
        let (head, mut rest) = buffer.split_at(size);
        mask(head, first);
        let mut counter = FIRST.wrapping_add(BLOCKS as u32);
        while !rest.is_empty() {
            let size = rest.len().min(BLOCKS * 16);
            let (part, others) = rest.split_at(size);
            mask(part, &self.blocks(counter, size.div_ceil(16)));
            counter = counter.wrapping_add(BLOCKS as u32);
            rest = others;
        }
    }
}

/// Adds masks to a message no longer than they are.
#[inline(always)]
fn mask(message: InOutBuf<'_, '_, u8>, masks: &[v128]) {
    let (blocks, rest) = message.into_chunks::<U16>();
    let last = masks.get(blocks.len());
    for (mut block, mask) in blocks.into_iter().zip(masks) {
        let masked = v128_xor(load(&block.get_in().0), *mask);
        *block.get_out() = Array(store(masked));
    }
    if let Some(last) = last {
        for (mut byte, mask) in rest.into_iter().zip(store(*last)) {
            let masked = *byte.get_in() ^ mask;
            *byte.get_out() = masked;
        }
    }
}
