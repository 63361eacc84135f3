//! The KMS: which one the environment describes, and the static key.

use std::path::Path;

use zeroize::Zeroizing;

use super::super::StaticKey;
use super::super::error::{KeysError, Place};
use super::super::keyring::StaticKeyring;
use super::super::static_key::StaticKeyError;
use super::Environment;

const KEY: &str = "MINIO_KMS_SECRET_KEY";
pub(super) const KEY_FILE: &str = "MINIO_KMS_SECRET_KEY_FILE";
const OLD_KEY: &str = "MINIO_KMS_MASTER_KEY";
const OLD_KEY_FILE: &str = "MINIO_KMS_MASTER_KEY_FILE";
const AUTO_ENCRYPTION: &str = "MINIO_KMS_AUTO_ENCRYPTION";

/// A KMS that keeps its keys to itself.
pub(super) struct Remote {
    name: &'static str,
    /// Any of these makes it present, even set to nothing.
    variables: &'static [&'static str],
}

/// The name of the one that can be used.
pub(super) const KES: &str = "KES";

/// KES is the first.
pub(super) const REMOTES: [Remote; 2] = [
    Remote {
        name: KES,
        variables: &[
            "MINIO_KMS_KES_ENDPOINT",
            "MINIO_KMS_KES_KEY_NAME",
            "MINIO_KMS_KES_API_KEY",
            "MINIO_KMS_KES_CERT_FILE",
            "MINIO_KMS_KES_KEY_FILE",
            "MINIO_KMS_KES_KEY_PASSWORD",
            "MINIO_KMS_KES_CAPATH",
        ],
    },
    Remote {
        name: "MinKMS",
        variables: &[
            "MINIO_KMS_SERVER",
            "MINIO_KMS_ENCLAVE",
            "MINIO_KMS_SSE_KEY",
            "MINIO_KMS_API_KEY",
        ],
    },
];

/// Adds the keys of the environment: the present one as the key for new objects, the one of
/// `MINIO_KMS_MASTER_KEY` for reading what was sealed with it from 2021-04 to 2021-06.
pub(super) fn lend(
    environment: &Environment,
    mut keyring: StaticKeyring,
    has_kms: bool,
) -> Result<StaticKeyring, KeysError> {
    let key = match environment.get(KEY)? {
        Some(text) => Some(StaticKey::parse(&text).map_err(|cause| KeysError::Key {
            place: Place::Variable(KEY),
            cause,
        })?),
        None if environment.is_blank(KEY) => {
            return Err(KeysError::Key {
                place: Place::Variable(KEY),
                cause: StaticKeyError::NoColon,
            });
        }
        None => from_file(environment, KEY_FILE, KEY, StaticKey::parse)?,
    };
    if let Some(key) = key {
        let name = key.name().to_owned();
        keyring = keyring.key(key).default_key(&name)?;
    } else if !has_kms && is_on(environment, AUTO_ENCRYPTION)? {
        return Err(KeysError::NoKms {
            variable: AUTO_ENCRYPTION,
        });
    }
    if let Some(text) = environment.get(OLD_KEY)? {
        let key = StaticKey::parse_hex(&text).map_err(|cause| KeysError::Key {
            place: Place::Variable(OLD_KEY),
            cause,
        })?;
        keyring = keyring.key(key);
    }
    let old = from_file(environment, OLD_KEY_FILE, OLD_KEY, |text| {
        StaticKey::parse_hex(text.trim())
    })?;
    Ok(match old {
        Some(key) => keyring.key(key),
        None => keyring,
    })
}

