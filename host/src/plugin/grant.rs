//! What one call may touch of what the host lends. A component that lies about what it needs gets
//! no further than the call it was asked to do. What it keeps in its memory of that call reaches
//! none but calls with the same authority: an instance serves no other.

use crate::contract::{KeyError, Policy, SealOptions, SealedForm, StorageError};
use crate::exempt::is_exempt;

/// The authority of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    keys: Keys,
    credentials: Credentials,
    generate: bool,
    store: Store,
}

/// What root credentials may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
enum Credentials {
    #[default]
    Nothing,
    /// To tell whose secret signed a session token.
    Tokens,
    /// The first alone, to derive the key of a new object.
    First,
    /// To derive the keys of objects, too.
    All,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Keys {
    #[default]
    Nothing,
    /// The key of this name; without a name the keyring's default key.
    One(Option<String>),
    All,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Store {
    #[default]
    Nothing,
    Read(Part),
    Write(Part),
}

/// The part of a store that the caller named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    /// What its paths begin with.
    prefix: Vec<u8>,
    /// Where the caller wants to begin.
    start_after: Option<Vec<u8>>,
}

impl Part {
    fn new(prefix: &[u8], start_after: Option<&[u8]>) -> Self {
        Self {
            prefix: prefix.to_vec(),
            start_after: start_after.map(<[u8]>::to_vec),
        }
    }
}

impl Grant {
    /// One key, to make a data key under, or one root credential.
    pub fn seal(options: &SealOptions) -> Self {
        match options.form {
            SealedForm::Minio(_) | SealedForm::Compact => Self {
                keys: Keys::One(options.key.clone()),
                generate: true,
                ..Self::default()
            },
            SealedForm::Rustfs => Self {
                credentials: Credentials::First,
                ..Self::default()
            },
        }
    }

    /// The keys and the root credentials, each only where the policy lets them open anything.
    pub fn unseal(policy: Policy) -> Self {
        let (keys, credentials) = match policy {
            Policy::Compatible => (Keys::All, Credentials::All),
            Policy::Sealed | Policy::Current => (Keys::All, Credentials::Nothing),
            Policy::Rustfs => (Keys::Nothing, Credentials::All),
        };
        Self {
            keys,
            credentials,
            ..Self::default()
        }
    }

    /// The same, reading below `prefix`, and whose secret signed a session token.
    pub fn audit(policy: Policy, prefix: &[u8], start_after: Option<&[u8]>) -> Self {
        let unseal = Self::unseal(policy);
        Self {
            store: Store::Read(Part::new(prefix, start_after)),
            credentials: match unseal.credentials {
                Credentials::All => Credentials::All,
                Credentials::Nothing | Credentials::Tokens | Credentials::First => {
                    Credentials::Tokens
                }
            },
            ..unseal
        }
    }

    /// Everything, below `prefix`. A dry run writes nothing.
    pub fn migrate(prefix: &[u8], start_after: Option<&[u8]>, dry_run: bool) -> Self {
        let part = Part::new(prefix, start_after);
        Self {
            keys: Keys::All,
            credentials: Credentials::All,
            generate: true,
            store: match dry_run {
                true => Store::Read(part),
                false => Store::Write(part),
            },
        }
    }

    /// Whether the key of this name may be used. `default_key` is asked only if it matters.
    ///
    /// # Errors
    /// [`KeyError::Denied`].
    pub fn key(
        &self,
        name: &str,
        default_key: impl FnOnce() -> Option<String>,
    ) -> Result<(), KeyError> {
        let granted = match &self.keys {
            Keys::Nothing => false,
            Keys::One(Some(key)) => key == name,
            Keys::One(None) => default_key().is_some_and(|key| key == name),
            Keys::All => true,
        };
        match granted {
            true => Ok(()),
            false => Err(denied("this key")),
        }
    }

    /// How many of the root credentials, the first ones, may be used for anything: for session tokens at
    /// least.
    pub fn credentials(&self) -> usize {
        match self.credentials {
            Credentials::Nothing => 0,
            Credentials::First => 1,
            Credentials::Tokens | Credentials::All => usize::MAX,
        }
    }

    /// Whether the keys of objects may be derived of root credentials.
    pub fn derive(&self) -> bool {
        matches!(self.credentials, Credentials::First | Credentials::All)
    }

    /// Whether data keys may be made.
    ///
    /// # Errors
    /// [`KeyError::Denied`].
    pub fn generate(&self) -> Result<(), KeyError> {
        match self.generate {
            true => Ok(()),
            false => Err(denied("the key generator")),
        }
    }

    /// Whether this may be listed: what the caller named, to the letter, or a folder below it that the
    /// component knows from a listing. A prefix or a beginning of its own invention would stand in the
    /// log of a store.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    pub fn list(
        &self,
        prefix: &[u8],
        start_after: Option<&[u8]>,
        is_known_folder: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), StorageError> {
        let granted = self.part()?;
        let begins = start_after.is_none() || start_after == granted.start_after.as_deref();
        let is_granted = prefix == granted.prefix
            || (prefix.starts_with(&granted.prefix) && is_known_folder(prefix));
        match begins && is_granted {
            true => Ok(()),
            false => Err(outside()),
        }
    }

