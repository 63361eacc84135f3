//! Keys from the environment, by the names and rules of MinIO.
//!
//! What MinIO refuses is refused. Where MinIO would silently go on without a KMS, and so write
//! plaintext, this stops and says so. No KMS at all is no error: its keyring has no default key, and
//! a server that means to seal looks for one at its start.

#[cfg(feature = "kes")]
mod kes;
mod kms;
mod root;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use iamseal_words::keys::assignment::{assignment, is_amiss};
use iamseal_words::keys::rustfs::OfRustfs;
use zeroize::Zeroizing;

#[cfg(feature = "kes")]
use super::KesStore;
use super::RootCredential;
use super::error::{KeysError, Place};
use super::files;
#[cfg(feature = "kes")]
use super::kes::Kes;
use super::keyring::StaticKeyring;
use super::mixed::MixedKeyring;

const CONFIG_FILE: &str = "MINIO_CONFIG_ENV_FILE";
/// What MinIO's container image sets, whether there are such files or not.
const IMAGE_DEFAULTS: [(&str, &str); 2] = [
    (CONFIG_FILE, "config.env"),
    (kms::KEY_FILE, "kms_master_key"),
];
/// Where Docker and its kin put secrets; MinIO looks there for files that are named without a path.
const SECRETS: &str = "/run/secrets";

type Lookup = dyn Fn(&str) -> Option<OsString>;

/// An environment.
pub struct Environment {
    lookup: Box<Lookup>,
    /// What `MINIO_CONFIG_ENV_FILE` sets, which counts more than the environment itself.
    file: BTreeMap<String, Zeroizing<String>>,
    secrets: PathBuf,
    /// The files with secrets that were read.
    read: RefCell<Vec<PathBuf>>,
    /// The variables that were passed over.
    passed_over: RefCell<BTreeSet<&'static str>>,
    quoted: RefCell<BTreeSet<&'static str>>,
    empty: RefCell<BTreeSet<&'static str>>,
    absent: RefCell<BTreeSet<&'static str>>,
}

impl Environment {
    /// The environment of this process, with the file that `MINIO_CONFIG_ENV_FILE` names.
    ///
    /// # Errors
    /// [`KeysError`], if that file is not there, cannot be read or has a line that is no assignment.
    pub fn of_process() -> Result<Self, KeysError> {
        Self::new(|name| std::env::var_os(name))
    }

    /// An environment that `lookup` answers for, with the file that `MINIO_CONFIG_ENV_FILE` names.
    ///
    /// # Errors
    /// As [`Environment::of_process`].
    pub fn new(lookup: impl Fn(&str) -> Option<OsString> + 'static) -> Result<Self, KeysError> {
        let mut environment = Self {
            lookup: Box::new(lookup),
            file: BTreeMap::new(),
            secrets: SECRETS.into(),
            read: RefCell::default(),
            passed_over: RefCell::default(),
            quoted: RefCell::default(),
            empty: RefCell::default(),
            absent: RefCell::default(),
        };
        if let Some(path) = environment.get(CONFIG_FILE)?
            && !environment.passes_over(CONFIG_FILE, &path, &[Path::new("")])
        {
            let path = PathBuf::from(&*path);
            environment.file = assignments(&path)?;
            environment.saw(&path);
        }
        Ok(environment)
    }

    /// The keyring that this environment describes: the key of `MINIO_KMS_SECRET_KEY` or the one in KES
    /// for new objects, the one of `MINIO_KMS_MASTER_KEY` for reading, the root credential, and the old
    /// one. KES is not asked yet.
    ///
    /// # Errors
    /// [`KeysError`], for whatever MinIO would refuse or silently pass over.
    pub fn keyring(&self) -> Result<MixedKeyring, KeysError> {
        let kms = kms::check_kinds(self, &kms::REMOTES)?;
        let keyring = MixedKeyring::new(self.statics(StaticKeyring::new(), kms.is_some())?);
        match kms {
            #[cfg(feature = "kes")]
            Some(kms::KES) => {
                let key = kes::key_name(self)?;
                let lent = keyring.kes(kes::connect(self)?, &key);
                lent.map_err(kes::of_key_name)
            }
            _ => Ok(keyring),
        }
    }