/// The remote KMS that is there, by its name. At most one KMS is there, it is one that this version knows,
/// and no variable is set to nothing where that hides it. Only these remote ones are looked for.
pub(super) fn check_kinds(
    environment: &Environment,
    known: &[Remote],
) -> Result<Option<&'static str>, KeysError> {
    let key = environment.set(KEY)?;
    let mut present: Vec<&'static str> = Vec::new();
    if path(environment, KEY_FILE)?.is_some() {
        present.push(KEY_FILE);
    }
    let remotes = remotes(environment, known)?;
    present.extend(remotes.iter().map(|(_, variable, _)| *variable));

    match key.as_deref().map(String::as_str) {
        Some("") => {
            for old in [OLD_KEY, OLD_KEY_FILE] {
                if environment.get(old)?.is_some() {
                    present.push(old);
                }
            }
            if is_on(environment, AUTO_ENCRYPTION)? {
                present.push(AUTO_ENCRYPTION);
            }
            if let Some(beside) = present.first() {
                return Err(KeysError::EmptyKey { beside });
            }
        }
        Some(_) if present.first() == Some(&KEY_FILE) => return Err(KeysError::TwoKeys),
        Some(_) => present.insert(0, KEY),
        None => {}
    }
    if let [one, other, ..] = present.as_slice() {
        return Err(KeysError::TwoKms { one, other });
    }
    match remotes.as_slice() {
        [] => Ok(None),
        [(_, variable, true), ..] => Err(KeysError::EmptyKms { variable }),
        [(KES, _, false), ..] if cfg!(feature = "kes") => Ok(Some(KES)),
        [(kms, variable, false), ..] => Err(KeysError::UnsupportedKms { kms, variable }),
    }
}

/// The remote kinds that are present: name, a variable that says so, and whether all that are set
/// are set to nothing.
fn remotes(
    environment: &Environment,
    known: &[Remote],
) -> Result<Vec<(&'static str, &'static str, bool)>, KeysError> {
    let mut present = Vec::new();
    for remote in known {
        let mut empty = None;
        let mut full = None;
        for variable in remote.variables {
            match environment.set(variable)? {
                None => {}
                Some(value) if value.is_empty() => empty = empty.or(Some(*variable)),
                Some(_) => full = full.or(Some(*variable)),
            }
        }
        if let Some(variable) = full.or(empty) {
            present.push((remote.name, variable, full.is_none()));
        }
    }
    Ok(present)
}

/// The path that a variable has, unless it is one to pass over.
fn path(
    environment: &Environment,
    variable: &'static str,
) -> Result<Option<Zeroizing<String>>, KeysError> {
    let folders = [Path::new(""), &environment.secrets];
    let path = environment.get(variable)?;
    Ok(path.filter(|path| !environment.passes_over(variable, path, &folders)))
}

/// The key in the file that a variable names; `rather` takes the key itself. Line ends after a key
/// are passed over by base64, as with MinIO.
fn from_file(
    environment: &Environment,
    variable: &'static str,
    rather: &'static str,
    parse: impl Fn(&str) -> Result<StaticKey, StaticKeyError>,
) -> Result<Option<StaticKey>, KeysError> {
    let Some(path) = path(environment, variable)? else {
        return Ok(None);
    };
    // Caught before it is shown as the path of a file that is not there.
    if parse(&path).is_ok() {
        return Err(KeysError::KeyForPath { variable, rather });
    }
    let path = Path::new(path.as_str());
    let found = environment.first_of([path.into(), environment.secrets.join(path)])?;
    let Some((path, text)) = found else {
        return Err(KeysError::FileMissing {
            variable,
            path: path.into(),
        });
    };
    let place = Place::File(path);
    match parse(&text) {
        Ok(key) => Ok(Some(key)),
        Err(cause) => Err(KeysError::Key { place, cause }),
    }
}

