//! Session tokens: JSON web tokens that a server signs with a secret key of an account (RFC 7518 section 3.2).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;

/// The bytes of a token's signature.
pub const SIGNATURE: usize = 64;

/// `message`'s HMAC-SHA-512 under `secret`. A secret of any length is taken, so that there always is one.
#[must_use]
pub fn sign(secret: &[u8], message: &[u8]) -> Option<[u8; SIGNATURE]> {
    Some(mac(secret, message)?.finalize().into_bytes().into())
}

/// Whether `signature` is `message`'s HMAC-SHA-512 under `secret`. Compares in constant time.
#[must_use]
pub fn signed(secret: &[u8], message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
    mac(secret, message).is_some_and(|mac| mac.verify(signature.into()).is_ok())
}

fn mac(secret: &[u8], message: &[u8]) -> Option<Hmac<Sha512>> {
    let mut mac = <Hmac<Sha512>>::new_from_slice(secret).ok()?;
    mac.update(message);
    Some(mac)
}

/// The secret key of a passphrase, which is `user:password`; RustFS' has no user and is the secret itself.
#[must_use]
pub fn secret_key<'a>(passphrase: &'a str, user: &str) -> &'a str {
    let after_user = passphrase.strip_prefix(user);
    let secret = after_user.and_then(|rest| rest.strip_prefix(':'));
    secret.unwrap_or(passphrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_secrets_and_the_messages() {
        // RFC 4231, test case 2.
        let message = b"what do ya want for nothing?";
        let mut signature = [
            0x16, 0x4b, 0x7a, 0x7b, 0xfc, 0xf8, 0x19, 0xe2, 0xe3, 0x95, 0xfb, 0xe7, 0x3b, 0x56,
            0xe0, 0xa3, 0x87, 0xbd, 0x64, 0x22, 0x2e, 0x83, 0x1f, 0xd6, 0x10, 0x27, 0x0c, 0xd7,
            0xea, 0x25, 0x05, 0x54, 0x97, 0x58, 0xbf, 0x75, 0xc0, 0x5a, 0x99, 0x4a, 0x6d, 0x03,
            0x4f, 0x65, 0xf8, 0xf0, 0xe6, 0xfd, 0xca, 0xea, 0xb1, 0xa3, 0x4d, 0x4a, 0x6b, 0x4b,
            0x63, 0x6e, 0x07, 0x0a, 0x38, 0xbc, 0xe7, 0x37,
        ];
        assert_eq!(sign(b"Jefe", message), Some(signature));
        assert!(signed(b"Jefe", message, &signature));
        assert!(!signed(b"Jeff", message, &signature));
        assert!(!signed(b"Jefe", &message[1..], &signature));
        signature[63] ^= 1;
        assert!(!signed(b"Jefe", message, &signature));
    }

    #[test]
    fn the_secret_is_what_follows_the_user() {
        assert_eq!(secret_key("root:se:cret", "root"), "se:cret");
        assert_eq!(secret_key("secret", ""), "secret");
        assert_eq!(secret_key(":secret", ""), "secret");
    }
}
