//! Root credentials, with which MinIO encrypted its configuration from 2019-12 to 2021-04.

use thiserror::Error;
use zeroize::Zeroizing;

use super::{is_assignment, lines};

/// The shortest user name in bytes that MinIO takes.
pub const USER_BYTES: usize = 3;
/// The shortest password in bytes that MinIO takes.
pub const PASSWORD_BYTES: usize = 8;

/// A root credential of the server, present or past.
#[derive(Clone)]
pub struct RootCredential {
    /// The access key. Not a secret. Empty for a passphrase without a user, as RustFS has it.
    pub user: String,
    /// The secret key.
    pub password: Zeroizing<String>,
}

/// Why a text is no root credential. No case holds any part of the text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RootCredentialError {
    /// There is no colon between user and password.
    #[error("there is no colon between user and password")]
    NoColon,
    /// It is an assignment to a variable, which would become the user's name.
    #[error("it is NAME=VALUE, and a credential is USER:PASSWORD alone")]
    Assignment,
    /// The user name is too short.
    #[error("the user name has {bytes} bytes; at least {least} are needed")]
    UserTooShort {
        /// Its length in bytes.
        bytes: usize,
        /// The least.
        least: usize,
    },
    /// The password is too short.
    #[error("the password has {bytes} bytes; at least {least} are needed")]
    PasswordTooShort {
        /// Its length in bytes.
        bytes: usize,
        /// The least.
        least: usize,
    },
}

impl RootCredential {
    /// Reads `USER:PASSWORD`, split at the first colon; the password may hold more. Without a user it is
    /// RustFS' master key, or its root secret alone. MinIO's least lengths are not asked for: what once
    /// was a credential still opens what it sealed.
    ///
    /// # Errors
    /// `NoColon`; `Assignment` for a line of an environment file; `PasswordTooShort` if there is none.
    pub fn parse(text: &str) -> Result<Self, RootCredentialError> {
        if is_assignment(text) {
            return Err(RootCredentialError::Assignment);
        }
        let (user, password) = text.split_once(':').ok_or(RootCredentialError::NoColon)?;
        let credential = Self {
            user: user.into(),
            password: Zeroizing::new(password.into()),
        };
        credential.check(0, 1)?;
        Ok(credential)
    }

    /// What keys are derived of.
    #[must_use]
    pub fn passphrase(&self) -> Zeroizing<String> {
        match self.user.as_str() {
            "" => self.password.clone(),
            user => Zeroizing::new([user, &self.password].join(":")),
        }
    }

    /// Checks the lengths that MinIO asks of its present root credential.
    ///
    /// # Errors
    /// `UserTooShort`, `PasswordTooShort`.
    pub fn check_minio(&self) -> Result<(), RootCredentialError> {
        self.check(USER_BYTES, PASSWORD_BYTES)
    }

    fn check(&self, user: usize, password: usize) -> Result<(), RootCredentialError> {
        if self.user.len() < user {
            return Err(RootCredentialError::UserTooShort {
                bytes: self.user.len(),
                least: user,
            });
        }
        if self.password.len() < password {
            return Err(RootCredentialError::PasswordTooShort {
                bytes: self.password.len(),
                least: password,
            });
        }
        Ok(())
    }
}

impl RootCredentialError {
    /// What to do about it, in one line.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Self::NoColon => "write it as USER:PASSWORD".into(),
            Self::Assignment => {
                "write user and password alone, as USER:PASSWORD, or :PASSPHRASE for RustFS".into()
            }
            Self::UserTooShort { .. } | Self::PasswordTooShort { .. } => {
                "give the credential that the server runs with; \
                 one of the past belongs into --root-credentials FILE"
                    .into()
            }
        }
    }
}

/// The lines of a file of credentials, by their numbers, that hold quotes or white space where people put them for the eye.
/// They are parts of the credential all the same: a password may hold anything.
pub fn odd_lines(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    lines(text).filter_map(|(number, line)| {
        let (user, password) = line.split_once(':')?;
        let is_quoted = ['"', '\''].iter().any(|quote| {
            let encloses =
                |text: &str| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote);
            [&line, user, password].into_iter().any(encloses)
        });
        let is_spaced =
            user.ends_with(char::is_whitespace) || password.starts_with(char::is_whitespace);
        match (is_quoted, is_spaced) {
            (true, _) => Some((number, "it is in quotes")),
            (false, true) => Some((number, "there is white space beside the colon")),
            (false, false) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, String), RootCredentialError> {
        RootCredential::parse(text)
            .map(|credential| (credential.user, credential.password.to_string()))
    }

    #[test]
    fn a_credential_is_split_at_the_first_colon() {
        assert_eq!(parse("ab:c:d ").unwrap(), ("ab".into(), "c:d ".into()));
        assert_eq!(parse("ü:p").unwrap(), ("ü".into(), "p".into()));
    }

    #[test]
    fn a_password_may_stand_alone_and_a_user_may_not() {
        assert_eq!(parse("hunter2").unwrap_err(), RootCredentialError::NoColon);
        assert_eq!(parse(":a:b").unwrap(), (String::new(), "a:b".into()));
        let passphrase = |text| {
            RootCredential::parse(text)
                .unwrap_or_else(|_| panic!())
                .passphrase()
        };
        assert_eq!(*passphrase(":hunter2"), "hunter2");
        assert_eq!(*passphrase("user:a:b"), "user:a:b");
        assert_eq!(
            parse("user:").unwrap_err(),
            RootCredentialError::PasswordTooShort { bytes: 0, least: 1 }
        );
    }

    #[test]
    fn quotes_and_space_are_odd() {
        let text = "root:secret\n'root:secret'\nroot:\"secret\"\n# a: b\nroot: secret\nroot :secret\nroot:it's\n:a b";
        let odd: Vec<_> = odd_lines(text).collect();
        let quotes = "it is in quotes";
        let space = "there is white space beside the colon";
        assert_eq!(odd, [(2, quotes), (3, quotes), (5, space), (6, space)]);
    }

    #[test]
    fn a_present_credential_obeys_minios_lengths() {
        let check = |text: &str| RootCredential::parse(text).ok().unwrap().check_minio();
        assert_eq!(check("abc:12345678"), Ok(()));
        // Counted in bytes, as Go does.
        assert_eq!(check("üb:ü345678"), Ok(()));
        assert_eq!(
            check("ab:12345678"),
            Err(RootCredentialError::UserTooShort { bytes: 2, least: 3 })
        );
        assert_eq!(
            check("abc:1234567"),
            Err(RootCredentialError::PasswordTooShort { bytes: 7, least: 8 })
        );
    }
}
