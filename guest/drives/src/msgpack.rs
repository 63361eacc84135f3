//! Reading MessagePack where it lies: nothing is copied and nothing is allocated, so no length that a
//! file claims costs more than the file.

/// It is no MessagePack, or not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What is still to be read.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads the head of a map: how many pairs follow.
    ///
    /// # Errors
    /// It is no map.
    pub fn map(&mut self) -> Result<u32, Malformed> {
        match self.byte()? {
            marker @ 0x80..=0x8f => Ok(u32::from(marker & 0x0f)),
            0xde => self.length(2),
            0xdf => self.length(4),
            _ => Err(Malformed),
        }
    }

    /// Reads the head of an array: how many items follow.
    ///
    /// # Errors
    /// It is no array.
    pub fn array(&mut self) -> Result<u32, Malformed> {
        match self.byte()? {
            marker @ 0x90..=0x9f => Ok(u32::from(marker & 0x0f)),
            0xdc => self.length(2),
            0xdd => self.length(4),
            _ => Err(Malformed),
        }
    }

    /// Reads bytes or a text.
    ///
    /// # Errors
    /// It is neither, or cut short.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length_of_bytes()?;
        self.take(length)
    }

    /// The same of what may be nil, which is no bytes.
    ///
    /// # Errors
    /// As for [`Self::bytes`].
    pub fn bytes_or_nil(&mut self) -> Result<&'a [u8], Malformed> {
        match self.rest {
            [0xc0, ..] => {
                self.byte()?;
                Ok(&[])
            }
            _ => self.bytes(),
        }
    }

    /// Reads the head of bytes or of a text: how many follow.
    ///
    /// # Errors
    /// It is neither.
    pub fn length_of_bytes(&mut self) -> Result<u32, Malformed> {
        match self.byte()? {
            marker @ 0xa0..=0xbf => Ok(u32::from(marker & 0x1f)),
            0xc4 | 0xd9 => self.length(1),
            0xc5 | 0xda => self.length(2),
            0xc6 | 0xdb => self.length(4),
            _ => Err(Malformed),
        }
    }

    /// Reads a whole number, however it is written down.
    ///
    /// # Errors
    /// It is none, or none that fits.
    pub fn int(&mut self) -> Result<i64, Malformed> {
        let marker = self.byte()?;
        match marker {
            0x00..=0x7f | 0xe0..=0xff => Ok(i64::from(marker.cast_signed())),
            0xcc..=0xcf => {
                let number = self.unsigned(1 << (marker & 3))?;
                i64::try_from(number).map_err(|_| Malformed)
            }
            0xd0 => Ok(i64::from((self.unsigned(1)? as u8).cast_signed())),
            0xd1 => Ok(i64::from((self.unsigned(2)? as u16).cast_signed())),
            0xd2 => Ok(i64::from((self.unsigned(4)? as u32).cast_signed())),
            0xd3 => Ok(self.unsigned(8)?.cast_signed()),
            _ => Err(Malformed),
        }
    }

    /// Passes over one value, whatever is in it, and returns its bytes. What is nested is counted and
    /// not called, so depth costs no stack.
    ///
    /// # Errors
    /// It is cut short, or a marker is none.
    pub fn skip(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.rest;
        // Each round takes a byte at least, so the file's size bounds the rounds.
        let mut pending = 1_u64;
        while pending > 0 {
            pending -= 1;
            let marker = *self.rest.first().ok_or(Malformed)?;
            match marker {
                0x80..=0x8f | 0xde | 0xdf => {
                    pending = pending.saturating_add(2 * u64::from(self.map()?));
                }
                0x90..=0x9f | 0xdc | 0xdd => {
                    pending = pending.saturating_add(u64::from(self.array()?));
                }
                0xa0..=0xbf | 0xc4..=0xc6 | 0xd9..=0xdb => {
                    self.bytes()?;
                }
                0xc0 | 0xc2 | 0xc3 => {
                    self.byte()?;
                }
                0xca => self.pass(5)?,
                0xcb => self.pass(9)?,
                0xd4..=0xd8 => self.pass(2 + (1 << (marker - 0xd4)))?,
                0xc7..=0xc9 => {
                    self.byte()?;
                    let length = self.length(1 << (marker - 0xc7))?;
                    self.pass(1)?;
                    self.take(length)?;
                }
                _ => {
                    self.int()?;
                }
            }
        }
        let length = start.len() - self.rest.len();
        start.get(..length).ok_or(Malformed)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// There is none.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    fn length(&mut self, bytes: u32) -> Result<u32, Malformed> {
        Ok(self.unsigned(bytes)? as u32)
    }

    fn unsigned(&mut self, bytes: u32) -> Result<u64, Malformed> {
        let read = self.take(bytes)?;
        Ok(read
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn pass(&mut self, bytes: u32) -> Result<(), Malformed> {
        self.take(bytes).map(|_| ())
    }

    fn take(&mut self, bytes: u32) -> Result<&'a [u8], Malformed> {
        let bytes = usize::try_from(bytes).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let read = |bytes: &[u8]| Reader::new(bytes).int();
        assert_eq!(read(&[0x7f]), Ok(127));
        assert_eq!(read(&[0xff]), Ok(-1));
        assert_eq!(read(&[0xcc, 0xff]), Ok(255));
        assert_eq!(read(&[0xd0, 0xff]), Ok(-1));
        assert_eq!(read(&[0xd1, 0x01, 0x00]), Ok(256));
        assert_eq!(read(&[0xce, 0, 1, 0, 0]), Ok(65536));
        assert_eq!(read(&[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]), Ok(i64::MIN));
        assert_eq!(read(&[0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed));
        assert_eq!(read(&[0xd2, 0]), Err(Malformed));
        assert_eq!(read(&[0xc1]), Err(Malformed));
    }

    #[test]
    fn a_value_is_passed_over_whole() {
        // {"a": [1, nil, {}], "b": bin8}, then a rest.
        let bytes = [
            0x82, 0xa1, b'a', 0x93, 1, 0xc0, 0x80, 0xa1, b'b', 0xc4, 2, 7, 7, 0x55,
        ];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.skip().unwrap(), &bytes[..13]);
        assert_eq!(reader.rest(), [0x55]);
    }

    #[test]
    fn what_claims_more_than_there_is_costs_nothing() {
        for claim in [
            &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
            &[0xdf, 0xff, 0xff, 0xff, 0xff, 0xdf, 0xff, 0xff, 0xff, 0xff],
            &[0xc6, 0xff, 0xff, 0xff, 0xff, 0],
            &[0xc9, 0xff, 0xff, 0xff, 0xff, 0],
        ] {
            assert_eq!(Reader::new(claim).skip(), Err(Malformed));
        }
        let deep = [0x91; 1 << 16];
        assert_eq!(Reader::new(&deep).skip(), Err(Malformed));
    }
}
