//! The frames that guard a shard against bitrot: before each block's part of the shard stands the
//! HighwayHash of it.

use alloc::vec::Vec;

use highway::{HighwayHash, HighwayHasher, Key};

/// The key of the hash: 32 bytes that MinIO has chosen once, as four numbers.
const KEY: Key = Key([
    u64::from_le_bytes([0x4b, 0xe7, 0x34, 0xfa, 0x8e, 0x23, 0x8a, 0xcd]),
    u64::from_le_bytes([0x26, 0x3e, 0x83, 0xe6, 0xbb, 0x96, 0x85, 0x52]),
    u64::from_le_bytes([0x04, 0x0f, 0x93, 0x5d, 0xa3, 0x9f, 0x44, 0x14]),
    u64::from_le_bytes([0x97, 0xe0, 0x9d, 0x13, 0x22, 0xde, 0x36, 0xa0]),
]);

/// The size of a hash.
pub const HASH: usize = 32;

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
        let (hash, after) = rest.split_at_checked(HASH).ok_or(Rotten)?;
        let (part, after) = after.split_at_checked(spread.part(block)).ok_or(Rotten)?;
        if hash != hashed(part) {
            return Err(Rotten);
        }
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

fn hashed(part: &[u8]) -> [u8; HASH] {
    let words = HighwayHasher::new(KEY).hash256(part);
    let mut bytes = [0; HASH];
    for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    bytes
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
    fn every_changed_byte_is_rot() {
        let spread = Spread {
            size: 5,
            block: 4,
            data: 2,
        };
        let mut framed = [&hashed(b"ab")[..], b"ab", &hashed(b"c"), b"c"].concat();
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
