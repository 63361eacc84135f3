//! How the fuzzer changes an input for the sandbox: as libFuzzer does, and by putting in a whole edit of
//! an object (see [`crate::edit`]), which byte by byte would hardly come about.

use libfuzzer_sys::fuzzer_mutate;

use crate::edit::{KINDS, PARTS};

/// Longer inputs hold the bytes of an object and no edits.
const LONGEST: usize = 64;

/// Changes the first `size` bytes of `data` and returns the new size, at most `max_size`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = seed;
    let mut below = |count: usize| {
        // Numerical Recipes' generator; its upper bits are the better ones.
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % count
    };
    let mut edit = vec![1 + below(PARTS) as u8, below(KINDS) as u8];
    // Mostly near the beginning, where a text's first byte or its end is.
    let near = 1 << (1 + below(8));
    edit.extend([below(near) as u8, 0]);
    edit.extend(match edit[1] {
        1 | 3 => vec![1, below(256) as u8],
        4 => vec![],
        _ => vec![below(256) as u8],
    });
    if size > LONGEST || size + edit.len() > max_size || below(2) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let at = below(size + 1);
    data.copy_within(at..size, at + edit.len());
    data[at..at + edit.len()].copy_from_slice(&edit);
    size + edit.len()
}
