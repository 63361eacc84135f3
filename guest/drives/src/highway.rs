//! HighwayHash-256 (Alakuijala, Cox, Wassenberg: "Fast keyed hash/pseudo-random function using SIMD
//! multiply and permute", 2016) under the key that MinIO has chosen once: no secret, and no proof against
//! whoever reckons it too.

/// The size of a hash.
pub const HASH: usize = 32;

/// The bytes that are taken at once.
const PACKET: usize = 32;

const LOW: u64 = 0xffff_ffff;

type Lanes = [u64; 4];

/// MinIO's key, four numbers with their lowest bytes first.
const KEY: Lanes = [
    u64::from_le_bytes([0x4b, 0xe7, 0x34, 0xfa, 0x8e, 0x23, 0x8a, 0xcd]),
    u64::from_le_bytes([0x26, 0x3e, 0x83, 0xe6, 0xbb, 0x96, 0x85, 0x52]),
    u64::from_le_bytes([0x04, 0x0f, 0x93, 0x5d, 0xa3, 0x9f, 0x44, 0x14]),
    u64::from_le_bytes([0x97, 0xe0, 0x9d, 0x13, 0x22, 0xde, 0x36, 0xa0]),
];

/// Digits of pi.
const FIRST: Lanes = [
    0xdbe6_d5d5_fe4c_ce2f,
    0xa409_3822_299f_31d0,
    0x1319_8a2e_0370_7344,
    0x243f_6a88_85a3_08d3,
];
const SECOND: Lanes = [
    0x3bd3_9e10_cb0e_f593,
    0xc0ac_f169_b5f1_8a8c,
    0xbe54_66cf_34e9_0c6c,
    0x4528_21e6_38d0_1377,
];

struct State {
    v0: Lanes,
    v1: Lanes,
    mul0: Lanes,
    mul1: Lanes,
}

/// The hash of these bytes.
pub fn hash(bytes: &[u8]) -> [u8; HASH] {
    let swapped = KEY.map(|lane| lane.rotate_left(32));
    let mut state = State {
        v0: each(FIRST, KEY, |first, key| first ^ key),
        v1: each(SECOND, swapped, |second, key| second ^ key),
        mul0: FIRST,
        mul1: SECOND,
    };
    let packets = bytes.chunks_exact(PACKET);
    let rest = packets.remainder();
    packets.for_each(|packet| state.update(lanes(packet)));
    if !rest.is_empty() {
        state.update_rest(rest);
    }
    state.finish()
}

impl State {
    fn update(&mut self, packet: Lanes) {
        let rows = self.v0.iter_mut().zip(&mut self.v1);
        let rows = rows.zip(self.mul0.iter_mut().zip(&mut self.mul1));
        for (((v0, v1), (mul0, mul1)), lane) in rows.zip(packet) {
            *v1 = v1.wrapping_add(*mul0).wrapping_add(lane);
            *mul0 ^= (*v1 & LOW) * (*v0 >> 32);
            *v0 = v0.wrapping_add(*mul1);
            *mul1 ^= (*v0 & LOW) * (*v1 >> 32);
        }
        self.v0 = each(self.v0, zipped(self.v1), u64::wrapping_add);
        self.v1 = each(self.v1, zipped(self.v0), u64::wrapping_add);
    }

    /// The last bytes, fewer than a packet and at least one.
    fn update_rest(&mut self, rest: &[u8]) {
        let size = rest.len() as u64;
        self.v0 = self.v0.map(|lane| lane.wrapping_add(size << 32 | size));
        // Both halves of a lane are turned for themselves.
        let turned = |half: u64| u64::from((half as u32).rotate_left(rest.len() as u32));
        self.v1 = self
            .v1
            .map(|lane| turned(lane >> 32) << 32 | turned(lane & LOW));
        let (whole, odd) = rest
            .split_at_checked(rest.len() & !3)
            .unwrap_or((rest, &[]));
        let mut packet = [0; PACKET];
        packet
            .iter_mut()
            .zip(whole)
            .for_each(|(to, from)| *to = *from);
        if rest.len() & 16 != 0 {
            let last = rest.iter().rev().take(4);
            packet
                .iter_mut()
                .rev()
                .zip(last)
                .for_each(|(to, from)| *to = *from);
        } else if let [first, .., last] | [first @ last] = odd {
            let middle = odd.get(odd.len() / 2).unwrap_or(last);
            packet[16] = *first;
            packet[17] = *middle;
            packet[18] = *last;
        }
        self.update(lanes(&packet));
    }

