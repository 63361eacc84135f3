//! A keyring of secrets that the host itself holds.

use std::collections::BTreeMap;
use std::path::Path;

use iamseal_words::limits::ROOT_CREDENTIALS;
use zeroize::Zeroizing;

use super::static_key::StaticKey;
use super::{Key, Keyring, KeysError, RootCredential, files};
use crate::contract::KeyError;

/// Static keys, several of one name included, and root credentials.
#[derive(Clone, Default)]
pub struct StaticKeyring {
    default: Option<String>,
    keys: BTreeMap<String, Vec<Key>>,
    credentials: Vec<RootCredential>,
}

impl StaticKeyring {
    /// A keyring without keys, which lends nothing: nothing can be sealed with it, and plaintext alone opens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key. Of keys with the same name the one that was added first is lent first, and so
    /// is the one for new objects. A key that is there already is not added again.
    #[must_use]
    pub fn key(mut self, key: StaticKey) -> Self {
        let keys = self.keys.entry(key.name().into()).or_default();
        let is_it = |known: &Key| known.secret().is_some_and(|known| **known == *key.secret());
        if !keys.iter().any(is_it) {
            keys.push(Key::local(Zeroizing::new(*key.secret())));
        }
        self
    }

    /// Adds the keys of KES' folder, each under its name.
    #[cfg(feature = "kes")]
    #[must_use]
    pub fn kes_store(mut self, store: &super::KesStore) -> Self {
        for (name, key) in store.keys() {
            let keys = self.keys.entry(name.into()).or_default();
            let is_it = |known: &Key| key.secret().is_some() && known.secret() == key.secret();
            if !keys.iter().any(is_it) {
                keys.push(key.clone());
            }
        }
        self
    }

    /// Names the key for new objects.
    ///
    /// # Errors
    /// [`KeysError::NoSuchKey`] if no key of that name was added.
    pub fn default_key(mut self, name: &str) -> Result<Self, KeysError> {
        if !self.keys.contains_key(name) {
            return Err(KeysError::NoSuchKey { name: name.into() });
        }
        self.default = Some(name.into());
        Ok(self)
    }

    /// Adds a root credential, to be tried after those that were added before. One that is there
    /// already is not added again, since each costs an Argon2id on every object that it does not
    /// open.
    #[must_use]
    pub fn root_credential(mut self, credential: RootCredential) -> Self {
        let known = self
            .credentials
            .iter()
            .any(|known| known.user == credential.user && known.password == credential.password);
        if !known {
            self.credentials.push(credential);
        }
        self
    }

    /// Puts root credentials before those that were added before: the first of all is the present one, and the
    /// one that RustFS' form is written under.
    #[must_use]
    pub fn root_credentials_first(mut self, credentials: Vec<RootCredential>) -> Self {
        let others = std::mem::take(&mut self.credentials);
        let all = credentials.into_iter().chain(others);
        all.fold(self, Self::root_credential)
    }

    /// Adds the keys of a file: one `NAME:BASE64` a line; empty lines and lines that begin with
    /// `#` are passed over.
    ///
    /// # Errors
    /// [`KeysError`], if the file cannot be read, is over 1 MiB, a line is no key, or there is none.
    pub fn keys_file(self, path: &Path) -> Result<Self, KeysError> {
        self.keys_text(path, &files::read(path)?)
    }

    /// The same, of what the caller has read, or decrypted. `path` is what errors name.
    ///
    /// # Errors
    /// [`KeysError`], if a line is no key, or there is none.
    pub fn keys_text(mut self, path: &Path, text: &str) -> Result<Self, KeysError> {
        for (place, line) in files::some_lines(path, text)? {
            let key = StaticKey::parse(&line).map_err(|cause| KeysError::Key { place, cause })?;
            self = self.key(key);
        }
        Ok(self)
    }

    /// Adds the root credentials of a file: one `USER:PASSWORD`, or `:PASSPHRASE`, a line; empty lines and lines that
    /// begin with `#` are passed over.
    ///
    /// # Errors
    /// [`KeysError`], if the file cannot be read, is over 1 MiB, a line is no credential, there is none, or
    /// there would be more than 100 in all.
    pub fn root_credentials_file(self, path: &Path) -> Result<Self, KeysError> {
        self.root_credentials_text(path, &files::read(path)?)
    }

    /// The same, of what the caller has read, or decrypted. `path` is what errors name.
    ///
    /// # Errors
    /// [`KeysError`], if a line is no credential, there is none, or there would be more than 100 in all.
    pub fn root_credentials_text(mut self, path: &Path, text: &str) -> Result<Self, KeysError> {
        for (place, line) in files::some_lines(path, text)? {
            let credential = RootCredential::parse(&line)
                .map_err(|cause| KeysError::RootCredential { place, cause })?;
            self = self.root_credential(credential);
        }
        if self.credentials.len() > ROOT_CREDENTIALS {
            return Err(KeysError::TooManyRootCredentials {
                path: path.to_path_buf(),
            });
        }
        Ok(self)
    }

    /// The keys of this name, the one for new objects first.
    pub fn keys_named(&self, name: &str) -> impl Iterator<Item = StaticKey> {
        let keys = self.keys.get(name).into_iter().flatten();
        let secrets = keys.filter_map(Key::secret);
        secrets.map(move |secret| StaticKey::new(name, secret.clone()))
    }

