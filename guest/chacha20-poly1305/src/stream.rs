//! ChaCha20 (RFC 8439, section 2.4), four blocks at once, and whatever there is to hash meanwhile.
//!
//! Each word of a block has a vector, with that word of four blocks. A processor adds and shifts vectors and
//! multiplies numbers at the same time if both stand close to each other, so hashing takes turns with rounds.

use core::arch::wasm32::{
    i32x4_shuffle, i64x2_shuffle, u32x4, u32x4_add, u32x4_shl, u32x4_shr, v128, v128_or, v128_xor,
};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::hash::Poly1305;
use crate::vector::{Block, Kept, load};

/// The blocks that are made together.
const BLOCKS: u32 = 4;
/// A round of columns and one of diagonals: section 2.3.
const DOUBLE_ROUNDS: usize = 10;
/// Section 2.3.
const CONSTANTS: v128 = u32x4(0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574);

/// A key: its halves are the second and the third row of each block.
pub type Key = [Kept; 2];
/// The masks of four blocks, one after the other.
pub type Masks = [Kept; 16];

/// The stream of a key and a nonce, from block 0 on.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Stream {
    /// What the masks are made of: the first of them, and four words each.
    rows: [Kept; 4],
    masks: Masks,
}

impl Stream {
    /// The first four blocks. The nonce stands behind the counter, which is 0.
    // Long, and called in several places, as all that is never inlined here.
    #[inline(never)]
    pub fn new(key: &Key, counter_and_nonce: &Block) -> Self {
        let [second, third] = *key;
        let rows = [
            Kept(CONSTANTS),
            second,
            third,
            Kept(load(counter_and_nonce)),
        ];
        let mut state = spread(&rows);
        for _ in 0..DOUBLE_ROUNDS {
            state = double_round(state);
        }
        let masks = finished(&rows, state);
        Self { rows, masks }
    }

    /// The masks of the four blocks.
    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    /// The next four blocks, while bytes are hashed, with zeros up to a whole block.
    #[inline(never)]
    pub fn next_while_hashing(&mut self, hash: &mut Poly1305, bytes: &[u8]) -> &Masks {
        // No message has more blocks than can be counted, but the last of these may be of none.
        let [.., Kept(counter)] = &mut self.rows;
        *counter = u32x4_add(*counter, u32x4(BLOCKS, 0, 0, 0));
        let (mut state, mut rest) = (spread(&self.rows), bytes);
        for _ in 0..DOUBLE_ROUNDS {
            state = double_round(state);
            if let Some((pair, others)) = rest.split_first_chunk() {
                hash.add_pair(pair);
                rest = others;
            }
        }
        self.masks = finished(&self.rows, state);
        if !rest.is_empty() {
            hash.add_padded(rest);
        }
        &self.masks
    }
}

/// The words of four blocks, before the rounds.
#[inline(always)]
fn spread(rows: &[Kept; 4]) -> State {
    let [a, b, c, d] = rows;
    let [a0, a1, a2, a3] = splat(a);
    let [b0, b1, b2, b3] = splat(b);
    let [c0, c1, c2, c3] = splat(c);
    let [d0, d1, d2, d3] = splat(d);
    let d0 = u32x4_add(d0, u32x4(0, 1, 2, 3));
    [
        a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
    ]
}

#[inline(always)]
fn splat(Kept(row): &Kept) -> [v128; 4] {
    [
        i32x4_shuffle::<0, 0, 0, 0>(*row, *row),
        i32x4_shuffle::<1, 1, 1, 1>(*row, *row),
        i32x4_shuffle::<2, 2, 2, 2>(*row, *row),
        i32x4_shuffle::<3, 3, 3, 3>(*row, *row),
    ]
}

/// The masks, after the rounds.
#[inline(always)]
fn finished(rows: &[Kept; 4], state: State) -> Masks {
    let mut sums = state;
    for (sum, first) in sums.iter_mut().zip(spread(rows)) {
        *sum = u32x4_add(*sum, first);
    }
    let [
        a0,
        a1,
        a2,
        a3,
        b0,
        b1,
        b2,
        b3,
        c0,
        c1,
        c2,
        c3,
        d0,
        d1,
        d2,
        d3,
    ] = sums;
    let [a0, a1, a2, a3] = transposed([a0, a1, a2, a3]);
    let [b0, b1, b2, b3] = transposed([b0, b1, b2, b3]);
    let [c0, c1, c2, c3] = transposed([c0, c1, c2, c3]);
    let [d0, d1, d2, d3] = transposed([d0, d1, d2, d3]);
    let blocks = [
        a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3,
    ];
    blocks.map(Kept)
}

/// The words of four blocks.
type State = [v128; 16];

#[inline(always)]
fn double_round(state: State) -> State {
    let [
        a0,
        a1,
        a2,
        a3,
        b0,
        b1,
        b2,
        b3,
        c0,
        c1,
        c2,
        c3,
        d0,
        d1,
        d2,
        d3,
    ] = state;
    let [a0, b0, c0, d0] = quarter_round([a0, b0, c0, d0]);
    let [a1, b1, c1, d1] = quarter_round([a1, b1, c1, d1]);
    let [a2, b2, c2, d2] = quarter_round([a2, b2, c2, d2]);
    let [a3, b3, c3, d3] = quarter_round([a3, b3, c3, d3]);
    let [a0, b1, c2, d3] = quarter_round([a0, b1, c2, d3]);
    let [a1, b2, c3, d0] = quarter_round([a1, b2, c3, d0]);
    let [a2, b3, c0, d1] = quarter_round([a2, b3, c0, d1]);
    let [a3, b0, c1, d2] = quarter_round([a3, b0, c1, d2]);
    [
        a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
    ]
}

/// Section 2.1.
#[inline(always)]
fn quarter_round([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let a = u32x4_add(a, b);
    let d = rotated::<16>(v128_xor(d, a));
    let c = u32x4_add(c, d);
    let b = rotated::<12>(v128_xor(b, c));
    let a = u32x4_add(a, b);
    let d = rotated::<8>(v128_xor(d, a));
    let c = u32x4_add(c, d);
    let b = rotated::<7>(v128_xor(b, c));
    [a, b, c, d]
}

/// Words rotated to the left. A permutation of bytes can do it by 16 and by 8, and was no faster: strict
/// ones are two instructions too.
#[inline(always)]
fn rotated<const BITS: u32>(words: v128) -> v128 {
    v128_or(u32x4_shl(words, BITS), u32x4_shr(words, 32 - BITS))
}

/// Four words of four blocks become four blocks of four words.
#[inline(always)]
fn transposed([w0, w1, w2, w3]: [v128; 4]) -> [v128; 4] {
    let low01 = i32x4_shuffle::<0, 4, 1, 5>(w0, w1);
    let low23 = i32x4_shuffle::<0, 4, 1, 5>(w2, w3);
    let high01 = i32x4_shuffle::<2, 6, 3, 7>(w0, w1);
    let high23 = i32x4_shuffle::<2, 6, 3, 7>(w2, w3);
    [
        i64x2_shuffle::<0, 2>(low01, low23),
        i64x2_shuffle::<1, 3>(low01, low23),
        i64x2_shuffle::<0, 2>(high01, high23),
        i64x2_shuffle::<1, 3>(high01, high23),
    ]
}
