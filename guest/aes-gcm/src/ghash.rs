//! GHASH (NIST SP 800-38D, section 6.4) by permuting vectors.
//!
//! A block is a polynomial over GF(2). One nibble of the key times any nibble is a table of 16 entries of
//! 7 bits; indexed by the nibbles of a block it multiplies 16 of them. The 32 tables of a key make the
//! whole product, without a carry and without an address that depends on a secret.
//!
//! Bytes stand in reverse, which makes the lowest bit that of the lowest power, as POLYVAL has it: GHASH under
//! H is POLYVAL under H times x (RFC 8452, appendix A).

use core::arch::wasm32::{
    i8x16_shuffle, i64x2_shuffle, u8x16, u8x16_splat, u64x2, u64x2_shl, u64x2_shr, u64x2_sub, v128,
    v128_and, v128_xor,
};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::permute::nibbles;
use crate::vector::{Block, Kept, ZERO, load, look_up};

/// How many blocks are multiplied by powers of the key together, so that one reduction serves all. What
/// more would take does not fit into sixteen registers.
const TOGETHER: usize = 2;
/// From how many blocks on it pays to compute the powers.
const WORTH: usize = 32;

/// The tables of `N` keys: for each byte of a key, from the highest, for each key, its lower nibble's and its
/// higher's.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Tables<const N: usize>([[[Kept; 2]; N]; 16]);

impl<const N: usize> Tables<N> {
    fn new(keys: [v128; N]) -> Self {
        let mut out = Self([[[Kept(ZERO); 2]; N]; 16]);
        for (at, tables) in (0..).zip(out.0.iter_mut().rev()) {
            for (tables, key) in tables.iter_mut().zip(keys) {
                let (high, low) = nibbles(look_up(key, u8x16_splat(at)));
                *tables = [multiples(low), multiples(high)].map(Kept);
            }
        }
        out
    }

    /// The sum of each block times its key.
    #[inline(always)]
    fn product(&self, blocks: [v128; N]) -> v128 {
        let blocks = blocks.map(nibbles);
        // Sums of products that begin at a byte, and of those that begin in its middle.
        let (mut whole, mut middle) = (Wide(ZERO, ZERO), Wide(ZERO, ZERO));
        for tables in &self.0 {
            for ([_, Kept(table)], (high, _)) in tables.iter().zip(blocks) {
                whole.0 = v128_xor(whole.0, look_up(*table, high));
            }
            (whole, middle) = (whole.up_a_byte(), middle.up_a_byte());
            for ([Kept(lower), Kept(higher)], (high, low)) in tables.iter().zip(blocks) {
                whole.0 = v128_xor(whole.0, look_up(*lower, low));
                middle.0 = v128_xor(middle.0, look_up(*lower, high));
                middle.0 = v128_xor(middle.0, look_up(*higher, low));
            }
        }
        let middle = middle.up_a_nibble();
        Wide(v128_xor(whole.0, middle.0), v128_xor(whole.1, middle.1)).reduced()
    }
}

/// A key that messages are hashed under.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key {
    key: Kept,
    // They wipe themselves.
    #[zeroize(skip)]
    tables: Tables<1>,
}

impl Key {
    /// The key that GHASH calls H.
    pub fn new(h: v128) -> Self {
        let h = reversed(h);
        // Times x: all bits move up, and the highest, x^128, becomes the polynomial's other terms.
        let ones = u64x2_shr(h, 63);
        let carried = i64x2_shuffle::<0, 2>(ZERO, ones);
        let highest = i64x2_shuffle::<1, 1>(ones, ones);
        // 0 or all ones.
        let highest = u64x2_sub(ZERO, highest);
        let shifted = v128_xor(u64x2_shl(h, 1), carried);
        let key = v128_xor(shifted, v128_and(highest, u64x2(1, 0xc2 << 56)));
        Self {
            key: Kept(key),
            tables: Tables::new([key]),
        }
    }

    /// GHASH of the blocks of `parts`, each padded with zeros, and of `last`.
    pub fn hash(&self, parts: [&[u8]; 2], last: v128) -> v128 {
        let mut sum = ZERO;
        for part in parts {
            let (mut whole, rest) = part.as_chunks::<16>();
            if whole.len() >= WORTH {
                let (groups, others) = whole.as_chunks::<TOGETHER>();
                sum = self.add_groups(sum, groups);
                whole = others;
            }
            for block in whole {
                sum = self.add(sum, load(block));
            }
            if !rest.is_empty() {
                let mut block = [0; 16];
                for (to, from) in block.iter_mut().zip(rest) {
                    *to = *from;
                }
                sum = self.add(sum, load(&block));
            }
        }
        reversed(self.add(sum, last))
    }

