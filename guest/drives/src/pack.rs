//! Writing MessagePack, as MinIO's servers write it: each value in its shortest form, numbers signed.

use alloc::vec::Vec;

/// Appends a whole number.
pub fn int(number: i64, to: &mut Vec<u8>) {
    if (-32..128).contains(&number) {
        to.push(number as u8);
    } else if let Ok(number) = i16::try_from(number) {
        // There is a form of one byte too, which no server uses.
        to.push(0xd1);
        to.extend(number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        to.push(0xd2);
        to.extend(number.to_be_bytes());
    } else {
        to.push(0xd3);
        to.extend(number.to_be_bytes());
    }
}

/// Appends bytes.
pub fn bytes(bytes: &[u8], to: &mut Vec<u8>) {
    match bytes.len() {
        length @ 0..=0xff => to.extend([0xc4, length as u8]),
        length @ 0x100..=0xffff => {
            to.push(0xc5);
            to.extend((length as u16).to_be_bytes());
        }
        length => {
            to.push(0xc6);
            to.extend((length as u32).to_be_bytes());
        }
    }
    to.extend(bytes);
}

/// Appends a text of at most 255 bytes.
pub fn text(text: &[u8], to: &mut Vec<u8>) {
    match text.len() {
        length @ 0..=31 => to.push(0xa0 | length as u8),
        length => to.extend([0xd9, length as u8]),
    }
    to.extend(text);
}

/// Appends the head of a list of at most 65,535 values.
pub fn array(values: u32, to: &mut Vec<u8>) {
    match values {
        values @ 0..=15 => to.push(0x90 | values as u8),
        values => {
            to.push(0xdc);
            to.extend((values as u16).to_be_bytes());
        }
    }
}

/// Appends the head of a map of at most 65,535 pairs.
pub fn map(pairs: u32, to: &mut Vec<u8>) {
    match pairs {
        pairs @ 0..=15 => to.push(0x80 | pairs as u8),
        pairs => {
            to.push(0xde);
            to.extend((pairs as u16).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msgpack::Reader;
    use alloc::vec;

    #[test]
    fn numbers_have_the_form_that_servers_give_them() {
        let of = |number| {
            let mut to = Vec::new();
            int(number, &mut to);
            to
        };
        assert_eq!(of(0), [0]);
        assert_eq!(of(127), [0x7f]);
        assert_eq!(of(-1), [0xff]);
        assert_eq!(of(128), [0xd1, 0, 0x80]);
        assert_eq!(of(1 << 20), [0xd2, 0, 0x10, 0, 0]);
        for number in [-33, 1 << 15, 1 << 31, i64::MAX, i64::MIN] {
            assert_eq!(Reader::new(&of(number)).int(), Ok(number));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 31, 32, 255] {
            let (given, mut to) = (vec![b'x'; length], Vec::new());
            text(&given, &mut to);
            assert_eq!(Reader::new(&to).bytes(), Ok(given.as_slice()));
        }
        for length in [0, 255, 256, 65_535, 65_536] {
            let (given, mut to) = (vec![7; length], Vec::new());
            bytes(&given, &mut to);
            assert_eq!(Reader::new(&to).bytes(), Ok(given.as_slice()));
        }
        for pairs in [0, 15, 16, 65_535] {
            let mut to = Vec::new();
            map(pairs, &mut to);
            assert_eq!(Reader::new(&to).map(), Ok(pairs));
        }
    }
}
