//! The erasure code: a block is cut into data shards, parity shards are made of them, and as many
//! shards as there are data shards give the block back.
//!
//! It is Reed and Solomon's code over 256 elements with a Vandermonde matrix whose upper square is the
//! unit matrix, so the data shards are the block itself.

use alloc::vec;
use alloc::vec::Vec;

use crate::gf::{self, Matrix, Products};

/// The most shards that an object of a drive's set has here. MinIO's sets have 16 drives at most.
pub const SHARDS: usize = 64;

/// The code for a number of data and parity shards.
pub struct Code {
    data: usize,
    /// One row for each shard.
    matrix: Matrix,
}

/// The shards disagree: they are not all of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement;

impl Code {
    /// The code for so many shards; none if there is no such code here.
    pub fn new(data: usize, parity: usize) -> Option<Self> {
        let shards = data.checked_add(parity).filter(|all| *all <= SHARDS)?;
        if data == 0 {
            return None;
        }
        let row = |number: u8| (0..data).map(|column| gf::power(number, column)).collect();
        let vandermonde: Matrix = (0..shards as u8).map(row).collect();
        let upper = vandermonde.get(..data)?.to_vec();
        let matrix = gf::product(&vandermonde, &gf::inverted(&upper)?);
        Some(Self { data, matrix })
    }

    /// Makes the data shards, one after the other, of those shards that are there, and sees that the
    /// others of them agree. `shards` has one place for each shard of the code; those that are there
    /// are of one length. None if they are too few.
    ///
    /// # Errors
    /// [`Disagreement`].
    pub fn data(&self, shards: &[Option<&[u8]>]) -> Option<Result<Vec<u8>, Disagreement>> {
        let present = || {
            let all = shards.iter().zip(&self.matrix);
            all.filter_map(|(shard, row)| Some(((*shard)?, row)))
        };
        let length = present().next()?.0.len();
        let used: Vec<&[u8]> = present().map(|(shard, _)| shard).take(self.data).collect();
        if used.len() < self.data {
            return None;
        }
        let rows: Matrix = present()
            .map(|(_, row)| row.clone())
            .take(self.data)
            .collect();
        let back = gf::inverted(&rows)?;
        let mut block = vec![0; length.checked_mul(self.data)?];
        if length > 0 {
            for (row, to) in back.iter().zip(block.chunks_exact_mut(length)) {
                combine(row, &used, to);
            }
            let made: Vec<&[u8]> = block.chunks_exact(length).collect();
            for (shard, row) in present().skip(self.data) {
                let mut expected = vec![0; length];
                combine(row, &made, &mut expected);
                if expected != shard {
                    return Some(Err(Disagreement));
                }
            }
        }
        Some(Ok(block))
    }

    /// Makes the shards of a block, which is filled up with zeros so that all are of one length.
    pub fn shards(&self, block: &[u8]) -> Vec<Vec<u8>> {
        let length = block.len().div_ceil(self.data);
        let mut whole = block.to_vec();
        whole.resize(length * self.data, 0);
        let data: Vec<&[u8]> = whole.chunks_exact(length.max(1)).collect();
        let shard = |row: &Vec<u8>| {
            let mut shard = vec![0; length];
            combine(row, &data, &mut shard);
            shard
        };
        self.matrix.iter().map(shard).collect()
    }
}

/// Adds up the shards, each times its factor.
fn combine(factors: &[u8], shards: &[&[u8]], to: &mut [u8]) {
    for (factor, shard) in factors.iter().zip(shards) {
        match factor {
            0 => {}
            1 => to.iter_mut().zip(*shard).for_each(|(to, from)| *to ^= from),
            factor => Products::of(*factor).add(shard, to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reed_solomon_erasure::galois_8::ReedSolomon;

    /// A block's shards, as the other implementation makes them.
    fn shards(data: usize, parity: usize, length: usize) -> Vec<Vec<u8>> {
        let byte = |at: usize| (at * 167 + at / 251) as u8;
        let mut shards: Vec<Vec<u8>> = (0..data + parity)
            .map(|shard| (0..length).map(|at| byte(shard * length + at)).collect())
            .collect();
        if parity > 0 {
            let oracle = ReedSolomon::new(data, parity).unwrap();
            oracle.encode(&mut shards).unwrap();
        }
        shards
    }

    #[test]
    fn any_shards_that_suffice_give_the_block_back() {
        for (data, parity) in [
            (1, 0),
            (2, 1),
            (2, 2),
            (3, 3),
            (4, 4),
            (5, 5),
            (6, 4),
            (8, 8),
        ] {
            let all = shards(data, parity, 61);
            let block = all[..data].concat();
            let code = Code::new(data, parity).unwrap();
            for lost in 0..1_u32 << (data + parity) {
                // Of many shards some of the ways to lose them.
                let is_left_out = data + parity > 8 && lost % 29 > 0;
                if is_left_out || lost.count_ones() as usize > parity {
                    continue;
                }
                let there = |(at, shard)| (lost >> at & 1 == 0).then_some(Vec::as_slice(shard));
                let left: Vec<_> = all.iter().enumerate().map(there).collect();
                assert_eq!(code.data(&left), Some(Ok(block.clone())), "{lost:b}");
            }
        }
    }

    #[test]
    fn shards_are_what_another_implementation_makes() {
        for (data, parity) in [(1, 0), (2, 1), (2, 2), (5, 5), (8, 8)] {
            let all = shards(data, parity, 61);
            let block = all[..data].concat();
            let code = Code::new(data, parity).unwrap();
            assert_eq!(code.shards(&block), all);
            // What the last shard lacks is zeros.
            let cut = &block[..block.len() - data / 2];
            let mut filled = cut.to_vec();
            filled.resize(block.len(), 0);
            assert_eq!(code.shards(cut), code.shards(&filled));
        }
        assert_eq!(Code::new(2, 2).unwrap().shards(b""), [[0; 0]; 4]);
    }

    #[test]
    fn too_few_shards_give_nothing_and_others_disagree() {
        let mut all = shards(2, 2, 10);
        let code = Code::new(2, 2).unwrap();
        let (none, first) = (None, Some(all[0].as_slice()));
        assert_eq!(code.data(&[first, none, none, none]), None);
        assert_eq!(code.data(&[none; 4]), None);
        all[3][7] ^= 1;
        let changed: Vec<_> = all.iter().map(|shard| Some(shard.as_slice())).collect();
        assert_eq!(code.data(&changed), Some(Err(Disagreement)));
    }

    #[test]
    fn a_code_of_no_data_or_too_many_shards_is_none() {
        assert!(Code::new(0, 2).is_none());
        assert!(Code::new(SHARDS, 1).is_none());
        assert!(Code::new(usize::MAX, 1).is_none());
    }
}
