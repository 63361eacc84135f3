//! Static keys: 32 secret bytes under a name, as MinIO takes them from `MINIO_KMS_SECRET_KEY`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use zeroize::Zeroizing;

use super::is_assignment;

/// The length of a key in bytes: AES-256 and ChaCha20 take no other.
pub const KEY_BYTES: usize = 32;

/// Base64 as Go's standard decoder, and so MinIO, takes it: padded, but not strict about the bits
/// of the last character that belong to no byte.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// A key and its name.
#[derive(Clone)]
pub struct StaticKey {
    name: String,
    secret: Zeroizing<[u8; KEY_BYTES]>,
}

/// Why a text is no static key. No case holds any part of the text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StaticKeyError {
    /// There is no colon between name and key.
    #[error("the key has no name: there is no colon in it")]
    NoColon,
    /// It is an assignment to a variable, which would become part of the key's name.
    #[error("it is NAME=VALUE, and the key is the value alone")]
    Assignment,
    /// What follows the colon is not base64.
    #[error("what follows the colon is not standard base64 with padding")]
    NotBase64,
    /// What follows the colon is not hexadecimal.
    #[error("what follows the colon is not hexadecimal")]
    NotHex,
    /// The key has another length.
    #[error("the key has {bytes} bytes and not {KEY_BYTES}")]
    Length {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name for a new key has a colon, at which it would be cut when it is read.
    #[error("a key's name must not hold a colon")]
    ColonInName,
    /// The system has no randomness. The text is for people.
    #[error("the system has no randomness: {0}")]
    NoRandomness(String),
}

impl StaticKey {
    /// A key from its bytes. The name may be empty.
    #[must_use]
    pub fn new(name: impl Into<String>, secret: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let name = name.into();
        Self { name, secret }
    }

    /// Reads `NAME:BASE64` as MinIO reads `MINIO_KMS_SECRET_KEY`: the name ends at the first colon
    /// and may be empty; the rest is standard base64 with padding, of exactly 32 bytes. Line ends
    /// in it are passed over, other space is not.
    ///
    /// # Errors
    /// `NoColon`, `NotBase64`, `Length`; `Assignment` for a whole line of an environment file, which MinIO
    /// would take for a key of an odd name.
    pub fn parse(text: &str) -> Result<Self, StaticKeyError> {
        if is_assignment(text) {
            return Err(StaticKeyError::Assignment);
        }
        let (name, encoded) = text.split_once(':').ok_or(StaticKeyError::NoColon)?;
        // As long as the text from the start: a buffer that grew would leave copies behind.
        let mut characters = Zeroizing::new(Vec::with_capacity(encoded.len()));
        characters.extend(encoded.bytes().filter(|byte| !b"\r\n".contains(byte)));
        let secret = GO_BASE64
            .decode(&*characters)
            .map(Zeroizing::new)
            .map_err(|_| StaticKeyError::NotBase64)?;
        Self::of_bytes(name, &secret)
    }

    /// Reads `NAME:HEX` as MinIO read `MINIO_KMS_MASTER_KEY` until 2021-06: 64 hexadecimal digits.
    ///
    /// # Errors
    /// `NoColon`, `NotHex`, `Length`, `Assignment`.
    pub fn parse_hex(text: &str) -> Result<Self, StaticKeyError> {
        if is_assignment(text) {
            return Err(StaticKeyError::Assignment);
        }
        let (name, digits) = text.split_once(':').ok_or(StaticKeyError::NoColon)?;
        let mut secret = Zeroizing::new(Vec::with_capacity(digits.len()));
        for pair in digits.as_bytes().chunks(2) {
            let byte = match pair {
                [high, low] => digit(*high).zip(digit(*low)),
                _ => None,
            };
            let (high, low) = byte.ok_or(StaticKeyError::NotHex)?;
            secret.push(high << 4 | low);
        }
        Self::of_bytes(name, &secret)
    }

