//! Reading a protobuf message field by field, as far as the files of KES need it.

/// A field of a message: its number, and what it holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// Bytes, a text or a message.
    Bytes(u64, &'a [u8]),
    /// An integer.
    Number(u64, u64),
    /// Four or eight bytes, which no file of KES has.
    Fixed,
}

/// The fields of a message, in their order; none for what is no field, which ends it.
pub fn fields(message: &[u8]) -> impl Iterator<Item = Option<Field<'_>>> {
    let mut rest = Some(message);
    std::iter::from_fn(move || {
        let now = rest.take().filter(|now| !now.is_empty())?;
        let Some((field, after)) = field(now) else {
            return Some(None);
        };
        rest = Some(after);
        Some(Some(field))
    })
}

fn field(message: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (head, rest) = varint(message)?;
    // The lowest three bits tell how the field is written down.
    let (number, kind) = (head >> 3, head & 7);
    match kind {
        0 => {
            let (value, rest) = varint(rest)?;
            Some((Field::Number(number, value), rest))
        }
        2 => {
            let (size, rest) = varint(rest)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(size).ok()?)?;
            Some((Field::Bytes(number, bytes), rest))
        }
        1 => Some((Field::Fixed, rest.get(8..)?)),
        5 => Some((Field::Fixed, rest.get(4..)?)),
        _ => None,
    }
}

/// Seven bits a byte, the lowest first; the highest bit of a byte says that more follow.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        let shift = u32::try_from(at * 7).ok()?;
        // The tenth byte has room for one bit.
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_field_is_read() {
        let message = [
            0x0a, 2, b'a', b'b', // bytes
            0x10, 0x96, 0x01, // 150
            0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4,
        ];
        let read: Vec<_> = fields(&message).collect();
        let expected = [
            Field::Bytes(1, b"ab"),
            Field::Number(2, 150),
            Field::Fixed,
            Field::Fixed,
        ];
        assert_eq!(read, expected.map(Some));
        assert_eq!(fields(&[]).count(), 0);
    }

    #[test]
    fn what_is_no_field_ends_it() {
        for message in [
            &[0x0a, 3, b'a'][..],
            &[0x0a],
            &[0x10],
            &[0x0b],
            &[0x19, 1],
            &[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ],
            &[0xff; 20],
        ] {
            assert_eq!(fields(message).collect::<Vec<_>>(), [None], "{message:?}");
        }
    }

    #[test]
    fn a_number_has_at_most_64_bits() {
        let mut largest = vec![0xff; 9];
        largest.push(1);
        assert_eq!(varint(&largest), Some((u64::MAX, &[][..])));
        *largest.last_mut().unwrap() = 2;
        assert_eq!(varint(&largest), None);
    }
}