fn is_on(environment: &Environment, variable: &'static str) -> Result<bool, KeysError> {
    let value = environment.get(variable)?;
    Ok(value.is_some_and(|value| value.eq_ignore_ascii_case("on")))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Setting;
    use super::*;
    use crate::keys::{Key, Keyring, MixedKeyring};

    const ONES: &str = "my-key:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const MISSING: &str = "/nonexistent/key";

    fn old() -> String {
        format!("old-key:{}", "02".repeat(32))
    }

    /// The first byte of every key that is lent under a name.
    fn lent(keyring: &MixedKeyring, name: &str) -> Vec<u8> {
        let keys = keyring.candidates(name).unwrap_or_default();
        let first = |key: &Key| *key.secret().unwrap().first().unwrap();
        keys.iter().map(first).collect()
    }

    #[test]
    fn the_key_of_the_environment_is_the_default() {
        let spaced = format!("  {ONES}\n");
        for value in [ONES, &spaced] {
            let keyring = Setting::new(&[(KEY, value)]).keyring().unwrap();
            assert_eq!(Keyring::default_key(&keyring).as_deref(), Some("my-key"));
            assert_eq!(lent(&keyring, "my-key"), [1]);
        }
    }

    #[test]
    fn the_key_may_stand_in_a_file() {
        let by_path = Setting::new(&[]).with_file(KEY_FILE, &format!("{ONES}\r\n"));
        let by_name = Setting::new(&[(KEY_FILE, "kms_key")]).with_secret("kms_key", ONES);
        for setting in [by_path, by_name] {
            let keyring = setting.keyring().unwrap();
            assert_eq!(Keyring::default_key(&keyring).as_deref(), Some("my-key"));
        }
    }

    #[test]
    fn the_content_of_a_key_file_is_not_trimmed() {
        let keyring = Setting::new(&[])
            .with_file(KEY_FILE, &format!(" {ONES}"))
            .keyring()
            .unwrap();
        assert_eq!(Keyring::default_key(&keyring).as_deref(), Some(" my-key"));
        let setting = Setting::new(&[]).with_file(KEY_FILE, &format!("{ONES} "));
        assert!(setting.error().to_string().contains("not standard base64"));
    }

    #[test]
    fn a_key_that_is_none_is_told_with_its_variable() {
        let setting = Setting::new(&[(KEY, "my-key:AQEB")]);
        assert_eq!(
            setting.error().to_string(),
            "MINIO_KMS_SECRET_KEY: the key has 3 bytes and not 32"
        );
    }

    #[test]
    fn a_key_file_that_is_not_there_is_an_error() {
        let error = Setting::new(&[(KEY_FILE, MISSING)]).error();
        assert_eq!(
            error.to_string(),
            "MINIO_KMS_SECRET_KEY_FILE names /nonexistent/key, which does not exist; \
             MinIO would go on without a KMS"
        );
        assert!(error.cure().contains("MINIO_KMS_SECRET_KEY_FILE"));
    }

    #[test]
    fn a_key_in_the_place_of_a_path_is_not_shown() {
        let old = old();
        for (variable, key, rather) in [(KEY_FILE, ONES, KEY), (OLD_KEY_FILE, &old, OLD_KEY)] {
            let error = Setting::new(&[(variable, key)]).error();
            assert_eq!(
                error.to_string(),
                format!("{variable} holds a key and not the path of a file")
            );
            assert_eq!(error.cure(), format!("unset {variable} and set {rather}"));
            assert!(!format!("{error:?}").contains(key));
        }
    }

    #[test]
    fn an_empty_key_alone_is_no_kms() {
        for variables in [
            &[(KEY, "")][..],
            &[(KEY_FILE, "")],
            &[(KEY, ""), (KEY_FILE, "")],
            &[(KEY, ""), (AUTO_ENCRYPTION, "off")],
        ] {
            let keyring = Setting::new(variables).keyring().unwrap();
            assert_eq!(Keyring::default_key(&keyring), None);
        }
    }

    #[test]
    fn a_key_of_white_space_is_none_and_not_unset() {
        for value in [" ", " \n"] {
            let error = Setting::new(&[(KEY, value)]).error();
            assert!(matches!(error, KeysError::Key { .. }), "{error}");
        }
    }

    #[test]
    fn an_empty_key_beside_other_settings_is_an_error() {
        for (name, value) in [
            (KEY_FILE, MISSING),
            (OLD_KEY, &old()),
            (OLD_KEY_FILE, MISSING),
            (AUTO_ENCRYPTION, "on"),
            ("MINIO_KMS_KES_ENDPOINT", "https://kes:7373"),
            ("MINIO_KMS_KES_ENDPOINT", ""),
            ("MINIO_KMS_SERVER", "kms:7373"),
        ] {
            let error = Setting::new(&[(KEY, ""), (name, value)]).error();
            assert!(
                matches!(error, KeysError::EmptyKey { beside } if beside == name),
                "{error}"
            );
        }
    }

    #[test]
    fn an_empty_key_file_beside_a_key_is_unset() {
        let keyring = Setting::new(&[(KEY, ONES), (KEY_FILE, "")])
            .keyring()
            .unwrap();
        assert_eq!(Keyring::default_key(&keyring).as_deref(), Some("my-key"));
    }

    #[test]
    fn key_and_key_file_together_are_an_error() {
        let error = Setting::new(&[(KEY, ONES)])
            .with_file(KEY_FILE, ONES)
            .error();
        assert!(matches!(error, KeysError::TwoKeys), "{error}");
    }

    #[test]
    fn there_is_only_one_kms() {
        for (variables, expected) in [
            (
                [(KEY, ONES), ("MINIO_KMS_KES_ENDPOINT", "https://kes")],
                (KEY, "MINIO_KMS_KES_ENDPOINT"),
            ),
            (
                [(KEY, ONES), ("MINIO_KMS_KES_CAPATH", "")],
                (KEY, "MINIO_KMS_KES_CAPATH"),
            ),
            (
                [(KEY_FILE, MISSING), ("MINIO_KMS_API_KEY", "")],
                (KEY_FILE, "MINIO_KMS_API_KEY"),
            ),
            (
                [("MINIO_KMS_SERVER", "x"), ("MINIO_KMS_KES_KEY_NAME", "x")],
                ("MINIO_KMS_KES_KEY_NAME", "MINIO_KMS_SERVER"),
            ),
        ] {
            let error = Setting::new(&variables).error();
            assert!(
                matches!(error, KeysError::TwoKms { one, other } if (one, other) == expected),
                "{error}"
            );
        }
    }

    #[test]
    fn minkms_is_not_supported_yet() {
        let error = Setting::new(&[("MINIO_KMS_SSE_KEY", "x")]).error();
        assert_eq!(
            error.to_string(),
            "MINIO_KMS_SSE_KEY is set, but this version does not support MinKMS yet"
        );
    }

    #[test]
    fn an_empty_variable_of_a_remote_kms_counts_as_present() {
        for variable in REMOTES.iter().flat_map(|remote| remote.variables) {
            let error = Setting::new(&[(variable, "")]).error();
            assert!(
                matches!(error, KeysError::EmptyKms { variable: named } if named == *variable),
                "{error}"
            );
        }
        // What is set to something says more than what is set to nothing.
        let error = Setting::new(&[
            ("MINIO_KMS_KES_ENDPOINT", ""),
            ("MINIO_KMS_KES_KEY_NAME", "x"),
        ])
        .error();
        let missing = "MINIO_KMS_KES_ENDPOINT";
        assert!(
            matches!(error, KeysError::KesVariable { variable } if variable == missing),
            "{error}"
        );
    }

    #[test]
    fn automatic_encryption_needs_a_kms() {
        let error = Setting::new(&[(AUTO_ENCRYPTION, "On")]).error();
        assert!(matches!(error, KeysError::NoKms { .. }), "{error}");
        let setting = Setting::new(&[(AUTO_ENCRYPTION, "on"), (KEY, ONES)]);
        assert!(setting.keyring().is_ok());
    }

    #[test]
    fn the_old_master_key_is_for_reading() {
        let old = old();
        let by_value = Setting::new(&[(OLD_KEY, &old)]);
        let by_file = Setting::new(&[]).with_file(OLD_KEY_FILE, &format!("{old}\n"));
        for setting in [by_value, by_file] {
            let keyring = setting.keyring().unwrap();
            assert_eq!(Keyring::default_key(&keyring), None);
            assert_eq!(lent(&keyring, "old-key"), [2]);

            let keyring = setting.with(&[(KEY, ONES)]).keyring().unwrap();
            assert_eq!(Keyring::default_key(&keyring).as_deref(), Some("my-key"));
            assert_eq!(lent(&keyring, "old-key"), [2]);
        }
        let error = Setting::new(&[(OLD_KEY, ONES)]).error();
        assert_eq!(
            error.to_string(),
            "MINIO_KMS_MASTER_KEY: what follows the colon is not hexadecimal"
        );
    }

    #[test]
    fn the_old_key_of_the_same_name_comes_second() {
        let old = old().replace("old-key", "my-key");
        let keyring = Setting::new(&[(OLD_KEY, &old), (KEY, ONES)])
            .keyring()
            .unwrap();
        assert_eq!(lent(&keyring, "my-key"), [1, 2]);
    }
}