    /// Makes a key from the system's randomness.
    ///
    /// # Errors
    /// `ColonInName`, `NoRandomness`.
    #[cfg(feature = "generate")]
    pub fn generate(name: &str) -> Result<Self, StaticKeyError> {
        if name.contains(':') {
            return Err(StaticKeyError::ColonInName);
        }
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(&mut *secret)
            .map_err(|error| StaticKeyError::NoRandomness(error.to_string()))?;
        Ok(Self::new(name, secret))
    }

    /// The key's name. Not a secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's bytes.
    #[must_use]
    pub fn secret(&self) -> &[u8; KEY_BYTES] {
        &self.secret
    }

    /// The key as `NAME:BASE64`, which [`StaticKey::parse`] and MinIO read. **Holds the secret.**
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        // 44 characters hold 32 bytes; a text that grew would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(self.name.len() + 1 + 44));
        text.push_str(&self.name);
        text.push(':');
        STANDARD.encode_string(self.secret.as_slice(), &mut text);
        text
    }

    fn of_bytes(name: &str, bytes: &[u8]) -> Result<Self, StaticKeyError> {
        let mut secret = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            let bytes = bytes.len();
            return Err(StaticKeyError::Length { bytes });
        }
        secret.copy_from_slice(bytes);
        Ok(Self::new(name, secret))
    }
}

impl StaticKeyError {
    /// What to do about it, in one line.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::NoColon => {
                "write it as NAME:BASE64; `iamseal keygen NAME` makes such a key".into()
            }
            Self::Assignment => {
                "write the value alone, NAME:BASE64, without the variable and without quotes".into()
            }
            // 64 hexadecimal digits happen to be base64 of 48 bytes.
            Self::Length { bytes: 48 } => {
                "64 hexadecimal digits belong into MINIO_KMS_MASTER_KEY; \
                 elsewhere write the 32 bytes as base64"
                    .into()
            }
            Self::NotBase64 | Self::Length { .. } => {
                "after the colon belong 44 characters of base64, the last of them `=`; \
                 is the key complete, and without spaces, quotes and a comment?"
                    .into()
            }
            Self::NotHex => {
                "after the colon belong 64 hexadecimal digits; a base64 key belongs into \
                 MINIO_KMS_SECRET_KEY"
                    .into()
            }
            Self::ColonInName => "choose a name without a colon".into(),
            Self::NoRandomness(_) => "look at the system's random device".into(),
        }
    }
}

