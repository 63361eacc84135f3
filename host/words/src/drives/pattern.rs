//! The names of drives in MinIO's pattern: `/mnt/disk{1...4}` is four drives.
//!
//! Names are separated by commas. In one of them `{a...b}` stands for each number from `a` to `b`, decimal
//! or else hexadecimal, with as many digits as `b` where either begins with a zero. Of several patterns in
//! one name the right-most varies slowest, as it does in MinIO.

use thiserror::Error;

use crate::shown::shown;

/// The most drives that are given at once.
const DRIVES: usize = 1024;

/// Why names of drives are no names.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    /// A name has a brace, or three dots, and is no pattern.
    #[error("{0}: not MinIO's pattern, which is {{1...4}}")]
    Malformed(String),
    /// They are too many.
    #[error("more than {DRIVES} drives")]
    TooMany,
}

/// The drives that these names stand for, in order.
///
/// # Errors
/// [`PatternError`].
pub fn drives(names: &[u8]) -> Result<Vec<Vec<u8>>, PatternError> {
    let mut drives = Vec::new();
    for name in names.split(|byte| *byte == b',') {
        let name = name.trim_ascii();
        if name.is_empty() {
            continue;
        }
        for drive in expand(name)? {
            if drives.len() == DRIVES {
                return Err(PatternError::TooMany);
            }
            drives.push(drive);
        }
    }
    Ok(drives)
}

/// Each drive that a name stands for: the first pattern's numbers vary fastest.
fn expand(name: &[u8]) -> Result<Vec<Vec<u8>>, PatternError> {
    let malformed = || PatternError::Malformed(shown(name));
    let Some(open) = name.iter().position(|byte| *byte == b'{') else {
        let is_plain = !name.contains(&b'}') && !name.windows(3).any(|dots| dots == b"...");
        return match is_plain {
            true => Ok(vec![name.to_vec()]),
            false => Err(malformed()),
        };
    };
    let (before, rest) = name.split_at_checked(open).ok_or_else(malformed)?;
    let rest = rest.get(1..).unwrap_or_default();
    let close = rest
        .iter()
        .position(|byte| *byte == b'}')
        .ok_or_else(malformed)?;
    let (range, after) = rest.split_at_checked(close).ok_or_else(malformed)?;
    if before.contains(&b'}') {
        return Err(malformed());
    }
    let numbers = numbers(range).ok_or_else(malformed)??;
    let mut all = Vec::new();
    for after in expand_rest(after.get(1..).unwrap_or_default(), name)? {
        for number in &numbers {
            if all.len() > DRIVES {
                return Err(PatternError::TooMany);
            }
            all.push([before, number.as_bytes(), &after].concat());
        }
    }
    Ok(all)
}

/// The same for what follows a pattern, which may be nothing.
fn expand_rest(rest: &[u8], whole: &[u8]) -> Result<Vec<Vec<u8>>, PatternError> {
    match rest.is_empty() {
        true => Ok(vec![Vec::new()]),
        false => expand(rest).map_err(|error| match error {
            PatternError::Malformed(_) => PatternError::Malformed(shown(whole)),
            error => error,
        }),
    }
}

/// The numbers of `a...b`; none if it is no such thing.
fn numbers(range: &[u8]) -> Option<Result<Vec<String>, PatternError>> {
    let text = std::str::from_utf8(range).ok()?;
    let (first, last) = text.split_once("...")?;
    let decimal = |text: &str| text.parse::<u64>().ok();
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_number(first) || !is_number(last) {
        return None;
    }
    let (is_decimal, from, to) = match (decimal(first), decimal(last)) {
        (Some(from), Some(to)) => (true, from, to),
        _ => (false, hexadecimal(first)?, hexadecimal(last)?),
    };
    if from > to {
        return None;
    }
    if to - from >= DRIVES as u64 {
        return Some(Err(PatternError::TooMany));
    }
    let is_padded = first.starts_with('0') && first.len() > 1 || last.starts_with('0');
    let width = if is_padded { last.len() } else { 0 };
    let number = |number: u64| match is_decimal {
        true => format!("{number:0width$}"),
        false => format!("{number:0width$x}"),
    };
    Some(Ok((from..=to).map(number).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &str) -> Vec<String> {
        let drives = drives(names.as_bytes()).unwrap();
        let text = |drive| String::from_utf8(drive).unwrap();
        drives.into_iter().map(text).collect()
    }

    #[test]
    fn names_are_expanded_as_minio_does() {
        assert_eq!(
            all("/mnt/disk{1...4}"),
            ["/mnt/disk1", "/mnt/disk2", "/mnt/disk3", "/mnt/disk4"]
        );
        assert_eq!(all("a{1...2}b{1...2}"), ["a1b1", "a2b1", "a1b2", "a2b2"]);
        assert_eq!(all("d{08...10}"), ["d08", "d09", "d10"]);
        assert_eq!(all("d{9...b}"), ["d9", "da", "db"]);
        assert_eq!(all("d{0...01}"), ["d00", "d01"]);
        assert_eq!(all(" a , b{1...1}/x,"), ["a", "b1/x"]);
        assert_eq!(all(""), [""; 0]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for name in [
            "d{0..3}", "d{1...", "d1...4", "d}", "d{4...1}", "d{a...z}", "{1...2}}", "x{}",
        ] {
            let error = drives(name.as_bytes()).unwrap_err();
            assert_eq!(error, PatternError::Malformed(name.into()), "{name}");
        }
        for many in [
            "d{1...1025}",
            "d{1...100}{1...100}",
            "d{0...18446744073709551615}",
        ] {
            assert_eq!(
                drives(many.as_bytes()),
                Err(PatternError::TooMany),
                "{many}"
            );
        }
    }
}
