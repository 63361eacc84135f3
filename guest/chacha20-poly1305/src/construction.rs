//! The construction: RFC 8439, section 2.8; with longer nonces draft-irtf-cfrg-xchacha, section 2.3.

use core::arch::wasm32::{v128_any_true, v128_xor};
use core::fmt::{self, Debug, Formatter};
use core::marker::PhantomData;

use chacha20::{R20, hchacha};
use chacha20poly1305::aead::array::{Array, ArraySize};
use chacha20poly1305::aead::consts::{U4, U8, U12, U16, U24, U32};
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{
    AeadCore, AeadInOut, Error, Key, KeyInit, KeySizeUser, Nonce, Tag, TagPosition,
};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hash::Poly1305;
use crate::stream::{self, Stream};
use crate::vector::{Block, Kept, load, store};

/// The longest message, in bytes: section 2.8, "P_MAX".
const MAX_MESSAGE: u64 = ((1 << 32) - 1) * 64;
/// The bytes that four blocks mask, and those that are left of the first four, whose first is the hash's key.
const PART: usize = 256;
const FIRST_PART: usize = 192;

/// ChaCha20-Poly1305 with nonces of 12 bytes and tags of 16.
pub type ChaCha20Poly1305 = Construction<U12>;

/// XChaCha20-Poly1305 with nonces of 24 bytes and tags of 16.
pub type XChaCha20Poly1305 = Construction<U24>;

/// What both are, but for the size of nonces.
#[derive(Clone)]
pub struct Construction<N> {
    key: stream::Key,
    nonces: PhantomData<N>,
}

impl<N> Drop for Construction<N> {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl<N> ZeroizeOnDrop for Construction<N> {}

impl<N> Debug for Construction<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChaCha20Poly1305").finish_non_exhaustive()
    }
}

impl<N> KeySizeUser for Construction<N> {
    type KeySize = U32;
}

impl<N> KeyInit for Construction<N> {
    fn new(key: &Key<Self>) -> Self {
        Self {
            key: halves(&key.0),
            nonces: PhantomData,
        }
    }
}

impl<N: ArraySize> AeadCore for Construction<N> {
    type NonceSize = N;
    type TagSize = U16;
    const TAG_POSITION: TagPosition = TagPosition::Postfix;
}

fn halves(key: &[u8; 32]) -> stream::Key {
    let mut halves = stream::Key::default();
    let (blocks, _) = key.as_chunks();
    for (to, from) in halves.iter_mut().zip(blocks) {
        *to = Kept(load(from));
    }
    halves
}

/// How a nonce of this size begins a stream.
pub trait NonceSize: ArraySize {
    /// The stream of a key and a nonce.
    fn stream(key: &stream::Key, nonce: &Array<u8, Self>) -> Stream;
}

impl NonceSize for U12 {
    fn stream(key: &stream::Key, nonce: &Array<u8, Self>) -> Stream {
        Stream::new(key, &Array::<u8, U4>([0; 4]).concat(*nonce).0)
    }
}

impl NonceSize for U24 {
    fn stream(key: &stream::Key, nonce: &Array<u8, Self>) -> Stream {
        let [first, second] = key.map(|Kept(half)| Array::<u8, U16>(store(half)));
        let mut long = first.concat(second);
        let (input, rest) = nonce.split_ref::<U16>();
        let mut derived = hchacha::<R20>(&long, input);
        let mut key = halves(&derived.0);
        let stream = Stream::new(&key, &Array::<u8, U8>([0; 8]).concat(*rest).0);
        long.zeroize();
        derived.zeroize();
        key.zeroize();
        stream
    }
}