    fn add(&self, sum: v128, block: v128) -> v128 {
        self.tables.product([v128_xor(sum, reversed(block))])
    }

    fn add_groups(&self, sum: v128, groups: &[[Block; TOGETHER]]) -> v128 {
        let Kept(first) = self.key;
        let second = self.tables.product([first]);
        Tables::new([second, first]).add(sum, groups)
    }
}

impl Tables<TOGETHER> {
    /// A function of its own, so that the tables are reached from one address with constant distances.
    #[inline(never)]
    fn add(&self, mut sum: v128, groups: &[[Block; TOGETHER]]) -> v128 {
        for group in groups {
            let [a, b] = group.each_ref().map(|block| reversed(load(block)));
            sum = self.product([v128_xor(sum, a), b]);
        }
        sum
    }
}

/// The products of a nibble, in all bytes of `nibble`, with each nibble.
#[inline(always)]
fn multiples(nibble: v128) -> v128 {
    // Bytes whose index has this bit. A nibble is small enough to move up within its byte.
    let bit0 = u8x16(0, !0, 0, !0, 0, !0, 0, !0, 0, !0, 0, !0, 0, !0, 0, !0);
    let bit1 = u8x16(0, 0, !0, !0, 0, 0, !0, !0, 0, 0, !0, !0, 0, 0, !0, !0);
    let bit2 = u8x16(0, 0, 0, 0, !0, !0, !0, !0, 0, 0, 0, 0, !0, !0, !0, !0);
    let bit3 = u8x16(0, 0, 0, 0, 0, 0, 0, 0, !0, !0, !0, !0, !0, !0, !0, !0);
    v128_xor(
        v128_xor(v128_and(nibble, bit0), v128_and(u64x2_shl(nibble, 1), bit1)),
        v128_xor(
            v128_and(u64x2_shl(nibble, 2), bit2),
            v128_and(u64x2_shl(nibble, 3), bit3),
        ),
    )
}

/// A polynomial of 256 bits: the lower half, then the higher.
#[derive(Clone, Copy)]
struct Wide(v128, v128);

impl Wide {
    #[inline(always)]
    fn up_a_byte(self) -> Self {
        let Self(low, high) = self;
        Self(last_and_first_15(ZERO, low), last_and_first_15(low, high))
    }

    #[inline(always)]
    fn up_a_nibble(self) -> Self {
        let Self(low, high) = self;
        let (over_low, over_high) = (u64x2_shr(low, 60), u64x2_shr(high, 60));
        Self(
            v128_xor(u64x2_shl(low, 4), i64x2_shuffle::<0, 2>(ZERO, over_low)),
            v128_xor(
                u64x2_shl(high, 4),
                i64x2_shuffle::<1, 2>(over_low, over_high),
            ),
        )
    }

    /// Divided by x^128 modulo x^128 + x^127 + x^126 + x^121 + 1, as POLYVAL has it: multiples of the
    /// polynomial clear the lowest 64 bits, then the next, and the upper half remains.
    #[inline(always)]
    fn reduced(self) -> v128 {
        let Self(low, high) = self;
        let up = |words| {
            let terms = v128_xor(u64x2_shl(words, 63), u64x2_shl(words, 62));
            v128_xor(terms, u64x2_shl(words, 57))
        };
        let cleared = v128_xor(low, i64x2_shuffle::<0, 2>(ZERO, up(low)));
        let down = v128_xor(
            v128_xor(cleared, u64x2_shr(cleared, 1)),
            v128_xor(u64x2_shr(cleared, 2), u64x2_shr(cleared, 7)),
        );
        let over = i64x2_shuffle::<1, 2>(up(cleared), ZERO);
        v128_xor(v128_xor(high, down), over)
    }
}

/// The last byte of one vector, then the first 15 of another.
#[inline(always)]
fn last_and_first_15(before: v128, bytes: v128) -> v128 {
    i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(before, bytes)
}

#[inline(always)]
fn reversed(block: v128) -> v128 {
    let order = u8x16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    look_up(block, order)
}
