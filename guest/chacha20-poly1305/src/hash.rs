//! Poly1305: RFC 8439, section 2.5.
//!
//! A sum modulo 2^130 - 5 has four limbs of 32 bits, which hold more than that between blocks, and a fifth of
//! two bits. The key's limbs leave their highest four bits unused and, but for the first, their lowest two. So
//! what goes beyond 2^128 needs no product of its own: 2^128 times a limb is 2^130 times its quarter, which is
//! five quarters of it. That makes 20 products for a block, and what is carried goes to the next limb only.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Sixteen bytes.
type Block = [u8; 16];

/// The bits of a limb.
const LIMB: u64 = 0xffff_ffff;
/// What "clamping" leaves of the key's limbs: section 2.5.
const FIRST_CLAMPED: u64 = 0x0fff_ffff;
/// See [`FIRST_CLAMPED`].
const CLAMPED: u64 = 0x0fff_fffc;

/// A sum of products, before its last reduction. With M = 2^32 the first limb is below 2.65 M, the next three
/// are below 2 M and the last is below 4: see [`Poly1305::added`].
type Sum = [u64; 5];

/// The hash of one message under a key of its own.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Poly1305 {
    /// The limbs of `r`.
    r: [u64; 4],
    /// Five quarters of those from the second on.
    quarters: [u64; 3],
    sum: Sum,
    /// What is added in the end.
    s: u128,
}

impl Poly1305 {
    /// Begins under a key: `r`, then `s`.
    pub fn new(r: &Block, s: &Block) -> Self {
        let [r0, r1, r2, r3] = limbs(r);
        let r = [r0 & FIRST_CLAMPED, r1 & CLAMPED, r2 & CLAMPED, r3 & CLAMPED];
        let [_, rest @ ..] = r;
        Self {
            r,
            quarters: rest.map(|limb| limb / 4 * 5),
            sum: [0; 5],
            s: u128::from_le_bytes(*s),
        }
    }

    /// A block more, and all times `r`.
    ///
    /// With M = 2^32 and R = 2^28: limbs of `r` are below R, five quarters of them below 1.25 R. With a block
    /// added, the limbs are below 3.65 M, 3 M, 3 M, 3 M, and at most 4. So the largest of the sums, the first, is
    /// below (3.65 + 3 · 3 · 1.25) · M · R < 14.91 · 2^60, and none reaches 2^64. The one that carries to the fifth
    /// limb is below (3.65 + 3 · 3) · M · R and 4 · 1.25 · R, so `top` is below 0.8 M and 4 R, that is 1.05 M. So
    /// the first limb is below M and 1.25 · 1.05 M, the next three below M and M, the last below 4, as before.
    #[inline(always)]
    fn added(&self, [h0, h1, h2, h3, h4]: Sum, block: &Block) -> Sum {
        let ([r0, r1, r2, r3], [q1, q2, q3]) = (self.r, self.quarters);
        let [b0, b1, b2, b3] = limbs(block);
        // Each whole block has a bit above its bytes.
        let (h0, h1, h2, h3, h4) = (h0 + b0, h1 + b1, h2 + b2, h3 + b3, h4 + 1);
        let d0 = h0 * r0 + h1 * q3 + h2 * q2 + h3 * q1;
        let d1 = h0 * r1 + h1 * r0 + h2 * q3 + h3 * q2 + h4 * q1;
        let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * q3 + h4 * q2;
        let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * q3;
        let top = h4 * r0 + (d3 >> 32);
        [
            (d0 & LIMB) + (top >> 2) * 5,
            (d1 & LIMB) + (d0 >> 32),
            (d2 & LIMB) + (d1 >> 32),
            (d3 & LIMB) + (d2 >> 32),
            top & 3,
        ]
    }

    /// Adds two blocks: as much as other work takes turns with.
    #[inline(always)]
    pub fn add_pair(&mut self, pair: &[u8; 32]) {
        let (blocks, _) = pair.as_chunks();
        for block in blocks {
            self.sum = self.added(self.sum, block);
        }
    }

    /// Adds bytes, and zeros up to a whole block.
    // Long, and called in several places.
    #[inline(never)]
    pub fn add_padded(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks();
        let mut sum = self.sum;
        for block in blocks {
            sum = self.added(sum, block);
        }
        if !rest.is_empty() {
            let block = rest
                .iter()
                .rev()
                .fold(0u128, |block, byte| block << 8 | u128::from(*byte));
            sum = self.added(sum, &block.to_le_bytes());
        }
        self.sum = sum;
    }

