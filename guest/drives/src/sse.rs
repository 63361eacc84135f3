//! How an object of S3 is encrypted, and which key it names: what its metadata says of that.

use alloc::string::String;

/// How the names of metadata begin that a server notes of an encryption.
const PREFIX: &[u8] = b"X-Minio-Internal-Server-Side-Encryption-";
const KEY: &[u8] = b"S3-Kms-Key-Id";
const OF_SERVER: &[u8] = b"S3-Sealed-Key";
const OF_KMS: &[u8] = b"Kms-Sealed-Key";
const OF_CUSTOMER: &[u8] = b"Sealed-Key";

/// The longest key name that is taken for one: KES has 80 bytes, and a name is all that a KMS gets.
const NAME_BYTES: usize = 1024;

/// How an object of S3 is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encryption {
    /// SSE-S3: under a key of the KMS that the server chose.
    S3,
    /// SSE-KMS: under a key of the KMS that a client, or the bucket's default, chose.
    Kms,
    /// SSE-C: under a key that clients bring. It needs none of the KMS.
    Customer,
    /// In a way that is not known here.
    Other,
}

/// What metadata says of an encryption.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sse {
    /// How it is.
    pub encryption: Encryption,
    /// The name of the key; none if it names none that can be one.
    pub key: Option<String>,
}

/// What is known so far of metadata that is read pair by pair.
#[derive(Default)]
pub struct Said<'a> {
    is_any: bool,
    encryption: Option<Encryption>,
    key: Option<&'a [u8]>,
}

impl<'a> Said<'a> {
    /// Takes a name and its value into account.
    pub fn see(&mut self, name: &[u8], value: &'a [u8]) {
        let Some((prefix, name)) = name.split_at_checked(PREFIX.len()) else {
            return;
        };
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return;
        }
        self.is_any = true;
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        let found = if is(KEY) {
            self.key = Some(value);
            None
        } else if is(OF_SERVER) {
            Some(Encryption::S3)
        } else if is(OF_KMS) {
            Some(Encryption::Kms)
        } else if is(OF_CUSTOMER) {
            Some(Encryption::Customer)
        } else {
            None
        };
        // One object has one of them.
        self.encryption = match (self.encryption, found) {
            (one, None) => one,
            (Some(one), Some(other)) if one != other => Some(Encryption::Other),
            (_, found) => found,
        };
    }

    /// What all of it comes to; none if it says nothing of an encryption.
    pub fn sse(&self) -> Option<Sse> {
        if !self.is_any {
            return None;
        }
        let encryption = match (self.encryption, self.key) {
            (Some(Encryption::Customer), Some(_)) | (None, _) => Encryption::Other,
            (Some(encryption), _) => encryption,
        };
        let key = self.key.and_then(key_name);
        Some(Sse { encryption, key })
    }
}

/// The name that these bytes are, if they can be one.
pub fn key_name(bytes: &[u8]) -> Option<String> {
    let name = str::from_utf8(bytes).ok()?;
    (!name.is_empty() && name.len() <= NAME_BYTES).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn said(pairs: &[(&str, &str)]) -> Option<Sse> {
        let pairs: Vec<(String, &str)> = pairs
            .iter()
            .map(|(name, value)| {
                let prefix = str::from_utf8(PREFIX).unwrap();
                (name.replace('~', prefix), *value)
            })
            .collect();
        let mut said = Said::default();
        for (name, value) in &pairs {
            said.see(name.as_bytes(), value.as_bytes());
        }
        said.sse()
    }

    fn sse(encryption: Encryption, key: Option<&str>) -> Option<Sse> {
        let key = key.map(String::from);
        Some(Sse { encryption, key })
    }

    #[test]
    fn the_sealed_key_tells_how_and_the_name_with_what() {
        let key = ("~S3-Kms-Key-Id", "a");
        let iv = ("~Iv", "x");
        let s3 = [
            iv,
            key,
            ("~S3-Sealed-Key", "x"),
            ("~S3-Kms-Sealed-Key", "x"),
        ];
        assert_eq!(said(&s3), sse(Encryption::S3, Some("a")));
        let kms = [("~Kms-Sealed-Key", "x"), ("~S3-Kms-Sealed-Key", "x"), key];
        assert_eq!(said(&kms), sse(Encryption::Kms, Some("a")));
        let customer = [("~Sealed-Key", "x"), iv];
        assert_eq!(said(&customer), sse(Encryption::Customer, None));
        assert_eq!(said(&[("x-minio-internal-inline-data", "true")]), None);
        assert_eq!(said(&[]), None);
    }

    #[test]
    fn what_is_odd_is_not_taken_for_none() {
        assert_eq!(said(&[("~New", "x")]), sse(Encryption::Other, None));
        let no_name = [("~S3-Sealed-Key", "x"), ("~S3-Kms-Key-Id", "")];
        assert_eq!(said(&no_name), sse(Encryption::S3, None));
        let both = [("~S3-Sealed-Key", "x"), ("~Kms-Sealed-Key", "x")];
        assert_eq!(said(&both), sse(Encryption::Other, None));
        let with_key = [("~Sealed-Key", "x"), ("~S3-Kms-Key-Id", "a")];
        assert_eq!(said(&with_key), sse(Encryption::Other, Some("a")));
        let long = "a".repeat(NAME_BYTES + 1);
        let long = [("~S3-Sealed-Key", "x"), ("~S3-Kms-Key-Id", &*long)];
        assert_eq!(said(&long), sse(Encryption::S3, None));
    }
}