    /// The credentials of the RustFS that this environment describes: that which its form is written under, then
    /// those that it reads with. None if there is nothing to write under.
    ///
    /// # Errors
    /// [`KeysError`] if half a root credential is set, or a value is no text.
    pub fn rustfs(&self) -> Result<Option<Vec<RootCredential>>, KeysError> {
        let OfRustfs { written, read } = root::rustfs(self)?;
        Ok(written.map(|written| [vec![written], read].concat()))
    }

    /// The static keys and root credentials of this environment, even where it describes a KES beside
    /// them, which MinIO refuses: for taking a key from one to the other.
    ///
    /// # Errors
    /// As [`Environment::keyring`].
    #[cfg(feature = "kes")]
    pub fn keyring_beside_kes(&self) -> Result<StaticKeyring, KeysError> {
        let [_, others @ ..] = &kms::REMOTES;
        kms::check_kinds(self, others)?;
        self.statics(StaticKeyring::new(), true)
    }

    /// The static keys and root credentials of this environment, and the keys of a KES that is not asked: its
    /// folder takes its place. Its key for new objects is that of `MINIO_KMS_KES_KEY_NAME`, if that is set.
    ///
    /// # Errors
    /// As [`Environment::keyring`]; [`KeysError::NotInKesStore`].
    #[cfg(feature = "kes")]
    pub fn keyring_of_kes_store(&self, store: &KesStore) -> Result<StaticKeyring, KeysError> {
        let [_, others @ ..] = &kms::REMOTES;
        kms::check_kinds(self, others)?;
        // Under the name of its key for new objects KES comes first.
        let keyring = self.statics(StaticKeyring::new().kes_store(store), true)?;
        let Some(name) = self.get(kes::KEY_NAME)? else {
            return Ok(keyring);
        };
        let is_it = |(known, _): (&str, _)| known == name.as_str();
        match store.keys().any(is_it) {
            true => keyring.default_key(&name),
            false => Err(KeysError::NotInKesStore {
                name: name.to_string(),
                path: store.folder().into(),
            }),
        }
    }

    /// The KES that this environment describes, whatever else it describes. It is not asked yet.
    ///
    /// # Errors
    /// [`KeysError`]; [`KeysError::KesVariable`] if there is none.
    #[cfg(feature = "kes")]
    pub fn kes(&self) -> Result<Kes, KeysError> {
        kes::connect(self)
    }

    /// The name of the key for new objects in that KES.
    ///
    /// # Errors
    /// [`KeysError::KesVariable`] if none is set.
    #[cfg(feature = "kes")]
    pub fn kes_key_name(&self) -> Result<String, KeysError> {
        kes::key_name(self)
    }

    /// Static keys and root credentials, added to these. `has_kms` says whether there is a KMS besides.
    fn statics(&self, keyring: StaticKeyring, has_kms: bool) -> Result<StaticKeyring, KeysError> {
        let keyring = kms::lend(self, keyring, has_kms)?;
        root::lend(self, keyring)
    }

    /// A variable without the space around it; empty if it is set to nothing.
    fn set(&self, name: &'static str) -> Result<Option<Zeroizing<String>>, KeysError> {
        if let Some(value) = self.file.get(name) {
            let value = Zeroizing::new(value.trim().to_owned());
            self.saw_nothing(name, &value);
            return Ok(Some(value));
        }
        let Some(value) = (self.lookup)(name) else {
            return Ok(None);
        };
        let value = value.into_string().map(Zeroizing::new);
        let value = value.map_err(|_| KeysError::NotText {
            place: Place::Variable(name),
        })?;
        let value = Zeroizing::new(value.trim().to_owned());
        self.saw_value(name, &value);
        self.saw_nothing(name, &value);
        Ok(Some(value))
    }

    /// A variable without the space around it; none if it is set to nothing, as MinIO sees it.
    pub(crate) fn get(&self, name: &'static str) -> Result<Option<Zeroizing<String>>, KeysError> {
        Ok(self.set(name)?.filter(|value| !value.is_empty()))
    }

