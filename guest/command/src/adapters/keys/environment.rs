//! Keys from the environment, by the names and rules of MinIO. `host/src/keys/environment.rs` takes
//! more; what this one does not take it refuses, so that nobody thinks that it was used.

use iamseal_words::keys::rustfs::{
    ACCESS_KEY, MASTER_KEY, OLD_MASTER_KEYS, OfRustfs, SECRET_KEY, of_rustfs,
};
use iamseal_words::keys::{RootCredential, RootCredentialError, StaticKey, StaticKeyError};
use iamseal_words::report::notes;
use wasip2::cli::environment::get_environment;
use zeroize::Zeroizing;

use super::Keys;
use crate::adapters::bindings::exports::iamseal::command::lending::Failure;
use crate::adapters::failure::usage;

const KEY: &str = "MINIO_KMS_SECRET_KEY";
const OLD_KEY: &str = "MINIO_KMS_MASTER_KEY";
const AUTO_ENCRYPTION: &str = "MINIO_KMS_AUTO_ENCRYPTION";

/// The names of the present root credential from 2021-01 on and before, then those of the one before.
/// Of each pair the first that is set at all counts.
const CREDENTIALS: [[(&str, &str); 2]; 2] = [
    [
        ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
        ("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
    ],
    [
        ("MINIO_ROOT_USER_OLD", "MINIO_ROOT_PASSWORD_OLD"),
        ("MINIO_ACCESS_KEY_OLD", "MINIO_SECRET_KEY_OLD"),
    ],
];

/// Whatever begins like this tells MinIO something of its keys.
const OF_KEYS: [&str; 6] = [
    "MINIO_ACCESS_KEY",
    "MINIO_CONFIG_ENV_FILE",
    "MINIO_KMS_",
    "MINIO_ROOT_PASSWORD",
    "MINIO_ROOT_USER",
    "MINIO_SECRET_KEY",
];

/// The keys that the environment describes; `for_rustfs` has RustFS' credentials come first.
///
/// # Errors
/// Whatever MinIO would refuse or silently pass over, and every variable about keys that is not read
/// here.
pub fn keys(for_rustfs: bool) -> Result<Keys, Failure> {
    let environment = Environment::read();
    environment.refuse_unread()?;
    let mut keys = Keys::default();
    match environment.set(KEY) {
        Some("") => {
            let beside = [OLD_KEY]
                .into_iter()
                .filter(|name| environment.get(name).is_some())
                .chain(environment.auto_encryption())
                .next();
            if let Some(beside) = beside {
                return Err(usage(
                    format!("{KEY} is empty, but {beside} is set; MinIO would take it for unset"),
                    format!("set {KEY} to NAME:BASE64, or unset it or {beside}"),
                ));
            }
        }
        Some(text) => {
            let key = StaticKey::parse(text).map_err(|cause| wrong_key(KEY, &cause))?;
            keys.add(&key);
            keys.default = Some(key.name().to_owned());
        }
        None => {
            if let Some(variable) = environment.auto_encryption() {
                return Err(usage(
                    format!("{variable} is on, but there is no KMS"),
                    format!("set {KEY} to NAME:BASE64, or {variable} to off"),
                ));
            }
        }
    }
    if let Some(text) = environment.get(OLD_KEY) {
        let key = StaticKey::parse_hex(text).map_err(|cause| wrong_key(OLD_KEY, &cause))?;
        keys.add(&key);
    }
    let OfRustfs { written, read } = environment.rustfs()?;
    if for_rustfs {
        let (message, cure) = notes::NO_RUSTFS;
        let written = written.ok_or_else(|| usage(message, cure))?;
        keys.add_credential(written);
        read.iter()
            .for_each(|credential| keys.add_credential(credential.clone()));
    }
    let [present, old] = &CREDENTIALS;
    if let Some((credential, user, password)) = environment.credential(present)? {
        credential.check_minio().map_err(|cause| {
            let name = match cause {
                RootCredentialError::PasswordTooShort { .. } => password,
                _ => user,
            };
            usage(format!("{name}: {cause}"), cause.cure())
        })?;
        keys.add_credential(credential);
    }
    if let Some((credential, _, _)) = environment.credential(old)? {
        keys.add_credential(credential);
    }
    for credential in read {
        keys.add_credential(credential);
    }
    Ok(keys)
}

struct Environment(Vec<(String, Zeroizing<String>)>);

impl Environment {
    fn read() -> Self {
        let variables = get_environment().into_iter();
        Self(
            variables
                .map(|(name, value)| (name, Zeroizing::new(value)))
                .collect(),
        )
    }

    /// A variable without the space around it; empty if it is set to nothing.
    fn set(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim())
    }

    /// A variable without the space around it; none if it is set to nothing, as MinIO sees it.
    fn get(&self, name: &str) -> Option<&str> {
        self.set(name).filter(|value| !value.is_empty())
    }

    fn auto_encryption(&self) -> Option<&'static str> {
        let value = self.get(AUTO_ENCRYPTION)?;
        value.eq_ignore_ascii_case("on").then_some(AUTO_ENCRYPTION)
    }

    /// The credentials of the RustFS that the environment describes.
    fn rustfs(&self) -> Result<OfRustfs, Failure> {
        let root = self.credential(&[(ACCESS_KEY, SECRET_KEY)])?;
        let root = root.map(|(credential, ..)| credential);
        Ok(of_rustfs(
            self.get(MASTER_KEY),
            self.get(OLD_MASTER_KEYS),
            root,
        ))
    }

    /// The first credential of these that is set, and the names of its halves.
    fn credential(
        &self,
        names: &[(&'static str, &'static str)],
    ) -> Result<Option<(RootCredential, &'static str, &'static str)>, Failure> {
        for (user, password) in names {
            let (set, missing) = match (self.get(user), self.get(password)) {
                (None, None) => continue,
                (Some(name), Some(secret)) => {
                    let credential = RootCredential {
                        user: name.to_owned(),
                        password: Zeroizing::new(secret.to_owned()),
                    };
                    return Ok(Some((credential, user, password)));
                }
                (Some(_), None) => (user, password),
                (None, Some(_)) => (password, user),
            };
            return Err(usage(
                format!("{set} is set, but {missing} is not"),
                format!("set {missing} too, or unset {set}"),
            ));
        }
        Ok(None)
    }

    fn refuse_unread(&self) -> Result<(), Failure> {
        let is_read = |name: &str| {
            let credentials = CREDENTIALS.as_flattened().iter();
            [KEY, OLD_KEY, AUTO_ENCRYPTION].contains(&name)
                || credentials
                    .flat_map(|(user, password)| [user, password])
                    .any(|known| *known == name)
        };
        let unread = self
            .0
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| OF_KEYS.iter().any(|begin| name.starts_with(begin)) && !is_read(name));
        match unread {
            None => Ok(()),
            Some(name) => Err(usage(
                format!("{name} is set, but this component does not read it; the native tool may"),
                format!("leave it out and lend the keys with {KEY}, --keys or --root-credentials"),
            )),
        }
    }
}

fn wrong_key(variable: &str, cause: &StaticKeyError) -> Failure {
    usage(format!("{variable}: {cause}"), cause.cure())
}
