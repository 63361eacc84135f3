//! `iamseal demo`: a sample store of all forms, audited, migrated and audited again by the very
//! commands that an operator would run.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use iamseal::contract::{SealOptions, SealedForm};
use iamseal::keys::{RootCredential, StaticKey, StaticKeyring};
use iamseal_words::arguments::{self as shared, Credentials, How, Require, To};
use serde_json::json;

use crate::arguments::{Against, Audit, Common, Demo, JournalPlace, Migrate, Where, Writes};
use crate::failure::Failure;
use crate::report::words;
use crate::{audit, load, migrate, output};

/// The key and the credential that the samples were made with. No secrets: they are test vectors.
const OLD_KEY: &str = "my-minio-key:rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=";
const OLD_CREDENTIAL: &str = "minioadmin:minioadmin";

/// Objects as MinIO sealed them, and the paths that they are bound to (the last two to none).
const SAMPLES: [(&str, &[u8]); 5] = [
    (
        "config/iam/users/alice/identity.json",
        include_bytes!("demo/json-data-key.bin"),
    ),
    (
        "config/iam/groups/grün\u{2028}sep\u{2029}/members.json",
        include_bytes!("demo/bare-context.bin"),
    ),
    (
        "config/iam/policies/日本語😀/policy.json",
        include_bytes!("demo/sealed.bin"),
    ),
    (
        "config/config.json",
        include_bytes!("demo/root-credential-aes.bin"),
    ),
    (
        "config/iam/users/bob/identity.json",
        include_bytes!("demo/root-credential-chacha.bin"),
    ),
];

/// Objects that nothing encrypts; the last is one of those that must never be sealed.
const PLAIN: [(&str, &[u8]); 3] = [
    ("config/iam/format.json", br#"{"version":1}"#),
    (
        "config/iam/policydb/groups/cn=admins,ou=groups,dc=example,dc=org.json",
        br#"{"version":1,"policy":"consoleAdmin","updatedAt":"2021-03-04T05:06:07Z"}"#,
    ),
    ("config/tier-config.bin", &[1, 0, 1, 0, 0x82, 0xa1]),
];

pub async fn run(common: &Common, command: &Demo) -> Result<ExitCode, Failure> {
    let temporary;
    let folder = match &command.folder {
        Some(folder) => {
            check_unused(folder)?;
            folder.clone()
        }
        None => {
            temporary = tempfile::tempdir()?;
            temporary.path().to_owned()
        }
    };
    let store = folder.join("store");
    make_store(common, &store).await?;
    let new_key = StaticKey::generate("new-key")?;
    make_keys(&folder, &new_key)?;
    let keyring = || {
        let old = StaticKey::parse(OLD_KEY)?;
        let credential = RootCredential::parse(OLD_CREDENTIAL)?;
        let keyring = StaticKeyring::new().key(new_key.clone()).key(old);
        Ok::<_, Failure>(keyring.root_credential(credential).default_key("new-key")?)
    };
    let place = || Where {
        store: store.clone(),
        prefix: "config/".into(),
    };
    let files = "--keys old.keys --root-credentials old.credentials";

    say(
        common,
        "A store that lived through five years of MinIO. One object is damaged.",
    )?;
    say(common, &format!("\n$ iamseal audit store {files}\n"))?;
    let scope = |require| Audit {
        shared: shared::Audit {
            place: place(),
            require,
            credentials: Credentials::default(),
        },
        against: Against::default(),
    };
    audit::audit(common, keyring()?.into(), &scope(None)).await?;

    say(
        common,
        &format!("\n$ iamseal migrate store --to kms {files}\n"),
    )?;
    let how = How {
        key: None,
        form: None,
        cipher: None,
        data_key: None,
    };
    let plan = Migrate {
        shared: shared::Migrate {
            place: place(),
            to: To::Kms,
            how,
            dry_run: false,
            not_loadable_too: false,
            credentials: Credentials::default(),
        },
        jobs: None,
        shard: None,
        watch: false,
        prepare: false,
        finish: None,
        after_pid: None,
        writes: Writes::default(),
        journal: JournalPlace {
            journal: Some(folder.join("journals")),
            is_kept: command.folder.is_some(),
        },
    };
    migrate::migrate(common, keyring()?.into(), &plan).await?;

    say(
        common,
        "\nNow with the new key alone, and nothing but sealed objects allowed:",
    )?;
    say(common, "\n$ iamseal audit store --require sealed\n")?;
    let alone = StaticKeyring::new()
        .key(new_key.clone())
        .default_key("new-key")?;
    audit::audit(common, alone.into(), &scope(Some(Require::Sealed))).await?;

    say(
        common,
        "\nAll but the damaged object now need new-key and nothing else. What could not be opened was left as it was.",
    )?;
    if command.folder.is_some() {
        let shown = folder.display();
        say(
            common,
            &format!("To go on by hand: cd {shown} && export MINIO_KMS_SECRET_KEY=$(cat new.key)"),
        )?;
    }
    // The damaged object makes both audits end with an error; the demonstration went as it should.
    Ok(ExitCode::SUCCESS)
}

/// Refuses a folder that holds anything: the samples and keys could take the place of real ones.
fn check_unused(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::usage(format!("{shown} is not empty"))
            .with_cure("give a folder that is not there yet")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::from(error).about(shown)),
    }
}

fn say(common: &Common, text: &str) -> Result<(), Failure> {
    if common.json {
        return output::line(&words::json_line(&json!({ "demo": text.trim() })));
    }
    output::line(text)
}

async fn make_store(common: &Common, store: &Path) -> Result<(), Failure> {
    for (path, bytes) in SAMPLES.iter().chain(&PLAIN) {
        write(store, path, bytes)?;
    }
    let old = StaticKey::parse(OLD_KEY)?;
    let keyring = StaticKeyring::new().key(old).default_key("my-minio-key")?;
    let old = load::builder(common, Arc::new(keyring)).load().await?;
    let options = |form| SealOptions { form, key: None };
    let identity = br#"{"version":1,"credentials":{"accessKey":"carol","secretKey":"no secret","status":"on"}}"#;
    let path = "config/iam/users/carol/identity.json";
    let sealed = old
        .seal(path.as_bytes(), identity, &options(SealedForm::Compact))
        .await?;
    write(store, path, &sealed)?;
    let path = "config/iam/service-accounts/DAVE/identity.json";
    let mut damaged = old
        .seal(path.as_bytes(), identity, &options(SealedForm::default()))
        .await?;
    if let Some(last) = damaged.last_mut() {
        *last ^= 1;
    }
    write(store, path, &damaged)
}

/// The files of the commands that are shown, for whoever wants to go on by hand.
fn make_keys(folder: &Path, new_key: &StaticKey) -> Result<(), Failure> {
    let write = |name, text: &str| {
        let file = folder.join(name);
        // As a real key's file should be: nobody else's to read.
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file);
        let written = made.and_then(|mut made| made.write_all(text.as_bytes()));
        written.map_err(|error| Failure::from(error).about(file.display()))
    };
    write("old.keys", OLD_KEY)?;
    write("old.credentials", OLD_CREDENTIAL)?;
    write("new.key", &new_key.encode())
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> Result<(), Failure> {
    let file: PathBuf = folder.join(path);
    let about = |error| Failure::from(error).about(file.display());
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).map_err(about)?;
    }
    fs::write(&file, bytes).map_err(about)
}
