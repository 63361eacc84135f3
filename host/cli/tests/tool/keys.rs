//! Where keys come from, end to end; and that no secret comes out again.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, KEY, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use iamseal_tests::samples::vector;

const KEY_VARIABLE: &str = "MINIO_KMS_SECRET_KEY";
const FILE_VARIABLE: &str = "MINIO_KMS_SECRET_KEY_FILE";
const PATH: &str = "config/iam/users/alice/identity.json";

fn seal() -> Tool {
    tool(with("seal --path", PATH)).input("{}")
}

/// A run that opens an object of the vectors.
fn unseal(id: &str) -> Tool {
    let vector = vector(id);
    tool(with("unseal --path", &vector.path)).input(vector.stored)
}

/// Files that are removed with the value.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

#[test]
fn a_key_comes_from_the_variable_or_from_a_file() {
    unseal("dev-013").key(KEY).ok();
    let files = Files::new();
    let file = files.file("key", &format!("{KEY}\n"));
    unseal("dev-013").env([(FILE_VARIABLE, &file)]).ok();
    let settings = files.file(
        "minio.env",
        &format!("# a comment\nexport {KEY_VARIABLE}=\"{KEY}\"\nMINIO_ROOT_USER=minioadmin\nMINIO_ROOT_PASSWORD='minioadmin'\n"),
    );
    for id in ["dev-013", "dev-067"] {
        let run = unseal(id)
            .key("overruled")
            .env([("MINIO_CONFIG_ENV_FILE", &settings)]);
        assert_eq!(run.ok().stdout, vector(id).plaintext);
    }
}

#[test]
fn a_key_that_is_none_is_told_with_its_place_and_cure() {
    let short = "my-key:AQEB";
    for (value, says) in [
        (
            "no colon in it",
            "MINIO_KMS_SECRET_KEY: the key has no name: there is no colon",
        ),
        (
            "my-key:%%%",
            "MINIO_KMS_SECRET_KEY: what follows the colon is not standard base64",
        ),
        (&KEY.replace('=', ""), "is not standard base64 with padding"),
        (
            short,
            "MINIO_KMS_SECRET_KEY: the key has 3 bytes and not 32",
        ),
    ] {
        seal()
            .key(value)
            .run()
            .fails(2)
            .says(says)
            .says("\n cure: ");
    }
    let file = Files::new();
    let path = file.file("key", short);
    let says = format!("error: {}: the key has 3 bytes", path.display());
    seal()
        .env([(FILE_VARIABLE, path)])
        .run()
        .fails(2)
        .says(&says);
}

#[test]
fn where_minio_would_go_on_without_a_kms_this_stops() {
    seal()
        .env([(FILE_VARIABLE, "/nonexistent/key")])
        .run()
        .fails(2)
        .says("error: MINIO_KMS_SECRET_KEY_FILE names /nonexistent/key, which does not exist")
        .says(" cure: correct MINIO_KMS_SECRET_KEY_FILE, or unset it");
    for (name, value) in [
        ("MINIO_KMS_AUTO_ENCRYPTION", "on"),
        ("MINIO_KMS_KES_ENDPOINT", "https://127.0.0.1:7373"),
        (FILE_VARIABLE, "/nonexistent/key"),
    ] {
        seal()
            .key("")
            .env([(name, value)])
            .run()
            .fails(2)
            .says(&format!("MINIO_KMS_SECRET_KEY is empty, but {name} is set"))
            .says(" cure: ");
    }
    seal()
        .env([("MINIO_CONFIG_ENV_FILE", "/nonexistent/env")])
        .run()
        .fails(2)
        .says("MINIO_CONFIG_ENV_FILE");
}

#[test]
fn an_empty_key_alone_is_no_kms() {
    seal().key("").run().fails(4).says("iamseal keygen");
    let store = Store::of([(PATH, "{}")]);
    tool(with("migrate --to plaintext", store.root()))
        .key("")
        .ok();
    // White space a server does not take.
    seal().key(" ").run().fails(2).says("no colon");
}