    /// The hash of all that was added.
    pub fn tag(&self) -> Block {
        let [h0, h1, h2, h3, h4] = carried(self.sum);
        // What the fifth limb has beyond its two bits, once more.
        let sum = carried([h0 + (h4 >> 2) * 5, h1, h2, h3, h4 & 3]);
        // With 5 more, what is the modulus or above reaches 2^130, and the rest remains.
        let [h0, h1, h2, h3, h4] = sum;
        let less = carried([h0 + 5, h1, h2, h3, h4]);
        let [.., top] = less;
        let mask = u128::from(top >> 2).wrapping_neg();
        let remainder = joined(sum) & !mask | joined(less) & mask;
        remainder.wrapping_add(self.s).to_le_bytes()
    }
}

/// A block's limbs, which are little-endian.
#[inline(always)]
fn limbs(block: &Block) -> [u64; 4] {
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
    ] = *block;
    [
        [a0, a1, a2, a3],
        [b0, b1, b2, b3],
        [c0, c1, c2, c3],
        [d0, d1, d2, d3],
    ]
    .map(|limb| u64::from(u32::from_le_bytes(limb)))
}

/// The same sum, with limbs below 2^32 but for the last.
fn carried([h0, h1, h2, h3, h4]: Sum) -> Sum {
    let h1 = h1 + (h0 >> 32);
    let h2 = h2 + (h1 >> 32);
    let h3 = h3 + (h2 >> 32);
    let h4 = h4 + (h3 >> 32);
    [h0 & LIMB, h1 & LIMB, h2 & LIMB, h3 & LIMB, h4]
}

/// The first four limbs as a number.
fn joined([h0, h1, h2, h3, _]: Sum) -> u128 {
    u128::from(h0 | h1 << 32) | u128::from(h2 | h3 << 32) << 64
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZEROS: Block = [0; 16];
    const ONES: Block = [0xff; 16];

    /// This byte, then others.
    fn block(first: u8, others: u8) -> Block {
        let mut block = [others; 16];
        block[0] = first;
        block
    }

    fn tag(r: &Block, s: &Block, blocks: &[Block]) -> Block {
        let mut hash = Poly1305::new(r, s);
        hash.add_padded(blocks.as_flattened());
        let mut by_pairs = Poly1305::new(r, s);
        let (pairs, rest) = blocks.as_flattened().as_chunks();
        for pair in pairs {
            by_pairs.add_pair(pair);
        }
        by_pairs.add_padded(rest);
        assert_eq!(hash.tag(), by_pairs.tag());
        hash.tag()
    }

    #[test]
    fn what_is_about_as_large_as_the_modulus_is_reduced() {
        // RFC 8439, appendix A.3, test vectors 7 to 11.
        let (one, two) = (block(1, 0), block(2, 0));
        assert_eq!(tag(&two, &ZEROS, &[ONES]), block(3, 0));
        assert_eq!(tag(&two, &ONES, &[two]), block(3, 0));
        let blocks = [ONES, block(0xf0, 0xff), block(0x11, 0)];
        assert_eq!(tag(&one, &ZEROS, &blocks), block(5, 0));
        let blocks = [ONES, block(0xfb, 0xfe), [1; 16]];
        assert_eq!(tag(&one, &ZEROS, &blocks), ZEROS);
        let blocks = [block(0xfd, 0xff)];
        assert_eq!(tag(&two, &ZEROS, &blocks), block(0xfa, 0xff));
    }

    #[test]
    fn no_sum_is_larger_than_its_bound() {
        // The largest key and the largest blocks; and all that a sum may be, with them. What overflows panics.
        let hash = Poly1305::new(&ONES, &ZEROS);
        let bounds = [(265 << 32) / 100, 2 << 32, 2 << 32, 2 << 32, 4];
        let mut sum = [0; 5];
        for _ in 0..1000 {
            sum = hash.added(sum, &ONES);
            assert!(sum.iter().zip(bounds).all(|(limb, bound)| *limb < bound));
        }
        let sum = hash.added(bounds.map(|bound| bound - 1), &ONES);
        assert!(sum.iter().zip(bounds).all(|(limb, bound)| *limb < bound));
    }
}
