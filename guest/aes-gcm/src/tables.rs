//! The tables of [`permute`](crate::permute), computed while this compiles.
//!
//! AES inverts in GF(2^8), whose elements here are `i + k·Z'` with `i` and `k` in its subfield GF(2^4): `Z`
//! and `Z'` = Z^16 are conjugates with sum 1 and product 1/a, so that with `j = i + k` the element is
//! `i·Z + j·Z'`. Its inverse follows from inverses in GF(2^4), which tables of 16 entries hold (Hamburg,
//! "Accelerating AES with Vector Permute Instructions", CHES 2009, section 4):
//!
//! ```text
//! u = 1 / (1/i + a/k) + j,   v = 1 / (1/j + a/k) + i,   and the inverse is linear in 1/u and 1/v
//! ```
//!
//! An element of GF(2^4) is a nibble, by the basis 1, w, w^2, w^3 of a generator w. 1/0 is [`INFINITE`],
//! which stays more than 15 whatever nibble is added, and is looked up as 0.
// Only what is computed while compiling stands here: a wrong index does not compile.
#![allow(clippy::indexing_slicing)]

/// 16 entries, one for each nibble.
pub type Table = [u8; 16];

/// What stands for 1/0.
const INFINITE: u8 = 0x80;
/// x^8 + x^4 + x^3 + x + 1 without its first term: FIPS 197, section 4.2.
const POLYNOMIAL: u8 = 0x1b;

/// The product in AES' GF(2^8).
const fn product(a: u8, b: u8) -> u8 {
    let (mut sum, mut power, mut bit) = (0, a, 0);
    while bit < 8 {
        if b >> bit & 1 == 1 {
            sum ^= power;
        }
        power = power << 1 ^ if power >> 7 == 1 { POLYNOMIAL } else { 0 };
        bit += 1;
    }
    sum
}

const fn power(a: u8, exponent: u32) -> u8 {
    let (mut result, mut count) = (1, 0);
    while count < exponent {
        result = product(result, a);
        count += 1;
    }
    result
}

/// The inverse, and 0 for 0.
const fn inverse(a: u8) -> u8 {
    power(a, 254)
}

/// `w`: 3 generates the group of GF(2^8), of order 255 = 15 · 17.
const W: u8 = power(3, 17);

/// `Z`: the first element whose sum with its conjugate is 1.
const Z: u8 = {
    let mut z = 2;
    while z ^ power(z, 16) != 1 {
        z += 1;
    }
    z
};
const Z_CONJUGATE: u8 = power(Z, 16);
/// `a`.
const A: u8 = inverse(product(Z, Z_CONJUGATE));

/// The element of GF(2^4) that a nibble stands for, as an element of GF(2^8).
const fn element(nibble: u8) -> u8 {
    let (mut sum, mut bit) = (0, 0);
    while bit < 4 {
        if nibble >> bit & 1 == 1 {
            sum ^= power(W, bit);
        }
        bit += 1;
    }
    sum
}

/// The reverse of [`element`].
const fn nibble(element_: u8) -> u8 {
    let mut nibble = 0;
    while element(nibble) != element_ {
        nibble += 1;
    }
    nibble
}

/// A byte of AES for each pair of nibbles, `i` above `k`.
const BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut pair = 0;
    while pair < 256 {
        let (i, k) = (element((pair >> 4) as u8), element((pair & 15) as u8));
        bytes[pair] = i ^ product(k, Z_CONJUGATE);
        pair += 1;
    }
    bytes
};

/// The pair of nibbles of a byte.
const fn pair(byte: u8) -> u8 {
    let mut pair = 0;
    while BYTES[pair] != byte {
        pair += 1;
    }
    pair as u8
}

/// The linear part of AES' S-box: FIPS 197, section 5.1.1.
const fn affine(byte: u8) -> u8 {
    let mut sum = byte;
    let mut turn = 1;
    while turn < 5 {
        sum ^= byte.rotate_left(turn);
        turn += 1;
    }
    sum
}

/// The pairs of bytes below 16, and of their multiples of 16: a byte's pair is the sum of two.
pub const PAIR_LOW: Table = pairs(1);
/// See [`PAIR_LOW`].
pub const PAIR_HIGH: Table = pairs(16);

const fn pairs(factor: usize) -> Table {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < 16 {
        table[nibble] = pair((nibble * factor) as u8);
        nibble += 1;
    }
    table
}

/// `1/n`.
pub const ONE_BY: Table = quotients(1);
/// `a/n`.
pub const A_BY: Table = quotients(A);

const fn quotients(numerator: u8) -> Table {
    let mut table = [INFINITE; 16];
    let mut n = 1;
    while n < 16 {
        table[n] = nibble(product(numerator, inverse(element(n as u8))));
        n += 1;
    }
    table
}

/// What the S-box's tables hold.
#[derive(Clone, Copy)]
enum Out {
    /// Bytes.
    Bytes,
    /// Pairs.
    Pairs,
    /// Pairs of the bytes' doubles, which a round's columns are mixed of.
    Doubles,
}

/// The S-box without its constant is the sum of two entries, of `u` and `v`.
pub const BYTE_U: Table = outputs(U, Out::Bytes);
/// See [`BYTE_U`].
pub const BYTE_V: Table = outputs(V, Out::Bytes);
/// [`BYTE_U`] as pairs.
pub const PAIR_U: Table = outputs(U, Out::Pairs);
/// [`BYTE_V`] as pairs.
pub const PAIR_V: Table = outputs(V, Out::Pairs);
/// Twice [`PAIR_U`].
pub const DOUBLE_U: Table = outputs(U, Out::Doubles);
/// Twice [`PAIR_V`].
pub const DOUBLE_V: Table = outputs(V, Out::Doubles);