    fn finish(mut self) -> [u8; HASH] {
        for _ in 0..10 {
            let [a, b, c, d] = self.v0.map(|lane| lane.rotate_left(32));
            self.update([c, d, a, b]);
        }
        let [a0, a1, a2, a3] = each(self.v0, self.mul0, u64::wrapping_add);
        let [b0, b1, b2, b3] = each(self.v1, self.mul1, u64::wrapping_add);
        let (h0, h1) = reduced(b1, b0, a1, a0);
        let (h2, h3) = reduced(b3, b2, a3, a2);
        let mut hash = [0; HASH];
        for (to, lane) in hash.chunks_exact_mut(8).zip([h0, h1, h2, h3]) {
            to.copy_from_slice(&lane.to_le_bytes());
        }
        hash
    }
}

fn each(one: Lanes, other: Lanes, of: impl Fn(u64, u64) -> u64) -> Lanes {
    let mut lanes = one;
    for (lane, other) in lanes.iter_mut().zip(other) {
        *lane = of(*lane, other);
    }
    lanes
}

fn lanes(packet: &[u8]) -> Lanes {
    let mut lanes = [0; 4];
    for (lane, bytes) in lanes.iter_mut().zip(packet.chunks_exact(8)) {
        *lane = bytes
            .iter()
            .rev()
            .fold(0, |lane, byte| lane << 8 | u64::from(*byte));
    }
    lanes
}

/// The bytes of each pair of lanes, mixed so that each byte of a product reaches all others.
fn zipped([a, b, c, d]: Lanes) -> Lanes {
    [lower(a, b), upper(a, b), lower(c, d), upper(c, d)]
}

fn lower(a: u64, b: u64) -> u64 {
    (a & 0xff00_0000 | b & 0x00ff_0000_0000) >> 24
        | (a & 0xff00_0000_0000 | b & 0x00ff_0000_0000_0000) >> 16
        | a & 0x00ff_0000
        | (a & 0xff00) << 32
        | (b & 0xff00_0000_0000_0000) >> 8
        | a << 56
}

fn upper(a: u64, b: u64) -> u64 {
    (b & 0xff00_0000 | a & 0x00ff_0000_0000) >> 24
        | b & 0x00ff_0000
        | (b & 0xff00_0000_0000) >> 16
        | (b & 0xff00) << 24
        | (a & 0x00ff_0000_0000_0000) >> 8
        | (b & 0xff) << 48
        | a & 0xff00_0000_0000_0000
}

/// 256 bits modulo a polynomial: two lanes.
fn reduced(a3: u64, a2: u64, a1: u64, a0: u64) -> (u64, u64) {
    let a3 = a3 & 0x3fff_ffff_ffff_ffff;
    let high = a1 ^ (a3 << 1 | a2 >> 63) ^ (a3 << 2 | a2 >> 62);
    (a0 ^ a2 << 1 ^ a2 << 2, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use highway::{HighwayHash as _, HighwayHasher, Key};

    #[test]
    fn it_is_what_another_implementation_says() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in (0..200).chain([255, 256, 257, 991, 1000]) {
            let bytes = &bytes[..length];
            let expected = HighwayHasher::new(Key(KEY)).hash256(bytes);
            assert_eq!(lanes(&hash(bytes)), expected, "{length}");
        }
    }
}