impl<N: NonceSize> AeadInOut for Construction<N> {
    fn encrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        associated_data: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
    ) -> Result<Tag<Self>, Error> {
        check_size(buffer.get_in())?;
        let mut stream = N::stream(&self.key, nonce);
        Ok(Array(seal(&mut stream, associated_data, buffer)))
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        associated_data: &[u8],
        mut buffer: InOutBuf<'_, '_, u8>,
        tag: &Tag<Self>,
    ) -> Result<(), Error> {
        check_size(buffer.get_in())?;
        let mut stream = N::stream(&self.key, nonce);
        let wanted = open(&mut stream, associated_data, buffer.reborrow());
        if v128_any_true(v128_xor(load(&wanted), load(&tag.0))) {
            // It was opened before it was known to be authentic, and nobody may have it.
            let mut stream = N::stream(&self.key, nonce);
            seal(&mut stream, associated_data, buffer.get_out().into());
            return Err(Error);
        }
        Ok(())
    }
}

fn check_size(message: &[u8]) -> Result<(), Error> {
    let fits = message.len() as u64 <= MAX_MESSAGE;
    fits.then_some(()).ok_or(Error)
}

/// Masks a message and returns its tag. What was masked is hashed while the next masks are made.
#[inline(never)]
fn seal(stream: &mut Stream, associated_data: &[u8], message: InOutBuf<'_, '_, u8>) -> Block {
    let size = message.len();
    let mut hash = begin(stream, associated_data);
    let (mut part, mut rest) = split(message, FIRST_PART);
    let [_, _, _, _, masks @ ..] = stream.masks();
    mask(part.reborrow(), masks);
    while !rest.is_empty() {
        let masks = stream.next_while_hashing(&mut hash, part.get_out());
        (part, rest) = split(rest, PART);
        mask(part.reborrow(), masks);
    }
    hash.add_padded(part.get_out());
    end(&mut hash, associated_data.len(), size)
}

/// Unmasks a message and returns the tag that it should have. Each part is hashed while its masks are made.
#[inline(never)]
fn open(stream: &mut Stream, associated_data: &[u8], message: InOutBuf<'_, '_, u8>) -> Block {
    let size = message.len();
    let mut hash = begin(stream, associated_data);
    let (part, mut rest) = split(message, FIRST_PART);
    hash.add_padded(part.get_in());
    let [_, _, _, _, masks @ ..] = stream.masks();
    mask(part, masks);
    while !rest.is_empty() {
        let (part, others) = split(rest, PART);
        let masks = stream.next_while_hashing(&mut hash, part.get_in());
        mask(part, masks);
        rest = others;
    }
    end(&mut hash, associated_data.len(), size)
}

/// The hash of the associated data, under a key from block 0.
fn begin(stream: &Stream, associated_data: &[u8]) -> Poly1305 {
    let [Kept(r), Kept(s), ..] = stream.masks();
    let mut hash = Poly1305::new(&store(*r), &store(*s));
    hash.add_padded(associated_data);
    hash
}

/// The tag: the sizes are hashed last.
fn end(hash: &mut Poly1305, associated_data: usize, message: usize) -> Block {
    let sizes = associated_data as u128 | (message as u128) << 64;
    hash.add_padded(&sizes.to_le_bytes());
    hash.tag()
}

/// The first bytes of a message, as many as there are, and the rest.
fn split<'i, 'o>(
    message: InOutBuf<'i, 'o, u8>,
    size: usize,
) -> (InOutBuf<'i, 'o, u8>, InOutBuf<'i, 'o, u8>) {
    let size = size.min(message.len());
    message.split_at(size)
}

/// Adds masks to a message no longer than they are.
#[inline(never)]
fn mask(message: InOutBuf<'_, '_, u8>, masks: &[Kept]) {
    let (blocks, rest) = message.into_chunks::<U16>();
    let last = masks.get(blocks.len());
    for (mut block, Kept(mask)) in blocks.into_iter().zip(masks) {
        let masked = v128_xor(load(&block.get_in().0), *mask);
        *block.get_out() = Array(store(masked));
    }
    if let Some(Kept(last)) = last {
        for (mut byte, mask) in rest.into_iter().zip(store(*last)) {
            let masked = *byte.get_in() ^ mask;
            *byte.get_out() = masked;
        }
    }
}