/// The inverse is `U·(1/u) + V·(1/v)`: with D = i·j + k²/a, 1/u is (k + a·i)/(a·D) and 1/v is
/// (k + a·j)/(a·D), and the inverse is (j·Z + i·Z')/D.
const U: u8 = product(inverse(A), Z ^ product(1 ^ A, Z_CONJUGATE));
/// See [`U`].
const V: u8 = product(inverse(A), product(1 ^ A, Z) ^ Z_CONJUGATE);

const fn outputs(factor: u8, out: Out) -> Table {
    // Neither `u` nor `v` is ever 0.
    let mut table = [0; 16];
    let mut n = 1;
    while n < 16 {
        let byte = affine(product(factor, inverse(element(n as u8))));
        table[n] = match out {
            Out::Bytes => byte,
            Out::Pairs => pair(byte),
            Out::Doubles => pair(product(2, byte)),
        };
        n += 1;
    }
    table
}

/// `out[at]` is the byte that comes to `at`.
pub type Permutation = [u8; 16];

const IDENTITY: Permutation = rotated(0);

/// ShiftRows (FIPS 197, section 5.1.2), where byte `4c + r` is row `r` of column `c`.
const SHIFT_ROWS: Permutation = {
    let mut out = [0; 16];
    let mut at = 0;
    while at < 16 {
        let (column, row) = (at / 4, at % 4);
        out[at] = ((column + row) % 4 * 4 + row) as u8;
        at += 1;
    }
    out
};

/// Each column rotated by `by` rows.
const fn rotated(by: usize) -> Permutation {
    let mut out = [0; 16];
    let mut at = 0;
    while at < 16 {
        out[at] = (at / 4 * 4 + (at + by) % 4) as u8;
        at += 1;
    }
    out
}

/// First one permutation, then another.
const fn then(first: Permutation, second: Permutation) -> Permutation {
    let mut out = [0; 16];
    let mut at = 0;
    while at < 16 {
        out[at] = first[second[at] as usize];
        at += 1;
    }
    out
}

/// ShiftRows so many times. Four times is none at all.
pub const fn shifted(times: usize) -> Permutation {
    let (mut out, mut count) = (IDENTITY, 0);
    while count < times % 4 {
        out = then(out, SHIFT_ROWS);
        count += 1;
    }
    out
}

/// [`rotated`] in the order that bytes have in round `round` when no round shifts its rows: the state
/// then lacks `round` times ShiftRows, so that comes before and its reverse after.
pub const fn rotated_in(round: usize, by: usize) -> Permutation {
    then(then(shifted(round), rotated(by)), shifted(4 - round % 4))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// What a vector permutation gives.
    fn look_up(table: &Table, index: u8) -> u8 {
        table.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// `u` and `v` of a byte.
    fn halves(byte: u8) -> (u8, u8) {
        let pair = look_up(&PAIR_LOW, byte & 15) ^ look_up(&PAIR_HIGH, byte >> 4);
        let (i, k) = (pair >> 4, pair & 15);
        let j = i ^ k;
        let shared = look_up(&A_BY, k);
        let u = look_up(&ONE_BY, look_up(&ONE_BY, i) ^ shared) ^ j;
        let v = look_up(&ONE_BY, look_up(&ONE_BY, j) ^ shared) ^ i;
        (u, v)
    }

    #[test]
    fn the_tables_make_the_s_box_for_every_byte() {
        // FIPS 197, table 4: its corners, and the definition for all.
        for (byte, wanted) in [
            (0x00, 0x63),
            (0x0f, 0x76),
            (0x53, 0xed),
            (0xf0, 0x8c),
            (0xff, 0x16),
        ] {
            assert_eq!(affine(inverse(byte)) ^ 0x63, wanted);
        }
        for byte in 0..=255 {
            let wanted = affine(inverse(byte));
            let (u, v) = halves(byte);
            assert_eq!(look_up(&BYTE_U, u) ^ look_up(&BYTE_V, v), wanted);
            let pairs = look_up(&PAIR_U, u) ^ look_up(&PAIR_V, v);
            assert_eq!(BYTES[usize::from(pairs)], wanted);
            let doubles = look_up(&DOUBLE_U, u) ^ look_up(&DOUBLE_V, v);
            assert_eq!(BYTES[usize::from(doubles)], product(2, wanted));
        }
    }

    #[test]
    fn indices_are_nibbles_or_have_the_highest_bit() {
        // What a relaxed permutation, or one of another engine, does with others may differ.
        for byte in 0..=255 {
            let (u, v) = halves(byte);
            assert!((1..16).contains(&u) || u >= INFINITE, "{byte}");
            assert!((1..16).contains(&v) || v >= INFINITE, "{byte}");
        }
    }

    #[test]
    fn permutations_are_those_of_the_standard() {
        assert_eq!(
            shifted(1),
            [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11]
        );
        assert_eq!(shifted(4), IDENTITY);
        assert_eq!(then(shifted(3), shifted(1)), IDENTITY);
        assert_eq!(
            rotated_in(0, 1),
            [1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12]
        );
        for round in 0..8 {
            let turned = then(rotated_in(round, 1), rotated_in(round, 1));
            assert_eq!(turned, rotated_in(round, 2));
        }
    }
}