    /// Whether the object at this path may be read, if a listing handed it out.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    pub fn read(&self, path: &[u8]) -> Result<(), StorageError> {
        // `granted/../elsewhere` begins with `granted/` too.
        let climbs = path.split(|byte| *byte == b'/').any(|part| part == b"..");
        if climbs || !path.starts_with(&self.part()?.prefix) {
            return Err(outside());
        }
        match is_exempt(path) {
            true => Err(StorageError::Refused(
                "MinIO reads it without its IAM encryption, so no plugin touches it".to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Whether the object at this path may be replaced.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    pub fn write(&self, path: &[u8]) -> Result<(), StorageError> {
        self.read(path)?;
        match self.store {
            Store::Write(_) => Ok(()),
            _ => Err(StorageError::Refused(
                "this call was lent no storage to write to".to_owned(),
            )),
        }
    }

    fn part(&self) -> Result<&Part, StorageError> {
        match &self.store {
            Store::Read(part) | Store::Write(part) => Ok(part),
            Store::Nothing => Err(StorageError::Refused(
                "this call was lent no storage".to_owned(),
            )),
        }
    }
}

fn denied(what: &str) -> KeyError {
    KeyError::Denied(format!("this call was not lent {what}"))
}

fn outside() -> StorageError {
    StorageError::Refused("this call was not lent this part of the store".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No listing has handed out anything.
    fn none_known(_folder: &[u8]) -> bool {
        false
    }

    fn unasked() -> Option<String> {
        panic!("the default key does not matter here")
    }

    #[test]
    fn sealing_reaches_one_key_and_no_store() {
        let mut options = SealOptions::default();
        let grant = Grant::seal(&options);
        assert!(grant.key("a", || Some("a".to_owned())).is_ok());
        assert!(grant.key("b", || Some("a".to_owned())).is_err());
        assert!(grant.key("a", || None).is_err());
        options.key = Some("b".to_owned());
        let grant = Grant::seal(&options);
        assert!(grant.key("b", unasked).is_ok());
        assert!(grant.key("a", unasked).is_err());
        assert!(grant.generate().is_ok());
        assert_eq!(grant.credentials(), 0);
        assert!(grant.list(b"", None, none_known).is_err());
        assert!(grant.read(b"a").is_err());
        assert!(grant.write(b"a").is_err());
        options = SealOptions {
            form: SealedForm::Rustfs,
            key: None,
        };
        let grant = Grant::seal(&options);
        assert_eq!((grant.credentials(), grant.derive()), (1, true));
        assert!(grant.key("a", unasked).is_err());
        assert!(grant.generate().is_err());
    }

    #[test]
    fn unsealing_makes_no_keys_and_strict_unsealing_gets_no_credentials() {
        let grant = Grant::unseal(Policy::Compatible);
        assert!(grant.key("any", unasked).is_ok());
        assert_eq!(grant.credentials(), usize::MAX);
        assert!(grant.generate().is_err());
        assert!(grant.read(b"a").is_err());
        assert_eq!(Grant::unseal(Policy::Sealed).credentials(), 0);
        let grant = Grant::unseal(Policy::Rustfs);
        assert_eq!(grant.credentials(), usize::MAX);
        assert!(grant.key("any", unasked).is_err());
    }

    #[test]
    fn inspecting_reaches_nothing() {
        let grant = Grant::default();
        assert!(grant.key("a", unasked).is_err());
        assert!(grant.generate().is_err());
        assert_eq!(grant.credentials(), 0);
        assert!(grant.list(b"", None, none_known).is_err());
    }

    #[test]
    fn an_audit_reads_below_its_prefix_and_writes_nothing() {
        let grant = Grant::audit(Policy::Compatible, b"config/iam/", None);
        assert!(grant.read(b"config/iam/a").is_ok());
        assert!(grant.read(b"config/b").is_err());
        assert!(grant.read(b"config/iam/../b").is_err());
        assert!(grant.write(b"config/iam/a").is_err());
        assert!(grant.generate().is_err());
    }

    #[test]
    fn a_migration_writes_below_its_prefix_and_a_dry_run_does_not() {
        let grant = Grant::migrate(b"config/", None, false);
        assert!(grant.write(b"config/a").is_ok());
        assert!(grant.write(b"elsewhere").is_err());
        assert!(grant.write(b"config/..").is_err());
        let grant = Grant::migrate(b"", None, true);
        assert!(grant.read(b"config/a").is_ok());
        assert!(grant.write(b"config/a").is_err());
    }

    #[test]
    fn what_is_listed_is_what_the_caller_named_or_what_a_listing_has_shown() {
        let start = Some(&b"config/iam/m"[..]);
        let grant = Grant::audit(Policy::Compatible, b"config/iam/", start);
        let known = |folder: &[u8]| folder == b"config/iam/users/" || folder == b"config/";
        for (prefix, start_after, is_granted) in [
            (&b"config/iam/"[..], None, true),
            (b"config/iam/", start, true),
            (b"config/iam/", Some(&b"config/iam/n"[..]), false),
            (b"config/iam/users/", None, true),
            (b"config/iam/invented/", None, false),
            (b"config/iam/u", None, false),
            // Known and not granted.
            (b"config/", None, false),
        ] {
            let listed = grant.list(prefix, start_after, known);
            assert_eq!(listed.is_ok(), is_granted, "{prefix:?} {start_after:?}");
        }
    }

    #[test]
    fn exempt_files_are_out_of_reach() {
        let grant = Grant::migrate(b"config/", None, false);
        for path in [
            &b"config/tier-config.bin"[..],
            b"config//tier-config.bin",
            b"config/site-replication/state.json",
        ] {
            assert!(grant.read(path).is_err());
            assert!(grant.write(path).is_err());
        }
    }
}
