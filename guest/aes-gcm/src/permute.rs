//! AES-256 by permuting vectors, for a key schedule and for up to four blocks.
//!
//! A byte is held as two nibbles, and 16-entry tables of them invert it ([`tables`]). Rounds do not shift
//! rows: the order of the bytes drifts instead, with it the order of the round keys and the rows that a
//! column is mixed of, and the last round puts all right.

use core::arch::wasm32::{
    i8x16_shuffle, i32x4_shuffle, u8x16, u8x16_splat, u16x8_shr, v128, v128_and, v128_xor,
};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::tables::{self, Permutation, Table};
use crate::vector::{Kept, ZERO, load, look_up};

/// The rounds of AES-256: FIPS 197, figure 4.
pub const ROUNDS: usize = 14;
/// The constant of the S-box: FIPS 197, section 5.1.1.
const S_BOX: u8 = 0x63;
/// The constants of the key schedule that AES-256 uses: FIPS 197, section 5.2.
const ROUND_CONSTANTS: [u8; 7] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40];

/// The order of bytes that each round key has.
const ORDERS: [Permutation; ROUNDS + 1] = {
    let mut orders = [tables::shifted(0); ROUNDS + 1];
    let (mut rest, mut round): (&mut [Permutation], _) = (&mut orders, 0);
    while let [order, tail @ ..] = rest {
        // The last round shifts all rows that are due.
        let due = if round == ROUNDS { 0 } else { round };
        *order = tables::shifted(4 - due % 4);
        rest = tail;
        round += 1;
    }
    orders
};

/// What brings the bytes of the last round into order.
pub const LAST_ORDER: Permutation = tables::shifted(ROUNDS);

/// For each round but the last, how it rotates columns by `by` rows.
pub const fn rotations(by: usize) -> [Permutation; ROUNDS - 1] {
    let mut rotations = [tables::shifted(0); ROUNDS - 1];
    let (mut rest, mut round): (&mut [Permutation], _) = (&mut rotations, 1);
    while let [rotation, tail @ ..] = rest {
        *rotation = tables::rotated_in(round, by);
        rest = tail;
        round += 1;
    }
    rotations
}

static FORWARD: [Permutation; ROUNDS - 1] = rotations(1);
static BACKWARD: [Permutation; ROUNDS - 1] = rotations(3);

/// A key's round keys, each with the constant of the S-box before it, in the order that the bytes then
/// have.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RoundKeys {
    /// As bytes, which `bitslice` cuts up.
    pub bytes: [Kept; ROUNDS + 1],
    /// As pairs of nibbles.
    pairs: [Kept; ROUNDS + 1],
}

