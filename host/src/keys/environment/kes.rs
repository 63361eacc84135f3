//! KES, as the variables `MINIO_KMS_KES_*` describe it.

use std::path::Path;

use super::super::error::{KeysError, Place};
use super::super::kes::{Authorities, Endpoints, Identity, Kes, KesError};
use super::Environment;

pub(super) const ENDPOINT: &str = "MINIO_KMS_KES_ENDPOINT";
const KEY_NAME: &str = "MINIO_KMS_KES_KEY_NAME";
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
                KesError::Unreadable { path, .. }
                | KesError::FileTooLarge { path }
                | KesError::Nothing { path, .. }
                    if path == certificate =>
                {
                    of(CERT_FILE)(error)
                }
                _ => of(KEY_FILE)(error),
            })?;
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