    /// The names of all keys, in order.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// The user names of all root credentials, in the order in which they are tried. One that was added
    /// with several passwords is named for each.
    pub fn root_users(&self) -> impl Iterator<Item = &str> {
        let credentials = self.credentials.iter();
        credentials.map(|credential| credential.user.as_str())
    }
}

impl Keyring for StaticKeyring {
    fn default_key(&self) -> Option<String> {
        self.default.clone()
    }

    fn candidates(&self, name: &str) -> Result<Vec<Key>, KeyError> {
        self.keys.get(name).cloned().ok_or(KeyError::NotFound)
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        self.credentials.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::static_key::KEY_BYTES;

    fn key(name: &str, byte: u8) -> StaticKey {
        StaticKey::new(name, Zeroizing::new([byte; KEY_BYTES]))
    }

    fn secrets(keyring: &StaticKeyring, name: &str) -> Vec<Vec<u8>> {
        let keys = keyring.candidates(name).unwrap_or_default();
        let secret = |key: &Key| key.secret().unwrap().to_vec();
        keys.iter().map(secret).collect()
    }

    #[test]
    fn an_empty_keyring_lends_nothing() {
        let keyring = StaticKeyring::new();
        assert_eq!(Keyring::default_key(&keyring), None);
        assert!(matches!(keyring.candidates(""), Err(KeyError::NotFound)));
        assert!(keyring.root_credentials().is_empty());
    }

    #[test]
    fn keys_of_one_name_are_lent_in_the_order_they_came() {
        let keyring = StaticKeyring::new()
            .key(key("a", 2))
            .key(key("b", 9))
            .key(key("a", 1))
            .key(key("a", 2));
        assert_eq!(secrets(&keyring, "a"), [[2; 32], [1; 32]]);
        assert_eq!(secrets(&keyring, "b"), [[9; 32]]);
        assert!(matches!(keyring.candidates("A"), Err(KeyError::NotFound)));
        assert_eq!(keyring.key_names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_default_key_is_one_that_is_there() {
        let keyring = StaticKeyring::new().key(key("", 1));
        let keyring = keyring.default_key("").unwrap();
        assert_eq!(Keyring::default_key(&keyring).as_deref(), Some(""));
        let error = keyring.default_key("other").err().unwrap();
        assert_eq!(error.to_string(), "there is no key named `other`");
    }

    #[test]
    fn root_credentials_are_lent_once_each_in_the_order_they_came() {
        let keyring = ["b:1", "a:1", "b:1", "b:2"]
            .into_iter()
            .map(|text| RootCredential::parse(text).ok().unwrap())
            .fold(StaticKeyring::new(), StaticKeyring::root_credential);
        let lent: Vec<_> = keyring
            .root_credentials()
            .into_iter()
            .map(|credential| format!("{}:{}", credential.user, *credential.password))
            .collect();
        assert_eq!(lent, ["b:1", "a:1", "b:2"]);
        assert_eq!(keyring.root_users().collect::<Vec<_>>(), ["b", "a", "b"]);
    }

    #[test]
    fn a_key_keeps_its_number_however_often_it_is_lent() {
        let keyring = StaticKeyring::new().key(key("a", 1)).key(key("a", 2));
        let numbers = |keyring: &StaticKeyring| -> Vec<u64> {
            let keys = keyring.candidates("a").unwrap();
            keys.iter().map(Key::id).collect()
        };
        assert_eq!(numbers(&keyring), numbers(&keyring.clone()));
        assert_ne!(numbers(&keyring)[0], numbers(&keyring)[1]);
    }

    #[test]
    fn files_add_keys_and_credentials() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, credentials) = (dir.path().join("keys"), dir.path().join("credentials"));
        let (first, second) = (key("a", 1).encode(), key("a", 2).encode());
        let text = format!("# old\r\n\r\n  {}  \r\n\n{}", *first, *second);
        std::fs::write(&keys, text).unwrap();
        std::fs::write(&credentials, "#x:y\nminio:a:b\n").unwrap();

        let keyring = StaticKeyring::new()
            .keys_file(&keys)
            .and_then(|keyring| keyring.root_credentials_file(&credentials))
            .unwrap();
        assert_eq!(secrets(&keyring, "a"), [[1; 32], [2; 32]]);
        assert_eq!(Keyring::default_key(&keyring), None);
        let lent = keyring.root_credentials();
        assert_eq!(lent.first().unwrap().password.as_str(), "a:b");
        assert_eq!(lent.len(), 1);
    }

    #[test]
    fn an_error_in_a_file_names_file_and_line_and_not_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "# comment\n\nhunter2\n").unwrap();
        for (error, cause) in [
            (
                StaticKeyring::new().keys_file(&path).err().unwrap(),
                "the key has no name: there is no colon in it",
            ),
            (
                StaticKeyring::new()
                    .root_credentials_file(&path)
                    .err()
                    .unwrap(),
                "there is no colon between user and password",
            ),
        ] {
            assert_eq!(
                error.to_string(),
                format!("{}, line 3: {cause}", path.display())
            );
            assert!(!format!("{error:?} {}", error.cure()).contains("hunter2"));
        }
    }
}
