//! `format.json`: what a drive says of itself.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::placement::Algorithm;

/// The largest `format.json` that is read: some 25,000 drives.
pub const FORMAT_BYTES: u32 = 1 << 20;

/// 16 bytes that name a deployment or a drive.
pub type Uuid = [u8; 16];

/// What a drive says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The deployment that it is of.
    pub deployment: Uuid,
    /// The drive.
    pub this: Uuid,
    /// The drives of its pool, set by set, in order.
    pub sets: Vec<Vec<Uuid>>,
    /// How its pool chooses the set of an object.
    pub algorithm: Algorithm,
}

/// Why a `format.json` is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is no such file, or damaged.
    Malformed,
    /// It is of a server that kept plain files (`fs`), or of a kind that nobody knows.
    NotErasure,
    /// It is of a version or places objects in a way that is not known here.
    Unsupported,
}

#[derive(Deserialize)]
struct Written {
    version: String,
    format: String,
    id: String,
    xl: Option<Xl>,
}

#[derive(Deserialize)]
struct Xl {
    version: String,
    this: String,
    sets: Vec<Vec<String>>,
    #[serde(rename = "distributionAlgo")]
    algorithm: String,
}

impl Format {
    /// Reads a `format.json`.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        let written: Written = serde_json::from_slice(bytes).map_err(|_| Unusable::Malformed)?;
        if !matches!(written.format.as_str(), "xl" | "xl-single") {
            return Err(Unusable::NotErasure);
        }
        let xl = written.xl.ok_or(Unusable::Malformed)?;
        let algorithm = Algorithm::named(&xl.algorithm).ok_or(Unusable::Unsupported)?;
        if written.version != "1" || xl.version != "3" {
            return Err(Unusable::Unsupported);
        }
        let id = |text: &String| uuid(text).ok_or(Unusable::Malformed);
        let set = |set: &Vec<String>| set.iter().map(id).collect::<Result<Vec<_>, _>>();
        let sets = xl.sets.iter().map(set).collect::<Result<Vec<_>, _>>()?;
        // Sets are of one size, which is what places an object.
        let size = sets.first().map_or(0, Vec::len);
        if size == 0 || size > crate::erasure::SHARDS || sets.iter().any(|set| set.len() != size) {
            return Err(Unusable::Malformed);
        }
        Ok(Self {
            deployment: id(&written.id)?,
            this: id(&xl.this)?,
            sets,
            algorithm,
        })
    }
}

/// The bytes of a UUID in its usual text.
pub fn uuid(text: &str) -> Option<Uuid> {
    let mut digits = text.bytes().filter(|byte| *byte != b'-');
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        let mut digit = || char::from(digits.next()?).to_digit(16);
        *byte = u8::try_from(digit()? << 4 | digit()?).ok()?;
    }
    (text.len() == 36 && digits.next().is_none()).then_some(bytes)
}

/// The usual text of a UUID.
pub fn text(uuid: &Uuid) -> String {
    use core::fmt::Write as _;

    let mut text = String::with_capacity(36);
    for (number, byte) in uuid.iter().enumerate() {
        if matches!(number, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const A: &str = "16c7dc6a-74e2-430e-899c-39e10cd4a307";

    fn json(format: &str, algorithm: &str, sets: &str) -> String {
        format!(
            r#"{{"version":"1","format":"{format}","id":"{A}","xl":{{"version":"3","this":"{A}","sets":{sets},"distributionAlgo":"{algorithm}"}}}}"#
        )
    }

    #[test]
    fn a_drive_says_where_it_belongs() {
        let format =
            Format::parse(json("xl", "SIPMOD+PARITY", &format!(r#"[["{A}"]]"#)).as_bytes());
        let format = format.unwrap();
        assert_eq!(format.sets, [[format.this]]);
        assert_eq!(text(&format.deployment), A);
    }

    #[test]
    fn what_is_no_such_drive_is_told_apart() {
        let says = |text: &str| Format::parse(text.as_bytes()).unwrap_err();
        let sets = format!(r#"[["{A}"]]"#);
        assert_eq!(says("{}"), Unusable::Malformed);
        assert_eq!(says(&json("fs", "", &sets)), Unusable::NotErasure);
        assert_eq!(says(&json("xl", "NEW", &sets)), Unusable::Unsupported);
        assert_eq!(says(&json("xl", "SIPMOD", "[]")), Unusable::Malformed);
        assert_eq!(says(&json("xl", "SIPMOD", "[[]]")), Unusable::Malformed);
        let uneven = format!(r#"[["{A}"],["{A}","{A}"]]"#);
        assert_eq!(says(&json("xl", "SIPMOD", &uneven)), Unusable::Malformed);
        let short = json("xl", "SIPMOD", r#"[["16c7dc6a"]]"#);
        assert_eq!(says(&short), Unusable::Malformed);
        let deep = "[".repeat(1 << 16);
        assert_eq!(says(&deep), Unusable::Malformed);
    }
}
