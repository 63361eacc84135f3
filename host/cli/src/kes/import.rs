//! `iamseal kes import`: a static key becomes one of KES.

use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::{ObjectError, Policy, SealOptions};
use iamseal::keys::kes::{Made, is_key_name};
use iamseal::keys::{Environment, Kes, MixedKeyring, StaticKey, StaticKeyring};
use iamseal::{Error, Plugin};
use serde_json::json;

use super::why;
use crate::arguments::{Common, KesImport};
use crate::cause::Cause;
use crate::failure::Failure;
use crate::report::words;
use crate::{keys, load, output};

/// Where the object would stand that the key is tried on.
const PATH: &[u8] = b"config/iam/format.json";
const OBJECT: &[u8] = br#"{"version":1}"#;

pub async fn run(common: &Common, command: &KesImport) -> Result<ExitCode, Failure> {
    let name = &command.name;
    if !is_key_name(name) {
        return Err(Failure::usage(format!(
            "KES takes no key named {name:?}: a name has 1 to 80 of A-Z, a-z, 0-9, _ and -, is not _ \
             alone, and has no - at either end"
        ))
        .with_cure(
            "bring the objects to a key of another name first: iamseal migrate STORE --to kms --key NEW \
             --keys FILE, with both keys in the file; then import that one",
        ));
    }
    let key = the_key(common, name)?;
    let kes = Environment::of_process()?.kes()?;
    // Before anything is changed: a plugin that does not load could not be asked afterwards.
    let plugin = sealer(common, &key).await?;
    let made = kes.import_key(&key).await.map_err(|error| {
        let why = why(name, error);
        let failure = Failure::new(why.cause, why.message);
        Failure {
            cure: why.cure,
            ..failure
        }
    })?;
    check(common, &plugin, &kes, name, made).await?;
    let outcome = match made {
        Made::New => "imported",
        Made::Exists => "unchanged",
    };
    if common.json {
        output::line(&words::json_line(&json!({"key": name, "outcome": outcome})))?;
    } else {
        output::line(match made {
            Made::New => "imported: KES has the key now, and opens what it sealed",
            Made::Exists => "unchanged: KES had this key already, and opens what it sealed",
        })?;
    }
    output::note(common.json, ROOT_CREDENTIAL);
    Ok(ExitCode::SUCCESS)
}

/// What becomes another one with the KMS, as was seen of MinIO RELEASE.2025-10-15.
const ROOT_CREDENTIAL: &str = "what changes with KES: a server with MINIO_API_ROOT_ACCESS=off and no \
     MINIO_ROOT_USER derives its root credential from the KMS, and KES makes another one of the same key; \
     temporary credentials end with the one that signed them, users and their access keys do not";

/// The one static key of this name.
fn the_key(common: &Common, name: &str) -> Result<StaticKey, Failure> {
    let keyring = keys::beside_kes(common)?;
    let mut named = keyring.keys_named(name);
    let Some(key) = named.next() else {
        return Err(Failure::new(
            Cause::KeyNotFound,
            format!("no static key named {name:?} was given"),
        )
        .with_cure(
            "give it in MINIO_KMS_SECRET_KEY, MINIO_KMS_SECRET_KEY_FILE or a file with --keys, as \
             NAME:BASE64",
        ));
    };
    if named.next().is_some() {
        return Err(
            Failure::usage(format!("several keys named {name:?} were given")).with_cure(
                "give the one alone that the server has; an audit says which key opens how many objects",
            ),
        );
    }
    Ok(key)
}

/// A plugin that has this key alone.
async fn sealer(common: &Common, key: &StaticKey) -> Result<Plugin, Failure> {
    let keyring = StaticKeyring::new().key(key.clone());
    let keyring = keyring.default_key(key.name())?;
    let builder = load::builder(common, Arc::new(keyring));
    Ok(builder.load().await?)
}

/// Sees that KES alone opens what the key seals.
async fn check(
    common: &Common,
    plugin: &Plugin,
    kes: &Kes,
    name: &str,
    made: Made,
) -> Result<(), Failure> {
    let options = SealOptions::default();
    let sealed = plugin.seal(PATH, OBJECT, &options).await?;
    let keyring = MixedKeyring::default().kes(kes.clone(), name);
    let keyring = keyring.map_err(Failure::usage)?;
    let opener = load::auditor(common, keyring, None).await?;
    let failure = match opener.unseal(PATH, &sealed, Policy::Sealed).await {
        Ok(opened) if *opened.plaintext == OBJECT => return Ok(()),
        Ok(_) => Failure::other("KES opens what the key sealed to something else"),
        Err(Error::Object(ObjectError::HeaderNotAuthentic(_))) => match made {
            Made::Exists => Failure::new(
                Cause::OtherKeyBytes,
                format!("KES has another key named {name:?}; it was left as it is"),
            )
            .with_cure(
                "bring the objects to a key of another name first: iamseal migrate STORE --to kms --key \
                 NEW --keys FILE, with both keys in the file; then import that one",
            ),
            Made::New => Failure::other(
                "KES has taken the key, but does not open what it sealed",
            )
            .with_cure("KES before RELEASE.2024-02-29 opens its own data keys alone: use a newer one"),
        },
        Err(error) => {
            let failure = Failure::from(error);
            match made {
                Made::New => failure.about("KES has taken the key, but it could not be tried"),
                Made::Exists => failure.about("KES has a key of that name, and it could not be tried"),
            }
        }
    };
    Err(failure)
}
