//! Blocks between memory and vectors.

use core::arch::wasm32::{i8x16_swizzle, u64x2, u64x2_extract_lane, v128};

use zeroize::DefaultIsZeroes;

/// Sixteen bytes of a message or of a table.
pub type Block = [u8; 16];

/// All bits 0.
pub const ZERO: v128 = u64x2(0, 0);

/// A vector that is kept in memory and wiped there.
#[derive(Clone, Copy)]
pub struct Kept(pub v128);

impl Default for Kept {
    fn default() -> Self {
        Self(ZERO)
    }
}

impl DefaultIsZeroes for Kept {}

/// A block, as it stands in memory.
#[inline(always)]
pub fn load(block: &Block) -> v128 {
    let value = u128::from_le_bytes(*block);
    u64x2(value as u64, (value >> 64) as u64)
}

/// The reverse of [`load`].
#[inline(always)]
pub fn store(vector: v128) -> Block {
    let low = u64x2_extract_lane::<0>(vector);
    let high = u64x2_extract_lane::<1>(vector);
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

/// Each byte of `indices` replaced by that byte of `table`, or by 0 where it is 16 or more.
#[inline(always)]
pub fn look_up(table: v128, indices: v128) -> v128 {
    i8x16_swizzle(table, indices)
}
