//! `pool.bin`: the pools of a deployment, as its server wrote them down.

use crate::msgpack::{Malformed, Reader};

/// Where it is.
pub const PATH: &[u8] = b"pool.bin";
const HEADER: &[u8] = &[1, 0, 1, 0];

/// How many pools it names; none if it is no such file.
pub fn count(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.strip_prefix(HEADER)?;
    pools(&mut Reader::new(rest)).ok().flatten()
}

fn pools(reader: &mut Reader<'_>) -> Result<Option<u32>, Malformed> {
    for _ in 0..reader.map()? {
        if reader.bytes()? == b"pls" {
            return reader.array().map(Some);
        }
        reader.skip()?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_counted() {
        let two = b"\x01\x00\x01\x00\x82\xa1v\x01\xa3pls\x92\x81\xa2id\x00\x81\xa2id\x01";
        assert_eq!(count(two), Some(2));
        assert_eq!(count(&two[..11]), None);
        assert_eq!(count(b"\x01\x00\x01\x00\x81\xa1v\x01"), None);
        assert_eq!(count(b"\x01\x00\x02\x00\x81\xa3pls\x90"), None);
        assert_eq!(count(b""), None);
    }
}
