//! Files of keys that another program has encrypted.

/// How a file that [age](https://age-encryption.org/v1) encrypts begins: binary, and as text.
const BEGINNINGS: [&[u8]; 2] = [
    b"age-encryption.org/v1\n",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// Whether a file is encrypted with age, by how it begins.
#[must_use]
pub fn is_encrypted(bytes: &[u8]) -> bool {
    BEGINNINGS
        .iter()
        .any(|beginning| bytes.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_files_are_known_by_how_they_begin() {
        assert!(is_encrypted(b"age-encryption.org/v1\n-> X25519 "));
        assert!(is_encrypted(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
        assert!(!is_encrypted(b"age-encryption.org/v2\n"));
        assert!(!is_encrypted(b"my-key:AAAA"));
        assert!(!is_encrypted(b""));
    }
}
