//! Where an object belongs: the set of drives that has it, and which drive of the set has which shard.

use alloc::vec::Vec;
use core::hash::Hasher as _;

use siphasher::sip::SipHasher24;

/// How a pool chooses the set of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SipHash-2-4 under the deployment's id: `SIPMOD` and `SIPMOD+PARITY`.
    SipMod,
    /// CRC-32: `CRCMOD`, of servers before 2019.
    CrcMod,
}

impl Algorithm {
    /// The one of this name in `format.json`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "SIPMOD" | "SIPMOD+PARITY" => Some(Self::SipMod),
            "CRCMOD" => Some(Self::CrcMod),
            _ => None,
        }
    }

    /// Which of `sets` sets has the object of this name, which is without its bucket.
    pub fn set(self, deployment: &[u8; 16], object: &[u8], sets: usize) -> usize {
        let hash = match self {
            Self::SipMod => {
                let mut hasher = SipHasher24::new_with_key(deployment);
                hasher.write(object);
                hasher.finish()
            }
            Self::CrcMod => u64::from(crc32fast::hash(object)),
        };
        (hash % (sets.max(1) as u64)) as usize
    }
}

/// Which shard, counted from 1, each drive of a set of `drives` has of the object with this bucket and
/// name, in the order of the set.
pub fn distribution(bucket: &[u8], object: &[u8], drives: u8) -> Vec<u8> {
    let key = [bucket, b"/", object].concat();
    let drives = u32::from(drives.max(1));
    let first = crc32fast::hash(&key) % drives;
    (1..=drives)
        .map(|drive| (1 + (first + drive) % drives) as u8)
        .collect()
}
