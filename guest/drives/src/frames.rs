//! The frames that guard a shard against bitrot: before each block's part of the shard stands the
//! HighwayHash of it.

use alloc::vec::Vec;

use crate::erasure::Code;
use crate::highway::{HASH, hash};

/// The shard is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotten;

/// How the bytes of an object are spread over its shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The bytes of the object.
    pub size: usize,
    /// The bytes of a block, the last one excepted.
    pub block: usize,
    /// The data shards.
    pub data: usize,
}

impl Spread {
    /// The blocks, by their sizes.
    pub fn blocks(self) -> impl Iterator<Item = usize> {
        let block = self.block.max(1);
        (0..self.size.div_ceil(block)).map(move |number| block.min(self.size - number * block))
    }

    /// The bytes of each shard that are of a block of this size.
    pub fn part(self, block: usize) -> usize {
        block.div_ceil(self.data.max(1))
    }

    /// The bytes of a shard.
    pub fn shard(self) -> usize {
        self.blocks().map(|block| self.part(block)).sum()
    }

    /// The bytes of a shard with its frames.
    pub fn framed(self) -> usize {
        self.blocks().map(|block| HASH + self.part(block)).sum()
    }
}

/// Takes the frames off a shard, one part for each block.
///
/// # Errors
/// [`Rotten`]: a hash or the length is not right.
pub fn open(framed: &[u8], spread: Spread) -> Result<Vec<&[u8]>, Rotten> {
    if framed.len() != spread.framed() {
        return Err(Rotten);
    }
    let mut rest = framed;
    let mut parts = Vec::new();
    for block in spread.blocks() {
        let (found, after) = rest.split_at_checked(HASH).ok_or(Rotten)?;
        let (part, after) = after.split_at_checked(spread.part(block)).ok_or(Rotten)?;
        if found != hash(part) {
            return Err(Rotten);
        }
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

/// Makes the shards of an object, with their frames.
pub fn close(object: &[u8], spread: Spread, code: &Code) -> Vec<Vec<u8>> {
    let mut shards = Vec::new();
    for block in object.chunks(spread.block.max(1)) {
        let parts = code.shards(block);
        shards.resize_with(parts.len(), Vec::new);
        for (shard, part) in shards.iter_mut().zip(&parts) {
            shard.extend(hash(part));
            shard.extend(part);
        }
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_shard_of_many_blocks_is_as_long_as_on_a_drive() {
        // Seen on a server: 1,071,199 bytes on two data shards.
        let spread = Spread {
            size: 1_071_199,
            block: 1 << 20,
            data: 2,
        };
        assert_eq!(spread.framed(), 535_664);
        assert_eq!(spread.blocks().collect::<Vec<_>>(), [1 << 20, 22_623]);
        let empty = Spread { size: 0, ..spread };
        assert_eq!(open(b"", empty), Ok(Vec::new()));
    }

    #[test]
    fn shards_that_were_closed_are_opened() {
        let object: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let spread = Spread {
            size: object.len(),
            block: 300,
            data: 3,
        };
        let code = Code::new(3, 2).unwrap();
        let shards = close(&object, spread, &code);
        assert_eq!(shards.len(), 5);
        let opened: Vec<_> = shards
            .iter()
            .map(|one| open(one, spread).unwrap())
            .collect();
        let first: Vec<u8> = opened[..3]
            .iter()
            .flat_map(|parts| parts[0].to_vec())
            .collect();
        assert_eq!(first, object[..300]);
        assert!(shards.iter().all(|one| one.len() == spread.framed()));
        assert_eq!(spread.shard(), 100 * 3 + 34);
    }

    #[test]
    fn every_changed_byte_is_rot() {
        let spread = Spread {
            size: 5,
            block: 4,
            data: 2,
        };
        let mut framed = [&hash(b"ab")[..], b"ab", &hash(b"c"), b"c"].concat();
        assert_eq!(open(&framed, spread), Ok(vec![&b"ab"[..], b"c"]));
        for at in 0..framed.len() {
            framed[at] ^= 0x10;
            assert_eq!(open(&framed, spread), Err(Rotten), "{at}");
            framed[at] ^= 0x10;
        }
        framed.pop();
        assert_eq!(open(&framed, spread), Err(Rotten));
    }
}
