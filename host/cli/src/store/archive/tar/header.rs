//! The header of an entry in a tar: a block of fields in fixed places.

/// What everything in a tar begins at a multiple of.
pub const BLOCK: usize = 512;

/// The fields of a header: where they begin and end.
pub const NAME: (usize, usize) = (0, 100);
pub const SIZE: (usize, usize) = (124, 136);
pub const CHECKSUM: (usize, usize) = (148, 156);
pub const KIND: usize = 156;
pub const TARGET: (usize, usize) = (157, 257);
pub const MAGIC: (usize, usize) = (257, 262);
pub const VERSION: (usize, usize) = (262, 265);
pub const PREFIX: (usize, usize) = (345, 500);

/// Whether a file that begins so is a tar.
pub fn is_header(start: &[u8]) -> bool {
    start.len() == BLOCK && field(start, MAGIC) == b"ustar" && is_sound(start)
}

/// The name that is in it; a longer one may stand before it.
pub fn own_name(block: &[u8]) -> Vec<u8> {
    // Where POSIX has the beginning of a long name, GNU has other things.
    let is_posix = block.get(VERSION.0..VERSION.1) == Some(b"\x0000");
    match (is_posix, field(block, PREFIX)) {
        (true, prefix) if !prefix.is_empty() => [prefix, b"/", field(block, NAME)].concat(),
        _ => field(block, NAME).to_vec(),
    }
}

/// What kind of entry it is.
pub fn kind(block: &[u8]) -> u8 {
    block.get(KIND).copied().unwrap_or_default()
}

/// The text in a field, up to the first NUL.
pub fn field(block: &[u8], (start, end): (usize, usize)) -> &[u8] {
    text(block.get(start..end).unwrap_or_default())
}

/// The bytes up to the first NUL.
pub fn text(bytes: &[u8]) -> &[u8] {
    let mut parts = bytes.split(|byte| *byte == 0);
    parts.next().unwrap_or_default()
}

/// The number in a field: octal digits, or where the first bit is set the bytes themselves.
pub fn number(block: &[u8], (start, end): (usize, usize)) -> Option<u64> {
    let bytes = block.get(start..end)?;
    if let [0x80, rest @ ..] = bytes {
        let (high, low) = rest.split_last_chunk::<8>()?;
        return high
            .iter()
            .all(|byte| *byte == 0)
            .then(|| u64::from_be_bytes(*low));
    }
    let text = std::str::from_utf8(text(bytes)).ok()?.trim();
    match text {
        "" => Some(0),
        digits => u64::from_str_radix(digits, 8).ok(),
    }
}

/// Whether a header is as its checksum says: the sum of its bytes, those of the checksum being spaces.
pub fn is_sound(block: &[u8]) -> bool {
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| match (CHECKSUM.0..CHECKSUM.1).contains(&at) {
            true => u64::from(b' '),
            false => u64::from(*byte),
        })
        .sum();
    number(block, CHECKSUM) == Some(sum)
}