fn digit(character: u8) -> Option<u8> {
    let value = char::from(character).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64 of the bytes 0..32.
    const COUNTING: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn counting() -> [u8; KEY_BYTES] {
        std::array::from_fn(|index| index as u8)
    }

    fn error(text: &str) -> StaticKeyError {
        StaticKey::parse(text).err().unwrap()
    }

    #[test]
    fn a_key_is_split_at_the_first_colon() {
        for name in ["my-key", "", " a b", "Schlüssel", "a/b=c"] {
            let key = StaticKey::parse(&format!("{name}:{COUNTING}"))
                .ok()
                .unwrap();
            assert_eq!(key.name(), name);
            assert_eq!(*key.secret(), counting());
        }
        assert_eq!(error(&format!("a:b:{COUNTING}")), StaticKeyError::NotBase64);
        assert_eq!(error(COUNTING), StaticKeyError::NoColon);
        assert_eq!(error(""), StaticKeyError::NoColon);
    }

    #[test]
    fn line_ends_are_passed_over_and_other_space_is_not() {
        let (head, tail) = COUNTING.split_at(10);
        for text in [
            format!("k:{COUNTING}\n"),
            format!("k:\r\n{head}\r\n{tail}\r\n"),
            format!("k:{}\n=", COUNTING.trim_end_matches('=')),
        ] {
            assert_eq!(*StaticKey::parse(&text).ok().unwrap().secret(), counting());
        }
        for text in [
            format!("k: {COUNTING}"),
            format!("k:{COUNTING} "),
            format!("k:{head}\t{tail}"),
        ] {
            assert_eq!(error(&text), StaticKeyError::NotBase64);
        }
    }

    #[test]
    fn base64_is_what_gos_decoder_takes() {
        // `9` instead of `8` before the padding sets a bit that belongs to no byte.
        let loose = COUNTING.replace("h8=", "h9=");
        let key = StaticKey::parse(&format!("k:{loose}")).ok().unwrap();
        assert_eq!(*key.secret(), counting());

        let unpadded = COUNTING.trim_end_matches('=');
        for encoded in [
            unpadded.to_string(),
            format!("{COUNTING}="),
            format!("{COUNTING}AAAA"),
            COUNTING.replace('A', "-"),
            COUNTING.replace('A', "é"),
        ] {
            assert_eq!(error(&format!("k:{encoded}")), StaticKeyError::NotBase64);
        }
    }

    #[test]
    fn an_assignment_is_no_key() {
        for before in [
            "MINIO_KMS_SECRET_KEY=",
            "export MINIO_KMS_SECRET_KEY=",
            " export\tMINIO_KMS_SECRET_KEY = ",
            "MINIO_KMS_SECRET_KEY=\"",
            "RUSTFS_IAM_MASTER_KEY=",
        ] {
            let text = format!("{before}my-key:{COUNTING}");
            assert_eq!(error(&text), StaticKeyError::Assignment);
            let hex = StaticKey::parse_hex(&text).err().unwrap();
            assert_eq!(hex, StaticKeyError::Assignment);
        }
        for name in ["MINIO_KEY", "minio_key=a", "export=a", "A=b", "MINIO_key=a"] {
            let text = format!("{name}:{COUNTING}");
            assert_eq!(StaticKey::parse(&text).ok().unwrap().name(), name);
        }
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert_eq!(error("k:"), StaticKeyError::Length { bytes: 0 });
        for bytes in [1, 16, 31, 33, 48, 64] {
            let encoded = STANDARD.encode(vec![7; bytes]);
            assert_eq!(
                error(&format!("k:{encoded}")),
                StaticKeyError::Length { bytes }
            );
        }
    }

    #[test]
    fn hexadecimal_digits_under_the_new_name_are_told_apart() {
        let error = error(&format!("k:{}", "0a".repeat(32)));
        assert!(error.cure().contains("MINIO_KMS_MASTER_KEY"));
    }

    #[test]
    fn the_old_form_is_hexadecimal() {
        let digits: String = counting()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        for digits in [digits.clone(), digits.to_uppercase()] {
            let key = StaticKey::parse_hex(&format!("old:{digits}")).ok().unwrap();
            assert_eq!((key.name(), *key.secret()), ("old", counting()));
        }
        for (text, expected) in [
            (digits.clone(), StaticKeyError::NoColon),
            (format!("k:{digits}0"), StaticKeyError::NotHex),
            (format!("k:{digits}é"), StaticKeyError::NotHex),
            (
                format!("k:{digits}00"),
                StaticKeyError::Length { bytes: 33 },
            ),
            (format!("k:{COUNTING}"), StaticKeyError::NotHex),
        ] {
            assert_eq!(StaticKey::parse_hex(&text).err().unwrap(), expected);
        }
    }

    #[cfg(feature = "generate")]
    #[test]
    fn a_generated_key_is_fresh_and_reads_back() {
        let key = StaticKey::generate("my-key").ok().unwrap();
        let again = StaticKey::generate("my-key").ok().unwrap();
        assert_ne!(key.secret(), again.secret());

        let text = key.encode();
        let read = StaticKey::parse(&text).ok().unwrap();
        assert_eq!((read.name(), read.secret()), (key.name(), key.secret()));
        assert_eq!(
            StaticKey::generate("a:b").err().unwrap(),
            StaticKeyError::ColonInName
        );
    }

    #[test]
    fn no_error_shows_the_key() {
        for text in [
            "hunter2".to_string(),
            "k:hunter2".to_string(),
            format!("k:{COUNTING}hunter2"),
            "k:aHVudGVyMg==".to_string(),
        ] {
            for error in [error(&text), StaticKey::parse_hex(&text).err().unwrap()] {
                let shown = format!("{error} {error:?} {}", error.cure());
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(!shown.contains("aHVudGVyMg"), "{shown}");
            }
        }
    }
}