impl RoundKeys {
    /// The key schedule: FIPS 197, section 5.2.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut keys = Self {
            bytes: [Kept::default(); ROUNDS + 1],
            pairs: [Kept::default(); ROUNDS + 1],
        };
        let (halves, _) = key.as_chunks::<16>();
        let [first, second] = halves else {
            return keys; // 32 bytes are two blocks.
        };
        let (mut even, mut odd) = (load(first), load(second));
        keys.put(0, even);
        keys.put(1, odd);
        for (step, constant) in ROUND_CONSTANTS.into_iter().enumerate() {
            // Word 3 turned by a byte, in all words.
            let turned =
                i8x16_shuffle::<13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12>(
                    odd, odd,
                );
            even = v128_xor(summed(even), substituted(turned));
            even = v128_xor(even, word(constant));
            keys.put(2 * step + 2, even);
            let last = i32x4_shuffle::<3, 3, 3, 3>(even, even);
            odd = v128_xor(summed(odd), substituted(last));
            keys.put(2 * step + 3, odd);
        }
        keys
    }

    /// The schedule makes one key more than there are rounds; that one is left.
    fn put(&mut self, round: usize, key: v128) {
        let slots = self.bytes.get_mut(round).zip(self.pairs.get_mut(round));
        if let Some(((bytes, pairs), order)) = slots.zip(ORDERS.get(round)) {
            let constant = if round == 0 { 0 } else { S_BOX };
            let key = v128_xor(key, u8x16_splat(constant));
            let key = look_up(key, load(order));
            *bytes = Kept(key);
            *pairs = Kept(paired(key));
        }
    }

    /// Encrypts blocks, side by side to keep the processor busy.
    #[inline(always)]
    pub fn encrypt<const N: usize>(&self, blocks: [v128; N]) -> [v128; N] {
        let [Kept(first), middle @ .., _] = &self.pairs;
        let [.., Kept(last)] = &self.bytes;
        let mut state = blocks.map(|block| v128_xor(paired(block), *first));
        for ((Kept(key), forward), backward) in middle.iter().zip(&FORWARD).zip(&BACKWARD) {
            let (forward, backward) = (load(forward), load(backward));
            state = state.map(|block| {
                let halves = Halves::of(block);
                let once = halves.sum(&tables::PAIR_U, &tables::PAIR_V);
                let twice = halves.sum(&tables::DOUBLE_U, &tables::DOUBLE_V);
                // Each byte becomes twice itself, three times the next, the one after and the last.
                let mixed = v128_xor(look_up(once, forward), twice);
                let others = v128_xor(look_up(once, backward), look_up(mixed, forward));
                v128_xor(v128_xor(mixed, others), *key)
            });
        }
        let order = load(&LAST_ORDER);
        state.map(|block| {
            let out = Halves::of(block).sum(&tables::BYTE_U, &tables::BYTE_V);
            v128_xor(look_up(out, order), *last)
        })
    }
}

/// What the S-box's tables are indexed by: `u` and `v` of each byte.
struct Halves {
    u: v128,
    v: v128,
}

impl Halves {
    #[inline(always)]
    fn of(pairs: v128) -> Self {
        let (a_by, one_by) = (load(&tables::A_BY), load(&tables::ONE_BY));
        let (i, k) = nibbles(pairs);
        let j = v128_xor(i, k);
        let shared = look_up(a_by, k);
        let of_i = v128_xor(look_up(one_by, i), shared);
        let of_j = v128_xor(look_up(one_by, j), shared);
        Self {
            u: v128_xor(look_up(one_by, of_i), j),
            v: v128_xor(look_up(one_by, of_j), i),
        }
    }

    #[inline(always)]
    fn sum(&self, of_u: &Table, of_v: &Table) -> v128 {
        v128_xor(look_up(load(of_u), self.u), look_up(load(of_v), self.v))
    }
}

/// The high and the low nibble of each byte.
#[inline(always)]
pub fn nibbles(bytes: v128) -> (v128, v128) {
    let low = u8x16_splat(0x0f);
    // Eight bits are shifted among sixteen, so that the mask comes after.
    (v128_and(u16x8_shr(bytes, 4), low), v128_and(bytes, low))
}

/// Bytes as pairs of nibbles.
#[inline(always)]
fn paired(bytes: v128) -> v128 {
    let (high, low) = nibbles(bytes);
    v128_xor(
        look_up(load(&tables::PAIR_LOW), low),
        look_up(load(&tables::PAIR_HIGH), high),
    )
}

/// The S-box of each byte.
#[inline(always)]
fn substituted(bytes: v128) -> v128 {
    let out = Halves::of(paired(bytes)).sum(&tables::BYTE_U, &tables::BYTE_V);
    v128_xor(out, u8x16_splat(S_BOX))
}

/// Each word with all words before it.
#[inline(always)]
fn summed(words: v128) -> v128 {
    let words = v128_xor(words, i32x4_shuffle::<0, 4, 5, 6>(ZERO, words));
    v128_xor(words, i32x4_shuffle::<0, 1, 4, 5>(ZERO, words))
}

/// A round constant: the first byte of each word.
#[inline(always)]
fn word(constant: u8) -> v128 {
    let c = constant;
    u8x16(c, 0, 0, 0, c, 0, 0, 0, c, 0, 0, 0, c, 0, 0, 0)
}
