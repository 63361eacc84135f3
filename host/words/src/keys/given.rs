//! What is given where the path of a file with secrets belongs, and may be the secret itself.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::static_key::KEY_BYTES;

/// Base64 of a key that may have lost its padding, and with it the bits that belong to no byte.
const LOOSE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The digits of a key in base64, without padding.
const DIGITS: usize = 43;

/// What stands for a text that may be a secret.
const NOT_SHOWN: &str = "a file (what was given is not shown: it may be a secret)";

/// The path of a file as it was given, for errors: it is kept only if it is one, so that no secret that stands in its
/// place reaches a message or a log. A path is what exists, or what begins at the root or in a folder that exists, and
/// has nothing of a key or an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenPath(Option<PathBuf>);

impl GivenPath {
    /// Of a file that is no secret's place.
    #[must_use]
    pub fn harmless(path: &Path) -> Self {
        Self(Some(path.to_owned()))
    }

    /// Whether it is not shown.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0.is_none()
    }
}

impl From<&Path> for GivenPath {
    fn from(path: &Path) -> Self {
        let is_one = path.exists() || is_path(path);
        Self(is_one.then(|| path.to_owned()))
    }
}

impl fmt::Display for GivenPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) => path.display().fmt(f),
            None => f.write_str(NOT_SHOWN),
        }
    }
}

fn is_path(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let is_placed = path.is_absolute() || folder.is_some_and(Path::is_dir);
    is_placed && !text.contains('=') && !holds_key(&text)
}

/// Whether a text holds what could be a key: 32 bytes in base64 or hexadecimal, alone or after a name.
#[must_use]
pub fn holds_key(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    text.contains("PRIVATE KEY")
        || text
            .split(|character: char| !character.is_ascii() || !is_digit(character as u8))
            .any(|run| match run.len() {
                DIGITS => is_key(run),
                64 => run.bytes().all(|byte| byte.is_ascii_hexdigit()),
                _ => false,
            })
}

/// Whether these digits of base64 are a key's.
fn is_key(digits: &str) -> bool {
    let is_long = digits.len() == DIGITS;
    is_long
        && LOOSE
            .decode(digits)
            .is_ok_and(|bytes| bytes.len() == KEY_BYTES)
}

/// A sentence without what could be a key after its name, `NAME:BASE64`, wherever somebody has put one.
#[must_use]
pub fn without_keys(sentence: &str) -> String {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let bytes = sentence.as_bytes();
    let mut text = String::with_capacity(sentence.len());
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let digits = rest.iter().take_while(|byte| is_digit(byte)).count();
        let run = sentence.get(at..at + digits).unwrap_or_default();
        let is_after_name = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b':');
        let is_padded = rest.get(digits) == Some(&b'=');
        // Paths have parts of as many letters: a key has all kinds of digits.
        let kinds: [fn(&u8) -> bool; 3] = [
            u8::is_ascii_uppercase,
            u8::is_ascii_lowercase,
            u8::is_ascii_digit,
        ];
        let is_mixed = kinds.iter().all(|kind| run.bytes().any(|byte| kind(&byte)));
        let is_shown = !((is_padded || is_after_name) && is_mixed && is_key(run));
        match (is_shown, digits) {
            (false, _) => text.push_str("(not shown)"),
            (true, 0) => {
                let next = sentence.get(at..).and_then(|rest| rest.chars().next());
                text.extend(next);
                at += next.map_or(1, char::len_utf8);
                continue;
            }
            (true, _) => text.push_str(run),
        }
        at += digits + usize::from(!is_shown && is_padded);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_shown_without_a_key_in_it() {
        for (said, shown) in [
            (
                format!("no key k:{KEY}= is there"),
                "no key k:(not shown) is there",
            ),
            (
                format!("\u{e9} k:{KEY}\u{2026}"),
                "\u{e9} k:(not shown)\u{2026}",
            ),
            (format!("{KEY}="), "(not shown)"),
            (
                "/srv/minio/data/disk1/and/so/on/until/43/bytes".into(),
                "/srv/minio/data/disk1/and/so/on/until/43/bytes",
            ),
            (String::new(), ""),
        ] {
            assert_eq!(without_keys(&said), shown);
        }
        // A digest is none.
        assert_eq!(without_keys(HEX), HEX);
    }

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_secret_is_never_shown() {
        for secret in [
            format!("key:{KEY}="),
            format!("key:{KEY}"),
            format!("{KEY}="),
            format!("/{}", &KEY[1..]),
            format!("key={KEY}="),
            format!("\"key:{KEY}=\""),
            format!("MINIO_KMS_SECRET_KEY=key:{KEY}="),
            format!("/tmp/key:{HEX}"),
            "root:Sup3r/RootPw99".into(),
            "Sup3rRootPw99".into(),
            "MINIO_ROOT_PASSWORD=Sup3rRootPw99".into(),
            "-----BEGIN PRIVATE KEY-----\nMC4CAQ".into(),
        ] {
            let given = GivenPath::from(Path::new(&secret));
            assert!(given.is_hidden(), "{secret}");
            assert_eq!(given.to_string(), NOT_SHOWN);
        }
    }

    #[test]
    fn a_path_is_shown() {
        for path in [
            "/nonexistent/key",
            "/run/secrets/my-key.secret",
            "./no-such-file",
            "src",
        ] {
            assert_eq!(GivenPath::from(Path::new(path)).to_string(), path);
        }
    }
}
