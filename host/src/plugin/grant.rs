//! What one call may touch of what the host lends. A component that lies about what it needs gets
//! no further than the call it was asked to do. What it keeps in its memory of that call reaches
//! none but calls with the same authority: an instance serves no other.

use crate::contract::{KeyError, Policy, SealOptions, StorageError};

/// The authority of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grant {
    keys: Keys,
    credentials: bool,
    generate: bool,
    store: Store,
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
    /// Paths that begin with this.
    Read(Vec<u8>),
    Write(Vec<u8>),
}

impl Grant {
    /// One key, to make a data key under.
    pub fn seal(options: &SealOptions) -> Self {
        Self {
            keys: Keys::One(options.key.clone()),
            generate: true,
            ..Self::default()
        }
    }

    /// The keys; the root credentials only where the policy lets them open anything.
    pub fn unseal(policy: Policy) -> Self {
        Self {
            keys: Keys::All,
            credentials: policy == Policy::Compatible,
            ..Self::default()
        }
    }

    /// The same, and reading below `prefix`.
    pub fn audit(policy: Policy, prefix: &[u8]) -> Self {
        Self {
            store: Store::Read(prefix.to_vec()),
            ..Self::unseal(policy)
        }
    }

    /// Everything, below `prefix`. A dry run writes nothing.
    pub fn migrate(prefix: &[u8], dry_run: bool) -> Self {
        let prefix = prefix.to_vec();
        Self {
            keys: Keys::All,
            credentials: true,
            generate: true,
            store: match dry_run {
                true => Store::Read(prefix),
                false => Store::Write(prefix),
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

    /// Whether root credentials may be used.
    pub fn credentials(&self) -> bool {
        self.credentials
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

    /// Whether this prefix may be listed.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    pub fn list(&self, prefix: &[u8]) -> Result<(), StorageError> {
        match &self.store {
            Store::Read(granted) | Store::Write(granted) if prefix.starts_with(granted) => Ok(()),
            Store::Read(_) | Store::Write(_) => Err(outside()),
            Store::Nothing => Err(StorageError::Refused(
                "this call was lent no storage".to_owned(),
            )),
        }
    }

    /// Whether the object at this path may be read.
    ///
    /// # Errors
    /// [`StorageError::Refused`].
    pub fn read(&self, path: &[u8]) -> Result<(), StorageError> {
        self.list(path)?;
        // `granted/../elsewhere` begins with `granted/` too.
        match path.split(|byte| *byte == b'/').any(|part| part == b"..") {
            true => Err(outside()),
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
        assert!(!grant.credentials());
        assert!(grant.list(b"").is_err());
        assert!(grant.read(b"a").is_err());
        assert!(grant.write(b"a").is_err());
    }

    #[test]
    fn unsealing_makes_no_keys_and_strict_unsealing_gets_no_credentials() {
        let grant = Grant::unseal(Policy::Compatible);
        assert!(grant.key("any", unasked).is_ok());
        assert!(grant.credentials());
        assert!(grant.generate().is_err());
        assert!(grant.read(b"a").is_err());
        assert!(!Grant::unseal(Policy::Sealed).credentials());
    }

    #[test]
    fn inspecting_reaches_nothing() {
        let grant = Grant::default();
        assert!(grant.key("a", unasked).is_err());
        assert!(grant.generate().is_err());
        assert!(!grant.credentials());
        assert!(grant.list(b"").is_err());
    }

    #[test]
    fn an_audit_reads_below_its_prefix_and_writes_nothing() {
        let grant = Grant::audit(Policy::Compatible, b"config/iam/");
        assert!(grant.list(b"config/iam/users/").is_ok());
        assert!(grant.list(b"config/").is_err());
        assert!(grant.read(b"config/iam/a").is_ok());
        assert!(grant.read(b"config/b").is_err());
        assert!(grant.read(b"config/iam/../b").is_err());
        assert!(grant.write(b"config/iam/a").is_err());
        assert!(grant.generate().is_err());
    }

    #[test]
    fn a_migration_writes_below_its_prefix_and_a_dry_run_does_not() {
        let grant = Grant::migrate(b"config/", false);
        assert!(grant.write(b"config/a").is_ok());
        assert!(grant.write(b"elsewhere").is_err());
        assert!(grant.write(b"config/..").is_err());
        let grant = Grant::migrate(b"", true);
        assert!(grant.read(b"config/a").is_ok());
        assert!(grant.write(b"config/a").is_err());
    }
}
