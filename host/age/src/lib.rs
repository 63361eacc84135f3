//! Files that [age](https://age-encryption.org/v1) encrypts. Built without the feature `age`, it
//! neither opens nor makes them, and says so.

#[cfg(feature = "age")]
mod with;
#[cfg(not(feature = "age"))]
mod without;

use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(feature = "age")]
use with as inner;
#[cfg(not(feature = "age"))]
use without as inner;

/// Why a file is not opened, or not made. No case holds any part of a file, an identity or a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AgeError {
    /// It was built without age.
    #[error("this build of iamseal has no age")]
    NotBuiltIn,
    /// There is nothing to open it with.
    #[error("it is encrypted with age, and no identity was given")]
    NoIdentity,
    /// A line of a file of identities, counted from 1, is none that is known.
    #[error("line {line} is no age identity (AGE-SECRET-KEY-1…)")]
    Identity {
        /// The line.
        line: usize,
    },
    /// It asks for a passphrase.
    #[error("it is encrypted with a passphrase and not to a recipient")]
    Passphrase,
    /// None of the identities is a recipient of it.
    #[error("it is encrypted with age, and to none of the identities")]
    NoMatch,
    /// It is truncated, or was changed.
    #[error("it is encrypted with age, and damaged or truncated")]
    Damaged,
    /// What is in it is longer than it may be.
    #[error("it holds more than {bytes} bytes")]
    TooLarge {
        /// The most that it may be.
        bytes: usize,
    },
    /// A text should be a recipient, and is none.
    #[error("not an age recipient (age1…)")]
    Recipient,
    /// The system keeps it from being encrypted.
    #[error("it cannot be encrypted with age")]
    NotEncrypted,
    /// Nobody could open what would be made.
    #[error("there is no recipient in it")]
    NoRecipient,
}

/// What an encrypted file, binary or text, holds. `identities` are the texts of files of identities as age-keygen
/// makes them; `limit` is how many bytes may be in it.
///
/// # Errors
/// Any but `Recipient`, `NoRecipient` and `NotEncrypted`.
pub fn open(
    bytes: &[u8],
    identities: &[Zeroizing<String>],
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    inner::open(bytes, identities, limit)
}

/// Whom a file is encrypted to.
#[derive(Default)]
pub struct Recipients(inner::Recipients);

impl Recipients {
    /// Adds one: `age1…`.
    ///
    /// # Errors
    /// `Recipient`; `NotBuiltIn`.
    pub fn add(&mut self, text: &str) -> Result<(), AgeError> {
        self.0.add(text)
    }

    /// Adds those of a file: one a line; empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// `Recipient`, `NoRecipient`; `NotBuiltIn`.
    pub fn add_all(&mut self, text: &str) -> Result<(), AgeError> {
        let lines = text.lines().map(str::trim);
        let lines: Vec<_> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        if lines.is_empty() {
            return Err(AgeError::NoRecipient);
        }
        lines.into_iter().try_for_each(|line| self.add(line))
    }

    /// Encrypts to all of them, in age's binary form.
    ///
    /// # Errors
    /// `NoRecipient`; `NotEncrypted`; `NotBuiltIn`.
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, AgeError> {
        self.0.encrypt(plaintext)
    }
}

#[cfg(all(test, not(feature = "age")))]
mod tests {
    use super::*;

    #[test]
    fn without_age_nothing_is_opened_or_made() {
        let opened = open(b"age-encryption.org/v1\n", &[], 1).err();
        assert_eq!(opened, Some(AgeError::NotBuiltIn));
        let mut recipients = Recipients::default();
        assert_eq!(recipients.add("age1").err(), Some(AgeError::NotBuiltIn));
        assert_eq!(recipients.encrypt(b"").err(), Some(AgeError::NotBuiltIn));
    }
}