#[test]
fn there_is_one_kms() {
    let files = Files::new();
    let file = files.file("key", KEY);
    seal()
        .key(KEY)
        .env([(FILE_VARIABLE, file)])
        .run()
        .fails(2)
        .says("MINIO_KMS_SECRET_KEY and MINIO_KMS_SECRET_KEY_FILE are both set")
        .says(" cure: unset one of them");
    seal()
        .key(KEY)
        .env([("MINIO_KMS_KES_ENDPOINT", "https://127.0.0.1:7373")])
        .run()
        .fails(2)
        .says("there can be only one KMS");
    seal()
        .env([("MINIO_KMS_SERVER", "https://127.0.0.1:7373")])
        .run()
        .fails(2)
        .says("MINIO_KMS_SERVER is set, but this version does not support")
        .says("MINIO_KMS_SECRET_KEY or --keys FILE");
    seal()
        .env([("MINIO_KMS_KES_ENDPOINT", "https://127.0.0.1:7373")])
        .run()
        .fails(2)
        .says("MINIO_KMS_KES_KEY_NAME is not set, and KES cannot be used without it")
        .says(" cure: set it to the name of the key in KES");
}

#[test]
fn half_a_root_credential_is_an_error() {
    unseal("dev-067").env(CREDENTIAL).ok();
    for (set, missing) in [
        ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
        ("MINIO_ROOT_PASSWORD", "MINIO_ROOT_USER"),
        ("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
    ] {
        unseal("dev-067")
            .env([(set, "minioadmin")])
            .run()
            .fails(2)
            .says(&format!("{set} is set, but {missing} is not"))
            .says(&format!(" cure: set {missing} too, or unset {set}"));
    }
}

#[test]
fn files_of_keys_and_credentials_are_for_reading() {
    let files = Files::new();
    let keys = files.file("keys", &format!("# old keys\n\n{OTHER_KEY}\n  {KEY}\r\n"));
    let credentials = files.file("credentials", "other:credential\nminioadmin:minioadmin\n");
    for id in ["dev-013", "dev-067"] {
        let run = unseal(id)
            .args(with("--keys", &keys))
            .args(with("--root-credentials", &credentials));
        assert_eq!(run.ok().stdout, vector(id).plaintext);
    }
    // They do not make a default key, but one of them can be named.
    seal()
        .args(with("--keys", &keys))
        .run()
        .fails(4)
        .says("--key can name a key of --keys");
    seal().args(with("--key other-key --keys", &keys)).ok();
    // The right bytes may come second under a name.
    let second = unseal("dev-013").key(KEY_WITH_OTHER_BYTES);
    second.args(with("--keys", &keys)).ok();
    // What is given for its keys has some.
    for option in ["--keys", "--root-credentials"] {
        let none = unseal("dev-013").args([option, "/dev/null"]).run();
        none.fails(2).says("/dev/null: there is nothing in it");
    }
}

#[test]
fn a_bad_line_is_told_by_its_file_and_number() {
    let files = Files::new();
    let keys = files.file("keys", &format!("{KEY}\n\nhidden-key:hidden-secret\n"));
    let says = format!("error: {}, line 3: ", keys.display());
    unseal("dev-013")
        .args(with("--keys", &keys))
        .run()
        .fails(2)
        .says(&says)
        .says(" cure: ");

    let credentials = files.file("credentials", "# comment\nhidden-credential\n");
    let says = format!("error: {}, line 2: ", credentials.display());
    let run = unseal("dev-067").args(with("--root-credentials", &credentials));
    run.run()
        .fails(2)
        .says(&says)
        .says(" cure: write it as USER:PASSWORD");

    let settings = files.file("env", "A=b\nhidden-line\n");
    let says = format!("error: {}, line 2: ", settings.display());
    let run = unseal("dev-067").env([("MINIO_CONFIG_ENV_FILE", settings)]);
    run.run().fails(2).says(&says);

    unseal("dev-013")
        .args(["--keys", "/nonexistent"])
        .run()
        .fails(2)
        .says("/nonexistent");
    unseal("dev-013")
        .args(["--keys", "/dev/zero"])
        .run()
        .fails(2)
        .says("larger than 1 MiB");
    unseal("dev-013")
        .args(with("--keys", env!("CARGO_BIN_EXE_iamseal")))
        .run()
        .fails(2);
}
