//! The little JSON that MinIO's forms and the judging of objects need, read as MinIO's readers read it and
//! written as its writer writes it (docs/formats/minio.md section 2).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How deep values may be nested in a field that is skipped. MinIO's writers nest none in a header, and
/// four or five in a policy.
const MAX_DEPTH: usize = 64;

const TOO_DEEP: &str = "values are nested too deep";

/// What a number is written with.
const NUMBER: &[u8] = b"-+.eE0123456789";

/// Why a text was not read, and the offset in bytes where.
#[derive(Debug, PartialEq, Eq)]
pub struct JsonError {
    reason: &'static str,
    at: usize,
}

impl JsonError {
    /// A text for people.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} at byte {}", self.reason, self.at)
    }

    /// Whether only the bound on nesting kept the text from being read.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.reason == TOO_DEEP
    }
}

/// Reads a text that is one value and nothing else but white space.
///
/// # Errors
/// What `read` refuses, and [`JsonError`] if something follows the value.
pub fn document<'a, T>(
    text: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let value = read(&mut reader)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.error("something follows the JSON")),
    }
}

/// Reads an object and returns the string values of the named fields; a field that is missing or
/// `null` is empty.
///
/// As MinIO reads it: any field order, any ASCII letter case of the names, other fields are skipped
/// whatever they hold, the last duplicate wins, white space may stand anywhere between tokens and
/// around, anything else after the object is an error. Strings may hold bytes that are not UTF-8.
///
/// # Errors
/// [`JsonError`]: it is no such object.
pub fn read_strings<'a, const N: usize>(
    text: &'a [u8],
    names: [&str; N],
) -> Result<[Cow<'a, [u8]>; N], JsonError> {
    const NOTHING: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut values = [NOTHING; N];
    document(text, |reader| {
        reader.members(|reader, name| {
            let field = names
                .iter()
                .position(|known| known.as_bytes().eq_ignore_ascii_case(name));
            match field.and_then(|index| values.get_mut(index)) {
                Some(value) => *value = reader.string_or_null()?,
                None => reader.skip()?,
            }
            Ok(())
        })
    })?;
    Ok(values)
}

/// Appends `text` as a JSON string, escaped as MinIO's writers and its context text escape it.
pub fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => out.extend([b'\\', character as u8]),
                '\n' => out.extend(b"\\n"),
                '\r' => out.extend(b"\\r"),
                '\t' => out.extend(b"\\t"),
                '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    out.extend(format!("\\u{:04x}", u32::from(character)).bytes());
                }
                _ => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        for _ in chunk.invalid() {
            out.extend(b"\\ufffd");
        }
    }
    out.push(b'"');
}

