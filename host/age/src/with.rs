//! What there is with age.

use std::io::{Read as _, Write as _};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient, x25519};
use zeroize::Zeroizing;

use crate::AgeError;

pub fn open(
    bytes: &[u8],
    identities: &[Zeroizing<String>],
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(bytes)).map_err(why)?;
    if decryptor.is_scrypt() {
        return Err(AgeError::Passphrase);
    }
    let mut all = Vec::new();
    for text in identities {
        all.extend(parsed(text)?);
    }
    if all.is_empty() {
        return Err(AgeError::NoIdentity);
    }
    let all = all.iter().map(|identity| identity as &dyn Identity);
    let plaintext = decryptor.decrypt(all).map_err(why)?;
    // A buffer that grew would leave copies of the secrets behind. The byte too many shows what is too long.
    let mut opened = Zeroizing::new(Vec::with_capacity(limit.min(bytes.len()) + 1));
    let read = plaintext.take(limit as u64 + 1).read_to_end(&mut opened);
    match read {
        Ok(read) if read > limit => Err(AgeError::TooLarge { bytes: limit }),
        Ok(_) => Ok(opened),
        // The bytes are in memory: it is what they are.
        Err(_) => Err(AgeError::Damaged),
    }
}

/// The identities of a file: one a line; empty lines and lines that begin with `#` are passed over.
fn parsed(text: &str) -> Result<Vec<x25519::Identity>, AgeError> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, text)| text.parse().map_err(|_| AgeError::Identity { line }))
        .collect()
}

fn why(error: DecryptError) -> AgeError {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => AgeError::NoMatch,
        _ => AgeError::Damaged,
    }
}

#[derive(Default)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Others than these no identity opens here.
    pub fn add(&mut self, text: &str) -> Result<(), AgeError> {
        self.0.push(text.parse().map_err(|_| AgeError::Recipient)?);
        Ok(())
    }

    pub fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, AgeError> {
        let all = self.0.iter().map(|recipient| recipient as &dyn Recipient);
        let encryptor = Encryptor::with_recipients(all).map_err(|error| match error {
            age::EncryptError::MissingRecipients => AgeError::NoRecipient,
            _ => AgeError::NotEncrypted,
        })?;
        let mut encrypted = Vec::new();
        let write = |encrypted: &mut Vec<u8>| {
            let mut writer = encryptor.wrap_output(encrypted)?;
            writer.write_all(plaintext)?;
            writer.finish().map(drop)
        };
        write(&mut encrypted).map_err(|_| AgeError::NotEncrypted)?;
        Ok(encrypted)
    }
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;

    use super::*;

    fn identity() -> (Zeroizing<String>, String) {
        let identity = x25519::Identity::generate();
        let text = format!("# created\n{}\n", identity.to_string().expose_secret());
        (Zeroizing::new(text), identity.to_public().to_string())
    }

    fn encrypted(to: &[&str], plaintext: &[u8]) -> Vec<u8> {
        let mut recipients = Recipients::default();
        to.iter().for_each(|to| recipients.add(to).unwrap());
        recipients.encrypt(plaintext).unwrap()
    }

    #[test]
    fn what_is_encrypted_to_several_opens_with_each() {
        let ((one, to_one), (two, to_two)) = (identity(), identity());
        let (stranger, _) = identity();
        let bytes = encrypted(&[&to_one, &to_two], b"secret");
        assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
        for identities in [vec![one.clone()], vec![stranger.clone(), two]] {
            let opened = open(&bytes, &identities, 6).unwrap();
            assert_eq!(&opened[..], b"secret");
        }
        assert_eq!(open(&bytes, &[stranger], 6).err(), Some(AgeError::NoMatch));
        assert_eq!(open(&bytes, &[], 6).err(), Some(AgeError::NoIdentity));
        let short = open(&bytes, &[one], 5).err();
        assert_eq!(short, Some(AgeError::TooLarge { bytes: 5 }));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let (one, to_one) = identity();
        let bytes = encrypted(&[&to_one], &[7; 70_000]);
        let one = [one];
        let whole = open(&bytes, &one, 70_000).unwrap();
        assert_eq!(whole.len(), 70_000);
        for end in [0, 10, 100, 200, bytes.len() - 17, bytes.len() - 1] {
            let opened = open(&bytes[..end], &one, 70_000).err();
            assert_eq!(opened, Some(AgeError::Damaged), "{end}");
        }
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let opened = open(&flipped, &one, 70_000).err();
        assert_eq!(opened, Some(AgeError::Damaged));
    }

    #[test]
    fn what_asks_for_a_passphrase_is_named() {
        let passphrase = age::secrecy::SecretString::from("correct horse".to_owned());
        let recipient = age::scrypt::Recipient::new(passphrase);
        let bytes = age::encrypt(&recipient, b"secret").unwrap();
        let (one, _) = identity();
        assert_eq!(open(&bytes, &[one], 6).err(), Some(AgeError::Passphrase));
    }

    #[test]
    fn texts_that_are_none_are_named_and_not_shown() {
        let (one, to_one) = identity();
        let bytes = encrypted(&[&to_one], b"secret");
        let bad = Zeroizing::new(format!("{}no identity\n", *one));
        let opened = open(&bytes, &[bad], 6).err();
        assert_eq!(opened, Some(AgeError::Identity { line: 3 }));
        let mut recipients = crate::Recipients::default();
        assert_eq!(recipients.add(&one).err(), Some(AgeError::Recipient));
        assert_eq!(recipients.add_all("# none\n\n"), Err(AgeError::NoRecipient));
        assert_eq!(recipients.encrypt(b"").err(), Some(AgeError::NoRecipient));
        assert_eq!(recipients.add_all(&format!("# me\n{to_one}\n")), Ok(()));
    }
}
