//! Blocks between memory and vectors.

use core::arch::wasm32::{u64x2, u64x2_extract_lane, v128};

use zeroize::DefaultIsZeroes;

/// Sixteen bytes.
pub type Block = [u8; 16];

/// A vector that is kept in memory and wiped there.
#[derive(Clone, Copy)]
pub struct Kept(pub v128);

impl Default for Kept {
    fn default() -> Self {
        Self(u64x2(0, 0))
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