/// Reads one value after the other; a call takes white space before it.
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Takes an object. `each` is called with every name, as it is after its escapes, and takes the value.
    ///
    /// # Errors
    /// [`JsonError`]: no object is here, or what `each` refuses.
    pub fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b'{', "no JSON object begins")?;
        let mut first = true;
        while !self.closes(b'}', &mut first)? {
            let name = self.string()?;
            self.expect(b':', "no colon after a name")?;
            each(self, &name)?;
        }
        Ok(())
    }

    /// Takes an array. `each` takes every value of it.
    ///
    /// # Errors
    /// [`JsonError`]: no array is here, or what `each` refuses.
    pub fn items(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.expect(b'[', "no JSON array begins")?;
        let mut first = true;
        while !self.closes(b']', &mut first)? {
            each(self)?;
        }
        Ok(())
    }

    /// Takes `null`, if that is what comes next, and says whether it did.
    ///
    /// # Errors
    /// [`JsonError`]: a word that begins like it.
    pub fn null(&mut self) -> Result<bool, JsonError> {
        match self.peek() {
            Some(b'n') => self.word(b"null").map(|()| true),
            _ => Ok(false),
        }
    }

    /// Takes a whole number.
    ///
    /// # Errors
    /// [`JsonError`]: none is here, or one that does not fit into 64 bits.
    pub fn integer(&mut self) -> Result<i64, JsonError> {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| NUMBER.contains(byte)).count();
        let text = rest
            .get(..digits)
            .and_then(|text| str::from_utf8(text).ok());
        let number = text.and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| self.error("no whole number where one is wanted"))?;
        self.at += digits;
        Ok(number)
    }

    /// Takes any value.
    ///
    /// # Errors
    /// [`JsonError`]: none is here, or it is nested too deep.
    pub fn skip(&mut self) -> Result<(), JsonError> {
        self.skip_at(0)
    }

    /// What comes next, by its first byte; none at the end.
    pub fn next_byte(&mut self) -> Option<u8> {
        self.peek()
    }

    /// What to return where the value before is not what is wanted.
    #[must_use]
    pub fn error(&self, reason: &'static str) -> JsonError {
        JsonError {
            reason,
            at: self.at,
        }
    }

    /// The next byte that is not white space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(self.error(otherwise));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the closing byte and says true, or takes the comma before a further item.
    fn closes(&mut self, closing: u8, first: &mut bool) -> Result<bool, JsonError> {
        if self.peek() == Some(closing) {
            self.at += 1;
            return Ok(true);
        }
        if !core::mem::take(first) {
            self.expect(b',', "no comma between items")?;
        }
        Ok(false)
    }

    /// Takes a string, or `null` as an empty one. Bytes that are not UTF-8 stay as they are.
    ///
    /// # Errors
    /// [`JsonError`]: neither is here.
    pub fn string_or_null(&mut self) -> Result<Cow<'a, [u8]>, JsonError> {
        match self.null()? {
            true => Ok(Cow::Borrowed(&[])),
            false => self.string(),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, [u8]>, JsonError> {
        self.expect(b'"', "no string where one is wanted")?;
        let rest = self.text.get(self.at..).unwrap_or_default();
        let plain = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
            .ok_or_else(|| self.error("a string does not end"))?;
        let head = rest.get(..plain).unwrap_or_default();
        self.at += plain;
        if self.text.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(head));
        }
        let mut value = head.to_vec();
        loop {
            match self.take("a string does not end")? {
                b'"' => return Ok(Cow::Owned(value)),
                b'\\' => {
                    let character = self.escape()?;
                    value.extend(character.encode_utf8(&mut [0; 4]).bytes());
                }
                0..0x20 => return Err(self.error("a control character in a string")),
                byte => value.push(byte),
            }
        }
    }

    fn take(&mut self, otherwise: &'static str) -> Result<u8, JsonError> {
        let byte = self
            .text
            .get(self.at)
            .copied()
            .ok_or_else(|| self.error(otherwise))?;
        self.at += 1;
        Ok(byte)
    }

    /// The character that an escape stands for; a surrogate without its other half is U+FFFD.
    fn escape(&mut self) -> Result<char, JsonError> {
        Ok(match self.take("a string does not end")? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                let after = self.at;
                let pair = (0xd800..0xdc00).contains(&unit) && self.low_surrogate_follows();
                if pair {
                    let low = self.hex4()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = after;
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("an unknown escape in a string")),
        })
    }

    /// Takes `\u` if that is what comes next.
    fn low_surrogate_follows(&mut self) -> bool {
        let follows = self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(b"\\u"));
        if follows {
            self.at += 2;
        }
        follows
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.take("a string does not end")?).to_digit(16);
            unit = unit * 16 + digit.ok_or_else(|| self.error("a bad \\u escape"))?;
        }
        Ok(unit)
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        if !self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            return Err(self.error("no JSON value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_at(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error(TOO_DEEP));
        }
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                self.at += rest.iter().take_while(|byte| NUMBER.contains(byte)).count();
                Ok(())
            }
            Some(b'{') => self.members(|reader, _| reader.skip_at(depth + 1)),
            Some(b'[') => self.items(|reader| reader.skip_at(depth + 1)),
            _ => Err(self.error("no JSON value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<[Vec<u8>; 2], JsonError> {
        read_strings(text, ["keyid", "nonce"]).map(|values| values.map(Cow::into_owned))
    }

    #[test]
    fn reads_what_minio_reads() {
        for (text, keyid, nonce) in [
            (&br#"{"keyid":"k","nonce":"n"}"#[..], &b"k"[..], &b"n"[..]),
            (
                b" \n{ \"NONCE\" : \"n\" ,\t\"KeyID\":\"k\" } \r\n",
                b"k",
                b"n",
            ),
            (br#"{"keyid":"a","keyid":"b"}"#, b"b", b""),
            (br#"{"keyid":"a","keyid":null}"#, b"", b""),
            (
                br#"{"x":[1,{"y":[-1.5e+3,true,false,null,"\"]"]},[]],"z":{},"keyid":"k"}"#,
                b"k",
                b"",
            ),
            (
                br#"{"keyid":"\u003c\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#,
                "<\"\\/\u{8}\u{c}\n\r\té😀".as_bytes(),
                b"",
            ),
            (
                br#"{"keyid":"\ud83dx\ud83d\u0041\udc00"}"#,
                "\u{fffd}x\u{fffd}A\u{fffd}".as_bytes(),
                b"",
            ),
            (b"{\"keyid\":\"\xff\"}", b"\xff", b""),
            (b"{}", b"", b""),
        ] {
            assert_eq!(read(text).unwrap(), [keyid.to_vec(), nonce.to_vec()]);
        }
    }

    #[test]
    fn refuses_what_minio_refuses() {
        for text in [
            &b""[..],
            b"[]",
            b"{",
            b"{\"keyid\"",
            b"{\"keyid\":",
            b"{\"keyid\":\"k",
            b"{\"keyid\":\"k\"",
            b"{\"keyid\":1}",
            b"{\"keyid\":\"k\",}",
            b"{\"keyid\":\"k\"}x",
            b"{\"keyid\":\"k\"}{}",
            b"{\"keyid\":\"\n\"}",
            b"{\"keyid\":\"\\x\"}",
            b"{\"keyid\":\"\\u12g4\"}",
            b"{keyid:\"k\"}",
            b"{\"x\":nul}",
            b"{\"x\":}",
            b"{\"a\":\"\"\"b\":\"\"}",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let mut text = b"{\"x\":".to_vec();
        text.resize(100_000, b'[');
        assert!(read(&text).unwrap_err().is_too_deep());
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut text = b"{\"keyid\":".to_vec();
        write_string(&mut text, "k<e>&y\"\\\u{1}\u{2028} é".as_bytes());
        text.push(b'}');
        assert_eq!(
            read(&text).unwrap()[0],
            "k<e>&y\"\\\u{1}\u{2028} é".as_bytes()
        );
    }
}
