//! AES-256 on eight blocks at once, as a circuit on their bits: the fastest for more than a few blocks.
//!
//! Vector `b` has bit `b` of every byte: its byte `p` belongs to byte `p` of the blocks, one bit for each
//! block. So the S-box is a circuit of logic operations (Boyar and Peralta, "A new combinational logic
//! minimization technique with applications to cryptology", SEA 2010), and permuting bytes moves eight
//! blocks at once. The order of bytes drifts as in [`permute`](crate::permute).

use core::arch::wasm32::{i8x16_ne, u8x16_splat, u64x2_shl, u64x2_shr, v128, v128_and, v128_xor};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::permute::{LAST_ORDER, ROUNDS, RoundKeys, rotations};
use crate::tables::Permutation;
use crate::vector::{Kept, ZERO, load, look_up};

/// The blocks that are encrypted together.
pub const BLOCKS: usize = 8;

static BY_ONE: [Permutation; ROUNDS - 1] = rotations(1);
static BY_TWO: [Permutation; ROUNDS - 1] = rotations(2);

/// Bits of eight blocks, or of a round key.
type Slices = [v128; 8];

/// Round keys, each bit as often as there are blocks.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SlicedKeys([[Kept; 8]; ROUNDS + 1]);

impl SlicedKeys {
    /// Cuts up round keys.
    pub fn new(keys: &RoundKeys) -> Self {
        let mut sliced = Self([[Kept::default(); 8]; ROUNDS + 1]);
        for (slices, Kept(key)) in sliced.0.iter_mut().zip(&keys.bytes) {
            for (bit, slice) in slices.iter_mut().enumerate() {
                let bits = v128_and(*key, u8x16_splat(1 << bit));
                *slice = Kept(i8x16_ne(bits, ZERO));
            }
        }
        sliced
    }

    /// Encrypts eight blocks.
    pub fn encrypt(&self, blocks: [v128; BLOCKS]) -> [v128; BLOCKS] {
        let [keys @ .., before_last, last] = &self.0;
        let mut state = transposed(blocks);
        for ((key, by_one), by_two) in keys.iter().zip(&BY_ONE).zip(&BY_TWO) {
            state = mixed(
                substituted(with_key(state, key)),
                load(by_one),
                load(by_two),
            );
        }
        let order = load(&LAST_ORDER);
        let state = substituted(with_key(state, before_last)).map(|slice| look_up(slice, order));
        transposed(with_key(state, last))
    }
}

#[inline(always)]
fn with_key(state: Slices, key: &[Kept; 8]) -> Slices {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = state;
    let [k0, k1, k2, k3, k4, k5, k6, k7] = key;
    [
        v128_xor(s0, k0.0),
        v128_xor(s1, k1.0),
        v128_xor(s2, k2.0),
        v128_xor(s3, k3.0),
        v128_xor(s4, k4.0),
        v128_xor(s5, k5.0),
        v128_xor(s6, k6.0),
        v128_xor(s7, k7.0),
    ]
}

/// MixColumns (FIPS 197, section 5.1.3): with the next row added, each byte is doubled, and what is next
/// and what is two rows further is added.
#[inline(always)]
fn mixed(state: Slices, by_one: v128, by_two: v128) -> Slices {
    let next = state.map(|slice| look_up(slice, by_one));
    let pair = |slice: v128, next: v128| v128_xor(slice, next);
    let [s0, s1, s2, s3, s4, s5, s6, s7] = state;
    let [n0, n1, n2, n3, n4, n5, n6, n7] = next;
    let (p0, p1, p2, p3) = (pair(s0, n0), pair(s1, n1), pair(s2, n2), pair(s3, n3));
    let (p4, p5, p6, p7) = (pair(s4, n4), pair(s5, n5), pair(s6, n6), pair(s7, n7));
    let sum = |next: v128, pair: v128, doubled: v128| {
        v128_xor(v128_xor(next, look_up(pair, by_two)), doubled)
    };
    // Doubling moves each bit up, and the highest to where the polynomial has terms.
    [
        sum(n0, p0, p7),
        sum(n1, p1, v128_xor(p0, p7)),
        sum(n2, p2, p1),
        sum(n3, p3, v128_xor(p2, p7)),
        sum(n4, p4, v128_xor(p3, p7)),
        sum(n5, p5, p4),
        sum(n6, p6, p5),
        sum(n7, p7, p6),
    ]
}

/// From blocks to bits, and back: each byte position is a matrix of eight by eight bits.
#[inline(always)]
fn transposed(vectors: [v128; 8]) -> [v128; 8] {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = vectors;
    let (a0, a1) = swapped::<1>(a0, a1, 0x55);
    let (a2, a3) = swapped::<1>(a2, a3, 0x55);
    let (a4, a5) = swapped::<1>(a4, a5, 0x55);
    let (a6, a7) = swapped::<1>(a6, a7, 0x55);
    let (a0, a2) = swapped::<2>(a0, a2, 0x33);
    let (a1, a3) = swapped::<2>(a1, a3, 0x33);
    let (a4, a6) = swapped::<2>(a4, a6, 0x33);
    let (a5, a7) = swapped::<2>(a5, a7, 0x33);
    let (a0, a4) = swapped::<4>(a0, a4, 0x0f);
    let (a1, a5) = swapped::<4>(a1, a5, 0x0f);
    let (a2, a6) = swapped::<4>(a2, a6, 0x0f);
    let (a3, a7) = swapped::<4>(a3, a7, 0x0f);
    [a0, a1, a2, a3, a4, a5, a6, a7]
}

