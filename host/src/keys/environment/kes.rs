//! KES, as the variables `MINIO_KMS_KES_*` describe it.

use std::path::Path;

use super::super::error::{KeysError, Place};
use super::super::kes::{Authorities, Endpoints, Identity, Kes, KesError};
use super::Environment;

pub(super) const ENDPOINT: &str = "MINIO_KMS_KES_ENDPOINT";
pub(super) const KEY_NAME: &str = "MINIO_KMS_KES_KEY_NAME";
const API_KEY: &str = "MINIO_KMS_KES_API_KEY";
const CERT_FILE: &str = "MINIO_KMS_KES_CERT_FILE";
const KEY_FILE: &str = "MINIO_KMS_KES_KEY_FILE";
const KEY_PASSWORD: &str = "MINIO_KMS_KES_KEY_PASSWORD";
const CA_PATH: &str = "MINIO_KMS_KES_CAPATH";

/// KES itself.
pub(super) fn connect(environment: &Environment) -> Result<Kes, KeysError> {
    let endpoints = environment.get(ENDPOINT)?.ok_or(missing(ENDPOINT))?;
    let endpoints = Endpoints::parse(&endpoints).map_err(of(ENDPOINT))?;
    let (identity, variable) = identity(environment)?;
    let authorities = match environment.get(CA_PATH)? {
        Some(path) => Authorities::of_path(Path::new(path.as_str())),
        None => Authorities::system(),
    };
    let authorities = authorities.map_err(of(CA_PATH))?;
    Kes::new(&endpoints, identity, &authorities).map_err(of(variable))
}

/// The name of the key for new objects.
pub(super) fn key_name(environment: &Environment) -> Result<String, KeysError> {
    let name = environment.get(KEY_NAME)?.ok_or(missing(KEY_NAME))?;
    Ok(name.as_str().to_owned())
}

/// What is wrong with the key's name.
pub(super) fn of_key_name(cause: KesError) -> KeysError {
    of(KEY_NAME)(cause)
}

/// Who asks, and the variable that says so.
fn identity(environment: &Environment) -> Result<(Identity, &'static str), KeysError> {
    let api_key = environment.get(API_KEY)?;
    let certificate = environment.get(CERT_FILE)?;
    let key = environment.get(KEY_FILE)?;
    match (api_key, certificate, key) {
        (Some(text), None, None) => {
            let identity = Identity::of_api_key(&text).map_err(of(API_KEY))?;
            Ok((identity, API_KEY))
        }
        (None, Some(certificate), Some(key)) => {
            let password = environment.get(KEY_PASSWORD)?;
            let password = password.as_deref().map(String::as_str);
            let (certificate, key) = (Path::new(certificate.as_str()), Path::new(key.as_str()));
            let identity = Identity::of_files(certificate, key, password);
            let identity = identity.map_err(|error| match &error {
                KesError::Pair { .. } => of(CERT_FILE)(error),
                KesError::Nothing { what, .. } if *what == "certificate" => of(CERT_FILE)(error),
                KesError::Unreadable { path, .. } if *path == certificate.into() => {
                    of(CERT_FILE)(error)
                }
                KesError::FileTooLarge { path } if path == certificate => of(CERT_FILE)(error),
                _ => of(KEY_FILE)(error),
            })?;
            environment.saw(key);
            Ok((identity, CERT_FILE))
        }
        (Some(_), Some(_), _) => Err(KeysError::TwoIdentities { other: CERT_FILE }),
        (Some(_), None, Some(_)) => Err(KeysError::TwoIdentities { other: KEY_FILE }),
        (None, Some(_), None) => Err(KeysError::HalfIdentity {
            set: CERT_FILE,
            missing: KEY_FILE,
        }),
        (None, None, Some(_)) => Err(KeysError::HalfIdentity {
            set: KEY_FILE,
            missing: CERT_FILE,
        }),
        (None, None, None) => Err(missing(API_KEY)),
    }
}

fn missing(variable: &'static str) -> KeysError {
    KeysError::KesVariable { variable }
}