    /// Whether a variable is white space alone. Where that stands in the file, MinIO takes it for set to nothing.
    fn is_blank(&self, name: &'static str) -> bool {
        let value = (self.lookup)(name).and_then(|value| value.into_string().ok());
        let value = value.map(Zeroizing::new);
        let is_blank = |value: Zeroizing<String>| !value.is_empty() && value.trim().is_empty();
        !self.file.contains_key(name) && value.is_some_and(is_blank)
    }

    /// The files with secrets that were read for this environment so far and that others than their owner
    /// may read.
    pub fn open_to_others(&self) -> Vec<PathBuf> {
        let read = self.read.borrow();
        let open = read.iter().filter(|path| files::is_open_to_others(path));
        open.cloned().collect()
    }

    /// The variables that were passed over so far, because they have the value that MinIO's container image
    /// gives them and no such file is there: nobody chose it.
    pub fn passed_over(&self) -> Vec<&'static str> {
        self.passed_over.borrow().iter().copied().collect()
    }

    /// The variables that were read so far and whose values are in quotes, or their files' texts. MinIO takes
    /// the quotes for a part of the value: a shell removes them, `docker run --env-file` does not.
    pub fn quoted(&self) -> Vec<&'static str> {
        self.quoted.borrow().iter().copied().collect()
    }

    /// The variables that were read so far and that are set to nothing, as another variable leaves them of which they
    /// are made and which is not set. MinIO takes them for not set.
    pub fn empty(&self) -> Vec<&'static str> {
        self.empty.borrow().iter().copied().collect()
    }

    /// The variables that were read so far and that name files with halves of root credentials which are not there, but
    /// for the names that MinIO's container image gives them. MinIO passes them over.
    pub fn absent(&self) -> Vec<&'static str> {
        self.absent.borrow().iter().copied().collect()
    }

    /// Whether there is a present root credential of a MinIO in it.
    ///
    /// # Errors
    /// [`KeysError`] if half of one is set, or a value is no text.
    pub fn has_root_credential(&self) -> Result<bool, KeysError> {
        root::is_present(self)
    }

    fn saw_nothing(&self, variable: &'static str, value: &str) {
        if value.is_empty() {
            self.empty.borrow_mut().insert(variable);
        }
    }

    /// Looks at what a variable, or the file that it names, was set to.
    fn saw_value(&self, variable: &'static str, value: &str) {
        if unquoted(value).len() < value.len() {
            self.quoted.borrow_mut().insert(variable);
        }
    }

    /// Whether the file that a variable names is a default of the image and is in none of these folders.
    fn passes_over(&self, variable: &'static str, path: &str, folders: &[&Path]) -> bool {
        let is_there = |folder: &&Path| folder.join(path).exists();
        let passes = IMAGE_DEFAULTS.contains(&(variable, path)) && !folders.iter().any(is_there);
        if passes {
            self.passed_over.borrow_mut().insert(variable);
        }
        passes
    }

    /// Remembers a file with secrets that was read.
    pub(crate) fn saw(&self, path: &Path) {
        self.read.borrow_mut().push(path.to_owned());
    }

    /// Reads the first of these files that is there.
    fn first_of<const N: usize>(
        &self,
        paths: [PathBuf; N],
    ) -> Result<Option<(PathBuf, Zeroizing<String>)>, KeysError> {
        for path in paths {
            match files::read(&path) {
                Ok(text) => {
                    self.saw(&path);
                    return Ok(Some((path, text)));
                }
                Err(KeysError::Unreadable { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Reads a file of `[export ]NAME=VALUE` lines. One pair of quotes around a value is removed.
fn assignments(path: &Path) -> Result<BTreeMap<String, Zeroizing<String>>, KeysError> {
    let text = match files::read(path) {
        Err(KeysError::Unreadable { cause, .. }) if cause.kind() == ErrorKind::NotFound => {
            return Err(KeysError::FileMissing {
                variable: CONFIG_FILE,
                path: path.into(),
            });
        }
        other => other?,
    };
    let mut assignments = BTreeMap::new();
    for (place, line) in files::lines(path, &text) {
        let Some((name, value)) = assignment(&line) else {
            return Err(KeysError::NoAssignment { place });
        };
        if is_amiss(name) {
            return Err(KeysError::PassedOver { place });
        }
        let value = Zeroizing::new(unquoted(value).into());
        assignments.insert(name.to_owned(), value);
    }
    Ok(assignments)
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod testing {
    use std::os::unix::ffi::OsStringExt as _;

    use tempfile::TempDir;

    use super::*;

    /// Variables and files of a test's own.
    pub struct Setting {
        pub dir: TempDir,
        variables: BTreeMap<String, OsString>,
    }

    impl Setting {
        pub fn new(variables: &[(&str, &str)]) -> Self {
            Self {
                dir: tempfile::tempdir().unwrap(),
                variables: BTreeMap::new(),
            }
            .with(variables)
        }

        pub fn with(mut self, variables: &[(&str, &str)]) -> Self {
            for (name, value) in variables {
                self.variables.insert((*name).into(), value.into());
            }
            self
        }

        pub fn with_bytes(mut self, name: &str, value: &[u8]) -> Self {
            let value = OsString::from_vec(value.into());
            self.variables.insert(name.into(), value);
            self
        }

        /// Writes a file and names it in a variable by its whole path.
        pub fn with_file(self, variable: &str, text: &str) -> Self {
            let path = self.dir.path().join(variable);
            std::fs::write(&path, text).unwrap();
            self.with(&[(variable, path.to_str().unwrap())])
        }

        /// Writes a secret where Docker would put it.
        pub fn with_secret(self, name: &str, text: &str) -> Self {
            let secrets = self.dir.path().join("secrets");
            std::fs::create_dir_all(&secrets).unwrap();
            std::fs::write(secrets.join(name), text).unwrap();
            self
        }

        pub fn keyring(&self) -> Result<MixedKeyring, KeysError> {
            self.try_environment()?.keyring()
        }

        #[cfg(feature = "kes")]
        pub fn environment(&self) -> Environment {
            self.try_environment().unwrap()
        }

        pub fn try_environment(&self) -> Result<Environment, KeysError> {
            let variables = self.variables.clone();
            let environment = Environment::new(move |name| variables.get(name).cloned())?;
            let secrets = self.dir.path().join("secrets");
            Ok(Environment {
                secrets,
                ..environment
            })
        }

        pub fn error(&self) -> KeysError {
            self.keyring().err().unwrap()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Setting;
    use super::*;
    use crate::keys::Keyring;

    #[test]
    fn an_empty_environment_means_plaintext() {
        let keyring = Setting::new(&[]).keyring().unwrap();
        assert_eq!(Keyring::default_key(&keyring), None);
        assert_eq!(keyring.key_names().count(), 0);
        assert!(keyring.root_credentials().is_empty());
    }

    #[test]
    fn the_environment_file_counts_more_than_the_environment() {
        let text = "# comment\n\
                    \n\
                    export MINIO_ROOT_USER=\"from=file\"\r\n\
                    MINIO_ROOT_PASSWORD='pass\"word'\n\
                    MINIO_OTHER=\n";
        let keyring = Setting::new(&[
            ("MINIO_ROOT_USER", "from-environment"),
            ("MINIO_ROOT_PASSWORD", "12345678"),
        ])
        .with_file(CONFIG_FILE, text)
        .keyring()
        .unwrap();
        let lent = keyring.root_credentials().remove(0);
        assert_eq!(lent.user, "from=file");
        assert_eq!(*lent.password, "pass\"word");
    }

    #[test]
    fn any_white_space_may_follow_export() {
        for (line, user) in [
            ("export\tMINIO_ROOT_USER=user", "user"),
            ("export \t  MINIO_ROOT_USER= user", "user"),
            ("\texport MINIO_ROOT_USER=user", "user"),
            ("exportMINIO_ROOT_USER=user", "user"),
            ("export=1", "other"),
        ] {
            let keyring = Setting::new(&[
                ("MINIO_ROOT_USER", "other"),
                ("MINIO_ROOT_PASSWORD", "12345678"),
            ])
            .with_file(CONFIG_FILE, line)
            .keyring()
            .unwrap();
            assert_eq!(keyring.root_credentials().remove(0).user, user, "{line:?}");
        }
    }

    #[test]
    fn a_line_that_minio_passes_over_ends_it() {
        for line in [
            "MINIO_ROOT_USER = user",
            "set MINIO_ROOT_USER=user",
            "minio_root_user=user",
        ] {
            let error = Setting::new(&[]).with_file(CONFIG_FILE, line).error();
            assert!(
                matches!(error, KeysError::PassedOver { .. }),
                "{line}: {error}"
            );
        }
        let other = Setting::new(&[]).with_file(CONFIG_FILE, "X Y = z");
        other.keyring().unwrap();
    }

    #[test]
    fn what_is_set_to_nothing_is_known() {
        let empty = [("MINIO_KMS_SECRET_KEY", ""), ("MINIO_ROOT_USER", " ")];
        let environment = Setting::new(&empty).try_environment().unwrap();
        environment.keyring().unwrap();
        assert_eq!(environment.empty(), empty.map(|(name, _)| name));
    }

    #[test]
    fn a_default_of_the_image_that_is_not_there_is_passed_over() {
        let image = [
            (CONFIG_FILE, "config.env"),
            ("MINIO_ROOT_USER_FILE", "access_key"),
            ("MINIO_ROOT_PASSWORD_FILE", "secret_key"),
            (kms::KEY_FILE, "kms_master_key"),
        ];
        let key = "my-key:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let setting = Setting::new(&image).with(&[("MINIO_KMS_SECRET_KEY", key)]);
        let environment = setting.try_environment().unwrap();
        let keyring = environment.keyring().unwrap();
        assert_eq!(Keyring::default_key(&keyring).as_deref(), Some("my-key"));
        assert_eq!(environment.passed_over(), [CONFIG_FILE, kms::KEY_FILE]);
        assert!(Setting::new(&image).keyring().is_ok());

        // One that is there is a choice.
        let both = Setting::new(&image)
            .with(&[("MINIO_KMS_SECRET_KEY", key)])
            .with_secret("kms_master_key", key);
        assert!(matches!(both.error(), KeysError::TwoKeys));
        let in_file = Setting::new(&image).with_secret("kms_master_key", key);
        let environment = in_file.try_environment().unwrap();
        let keyring = environment.keyring().unwrap();
        assert_eq!(Keyring::default_key(&keyring).as_deref(), Some("my-key"));
        assert_eq!(environment.passed_over(), [CONFIG_FILE]);
        // And so is another name.
        let chosen = Setting::new(&[(kms::KEY_FILE, "./kms_master_key")]);
        assert!(matches!(chosen.error(), KeysError::FileMissing { .. }));
    }

    #[test]
    fn a_byte_order_mark_is_refused_by_its_line() {
        let setting = Setting::new(&[]).with_file(CONFIG_FILE, "\u{feff}MINIO_ROOT_USER=user\n");
        let error = setting.error();
        assert!(
            error
                .to_string()
                .ends_with("line 1: it begins with a byte-order mark"),
            "{error}"
        );
    }

    #[test]
    fn one_pair_of_quotes_is_removed() {
        assert_eq!(unquoted("\"a\""), "a");
        assert_eq!(unquoted("''a''"), "'a'");
        assert_eq!(unquoted("\"a'"), "\"a'");
        assert_eq!(unquoted("\""), "\"");
        assert_eq!(unquoted("\"\""), "");
    }

    #[test]
    fn an_environment_file_that_is_not_there_is_an_error() {
        let error = Setting::new(&[(CONFIG_FILE, "/nonexistent/config.env")]).error();
        assert_eq!(
            error.to_string(),
            "MINIO_CONFIG_ENV_FILE names /nonexistent/config.env, which does not exist; \
             MinIO would go on without a KMS"
        );
        assert!(error.cure().contains("unset it"));
        assert!(Setting::new(&[(CONFIG_FILE, " ")]).keyring().is_ok());
    }

    #[test]
    fn a_line_that_is_no_assignment_is_told_by_its_number() {
        let setting = Setting::new(&[]).with_file(CONFIG_FILE, "A=1\nhunter2\n");
        let text = setting.error().to_string();
        assert!(
            text.ends_with("line 2: neither NAME=VALUE nor a comment"),
            "{text}"
        );
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn a_value_is_text() {
        let setting = Setting::new(&[]).with_bytes("MINIO_KMS_SECRET_KEY", b"k:\xff");
        assert_eq!(
            setting.error().to_string(),
            "MINIO_KMS_SECRET_KEY: not UTF-8 text"
        );
    }
}