/// Swaps the bits of `a` above those of `mask` by `SHIFT` with the bits of `b` at `mask`.
#[inline(always)]
fn swapped<const SHIFT: u32>(a: v128, b: v128, mask: u8) -> (v128, v128) {
    let moved = v128_xor(u64x2_shr(a, SHIFT), b);
    let moved = v128_and(moved, u8x16_splat(mask));
    (v128_xor(a, u64x2_shl(moved, SHIFT)), v128_xor(b, moved))
}

/// The S-box without its constant, which the round keys have: the paper's 115 gates, 32 of
/// them ands.
/// `x0` and `s0` are the highest bits.
#[inline(always)]
fn substituted(state: Slices) -> Slices {
    let and = |a: v128, b: v128| v128_and(a, b);
    let xor = |a: v128, b: v128| v128_xor(a, b);
    let [x7, x6, x5, x4, x3, x2, x1, x0] = state;

    let y14 = xor(x3, x5);
    let y13 = xor(x0, x6);
    let y9 = xor(x0, x3);
    let y8 = xor(x0, x5);
    let t0 = xor(x1, x2);
    let y1 = xor(t0, x7);
    let y4 = xor(y1, x3);
    let y12 = xor(y13, y14);
    let y2 = xor(y1, x0);
    let y5 = xor(y1, x6);
    let y3 = xor(y5, y8);
    let t1 = xor(x4, y12);
    let y15 = xor(t1, x5);
    let y20 = xor(t1, x1);
    let y6 = xor(y15, x7);
    let y10 = xor(y15, t0);
    let y11 = xor(y20, y9);
    let y7 = xor(x7, y11);
    let y17 = xor(y10, y11);
    let y19 = xor(y10, y8);
    let y16 = xor(t0, y11);
    let y21 = xor(y13, y16);
    let y18 = xor(x0, y16);

    let t2 = and(y12, y15);
    let t3 = and(y3, y6);
    let t4 = xor(t3, t2);
    let t5 = and(y4, x7);
    let t6 = xor(t5, t2);
    let t7 = and(y13, y16);
    let t8 = and(y5, y1);
    let t9 = xor(t8, t7);
    let t10 = and(y2, y7);
    let t11 = xor(t10, t7);
    let t12 = and(y9, y11);
    let t13 = and(y14, y17);
    let t14 = xor(t13, t12);
    let t15 = and(y8, y10);
    let t16 = xor(t15, t12);
    let t17 = xor(t4, t14);
    let t18 = xor(t6, t16);
    let t19 = xor(t9, t14);
    let t20 = xor(t11, t16);
    let t21 = xor(t17, y20);
    let t22 = xor(t18, y19);
    let t23 = xor(t19, y21);
    let t24 = xor(t20, y18);
    let t25 = xor(t21, t22);
    let t26 = and(t21, t23);
    let t27 = xor(t24, t26);
    let t28 = and(t25, t27);
    let t29 = xor(t28, t22);
    let t30 = xor(t23, t24);
    let t31 = xor(t22, t26);
    let t32 = and(t31, t30);
    let t33 = xor(t32, t24);
    let t34 = xor(t23, t33);
    let t35 = xor(t27, t33);
    let t36 = and(t24, t35);
    let t37 = xor(t36, t34);
    let t38 = xor(t27, t36);
    let t39 = and(t29, t38);
    let t40 = xor(t25, t39);
    let t41 = xor(t40, t37);
    let t42 = xor(t29, t33);
    let t43 = xor(t29, t40);
    let t44 = xor(t33, t37);
    let t45 = xor(t42, t41);
    let z0 = and(t44, y15);
    let z1 = and(t37, y6);
    let z2 = and(t33, x7);
    let z3 = and(t43, y16);
    let z4 = and(t40, y1);
    let z5 = and(t29, y7);
    let z6 = and(t42, y11);
    let z7 = and(t45, y17);
    let z8 = and(t41, y10);
    let z9 = and(t44, y12);
    let z10 = and(t37, y3);
    let z11 = and(t33, y4);
    let z12 = and(t43, y13);
    let z13 = and(t40, y5);
    let z14 = and(t29, y2);
    let z15 = and(t42, y9);
    let z16 = and(t45, y14);
    let z17 = and(t41, y8);

    let t46 = xor(z15, z16);
    let t47 = xor(z10, z11);
    let t48 = xor(z5, z13);
    let t49 = xor(z9, z10);
    let t50 = xor(z2, z12);
    let t51 = xor(z2, z5);
    let t52 = xor(z7, z8);
    let t53 = xor(z0, z3);
    let t54 = xor(z6, z7);
    let t55 = xor(z16, z17);
    let t56 = xor(z12, t48);
    let t57 = xor(t50, t53);
    let t58 = xor(z4, t46);
    let t59 = xor(z3, t54);
    let t60 = xor(t46, t57);
    let t61 = xor(z14, t57);
    let t62 = xor(t52, t58);
    let t63 = xor(t49, t58);
    let t64 = xor(z4, t59);
    let t65 = xor(t61, t62);
    let t66 = xor(z1, t63);
    let s0 = xor(t59, t63);
    let s6 = xor(t56, t62);
    let s7 = xor(t48, t60);
    let t67 = xor(t64, t65);
    let s3 = xor(t53, t66);
    let s4 = xor(t51, t66);
    let s5 = xor(t47, t65);
    let s1 = xor(t64, s3);
    let s2 = xor(t55, t67);
    [s7, s6, s5, s4, s3, s2, s1, s0]
}
