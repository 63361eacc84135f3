//! Whose secret signed a session token: a JSON web token with HMAC-SHA-512 (RFC 7515, RFC 7518 section 3.2).
//! A server does not know a service account whose token was signed with an earlier root secret.

use alloc::string::String;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iamseal_data_key::{SIGNATURE, signed};

use super::read::Identity;
use crate::keyring::Keyring;

/// Whose secret signed a session token; the contract's `signer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The account's own: no other is needed for it.
    Account,
    /// That of the first root credential that is lent, the present one.
    PresentRoot(String),
    /// That of another root credential that is lent.
    EarlierRoot(String),
    /// None of those that are lent, or it is no such token.
    Unknown,
}

impl Signer {
    /// Tries the account's own secret, then the root credentials that are lent.
    pub(crate) fn of<L: Keyring>(lent: &L, identity: &Identity<'_>) -> Self {
        let Some((message, signature)) = parts(&identity.session_token) else {
            return Self::Unknown;
        };
        if signed(&identity.secret_key, message, &signature) {
            return Self::Account;
        }
        let mut credentials = lent.root_credentials();
        // A passphrase without a user is RustFS' and nobody's root, unless nothing else is lent.
        credentials.sort_by_key(|credential| credential.user.is_empty());
        for (place, credential) in credentials.into_iter().enumerate() {
            if credential.signed(message, &signature) {
                return match place {
                    0 => Self::PresentRoot(credential.user),
                    _ => Self::EarlierRoot(credential.user),
                };
            }
        }
        Self::Unknown
    }
}

/// What was signed, and its signature.
fn parts(token: &[u8]) -> Option<(&[u8], [u8; SIGNATURE])> {
    let dot = token.iter().rposition(|byte| *byte == b'.')?;
    let (message, signature) = (token.get(..dot)?, token.get(dot + 1..)?);
    let mut bytes = [0; SIGNATURE];
    let written = URL_SAFE_NO_PAD.decode_slice(signature, &mut bytes).ok()?;
    (written == SIGNATURE).then_some((message, bytes))
}