fn of(variable: &'static str) -> impl Fn(KesError) -> KeysError {
    move |cause| KeysError::Kes {
        place: Place::Variable(variable),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Setting;
    use super::*;
    use crate::keys::{Key, Keyring as _};

    const URL: &str = "https://127.0.0.1:7373";
    const API: &str = "kes:v1:AL31+gpwOtwm4QY+3D2vPPSnwS1I8XEA5ztXU7Eq1H/7";
    const MINIMUM: [(&str, &str); 3] = [(ENDPOINT, URL), (KEY_NAME, "my-key"), (API_KEY, API)];

    fn folder(name: &str) -> String {
        format!("{}/src/keys/kes/testing/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    /// The minimum with a certificate authority, since a machine may have none.
    fn setting() -> Setting {
        Setting::new(&MINIMUM).with(&[(CA_PATH, &folder("client.crt"))])
    }

    #[test]
    fn the_key_in_kes_is_the_default() {
        let keyring = setting().keyring().unwrap();
        assert_eq!(keyring.default_key().as_deref(), Some("my-key"));
        assert_eq!(keyring.key_names().collect::<Vec<_>>(), ["my-key"]);
        // Other keys of KES are lent too, if they can be there.
        for (name, is_lent) in [("my-key", true), ("other", true), ("no.such", false)] {
            let candidates = keyring.candidates(name);
            assert_eq!(candidates.is_ok(), is_lent, "{name}");
            let keys = candidates.unwrap_or_default();
            assert!(keys.iter().all(Key::is_server));
            // Each has one number, however often it is lent.
            let again = keyring.candidates(name).unwrap_or_default();
            assert!(keys.iter().map(Key::id).eq(again.iter().map(Key::id)));
        }
    }

    #[test]
    fn a_static_key_comes_after_kes_under_the_name_of_its_key_and_before_it_elsewhere() {
        let setting = setting();
        let keys = setting.dir.path().join("keys");
        let secret = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        std::fs::write(&keys, format!("my-key:{secret}\nold:{secret}\n")).unwrap();
        let keyring = setting.keyring().unwrap().keys_file(&keys).unwrap();
        let shown = |name: &str| {
            let keys = keyring.candidates(name).unwrap();
            let kinds = keys.iter().map(|key| match key.is_server() {
                true => "server",
                false => "local",
            });
            kinds.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown("my-key"), "server local");
        assert_eq!(shown("old"), "local server");
        assert_eq!(keyring.key_names().collect::<Vec<_>>(), ["my-key", "old"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (empty, named) in [
            (ENDPOINT, ENDPOINT),
            (KEY_NAME, KEY_NAME),
            (API_KEY, API_KEY),
        ] {
            let error = setting().with(&[(empty, "")]).error();
            let says = format!("{named} is not set, and KES cannot be used without it");
            assert_eq!(error.to_string(), says);
            assert!(error.cure().starts_with("set "), "{}", error.cure());
        }
    }

    #[test]
    fn there_is_one_identity_and_it_is_whole() {
        let (certificate, key) = (folder("client.crt"), folder("sec1.pem"));
        let pair = [(CERT_FILE, &*certificate), (KEY_FILE, &*key)];
        for one in pair {
            let error = setting().with(&[one]).error();
            assert!(matches!(error, KeysError::TwoIdentities { other } if other == one.0));
            let error = setting().with(&[(API_KEY, ""), one]).error();
            assert!(matches!(error, KeysError::HalfIdentity { set, .. } if set == one.0));
        }
        assert!(
            setting()
                .with(&[(API_KEY, "")])
                .with(&pair)
                .keyring()
                .is_ok()
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_variable() {
        let missing = "/nonexistent/file";
        for (variable, value, says) in [
            (
                ENDPOINT,
                "http://kes",
                "endpoint 1 does not begin with https://",
            ),
            (
                KEY_NAME,
                "my.key",
                "\"my.key\" cannot be the name of a key in KES",
            ),
            (API_KEY, "hunter2", "it is no API key of KES"),
            (CA_PATH, missing, "/nonexistent/file: cannot be read: "),
        ] {
            let error = setting().with(&[(variable, value)]).error();
            let begin = format!("{variable}: {says}");
            assert!(error.to_string().starts_with(&begin), "{error}");
            assert!(!format!("{error:?} {}", error.cure()).contains("hunter2"));
        }
        let certificate = folder("client.crt");
        for (certificate, key, variable) in [
            (missing, folder("sec1.pem"), CERT_FILE),
            (&certificate, missing.into(), KEY_FILE),
            (&certificate, folder("pbes2.pem"), KEY_FILE),
            (&certificate, certificate.clone(), KEY_FILE),
        ] {
            let files = [(API_KEY, ""), (CERT_FILE, certificate), (KEY_FILE, &key)];
            let error = setting().with(&files).error();
            assert!(error.to_string().starts_with(variable), "{error}");
        }
    }

    #[test]
    fn a_static_key_beside_kes_is_taken_for_an_import_alone() {
        let key = "my-key:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let setting = setting().with(&[("MINIO_KMS_SECRET_KEY", key)]);
        assert!(matches!(setting.error(), KeysError::TwoKms { .. }));
        let keyring = setting.environment().keyring_beside_kes().unwrap();
        assert_eq!(keyring.key_names().collect::<Vec<_>>(), ["my-key"]);
    }
}
