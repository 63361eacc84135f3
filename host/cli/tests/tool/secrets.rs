//! No failure tells a secret, whatever it is about.

use crate::kit::store::Store;
use crate::kit::{CREDENTIAL, KEY, KEY_WITH_OTHER_BYTES, Tool, tool, with};
use iamseal_tests::samples::{damaged, vector};

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

/// Every kind of failure that has a secret at hand. What was meant to be a secret counts as one.
fn failures(store: &Store) -> Vec<Tool> {
    let [user, (password, _)] = CREDENTIAL;
    let (line, half) = ("hidden-key:hidden-secret", "hidden-credential");
    // Cargo's description of this crate: text, but neither key nor setting.
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut failures = vec![
        seal().key("hidden-name-hidden-secret"),
        seal().key("hidden-key:hidden-secret"),
        seal().key(KEY).env([(FILE_VARIABLE, "/nonexistent")]),
        seal()
            .key(KEY)
            .env([("MINIO_KMS_KES_API_KEY", "hidden-api-key")]),
        seal().env([("MINIO_KMS_KES_API_KEY", "hidden-api-key")]),
        seal().key(KEY).args(["--key", "none"]),
        seal().env([(FILE_VARIABLE, text)]),
        seal().env([("MINIO_CONFIG_ENV_FILE", text)]),
        unseal("dev-013").key(KEY_WITH_OTHER_BYTES),
        unseal("dev-056").key(KEY),
        unseal("dev-067").env([user, (password, "wrong-password")]),
        unseal("dev-067").env([(password, "wrong-password")]),
        unseal("dev-067").env([("MINIO_ROOT_USER", "hidden-user")]),
        unseal("dev-067").env([user, (password, "hidden")]),
        unseal("dev-075").env(CREDENTIAL),
        unseal("dev-013").file("--keys", line),
        unseal("dev-013").file("--root-credentials", half),
    ];
    for command in [
        "audit",
        "migrate --to kms",
        "migrate --to kms --dry-run --key none",
    ] {
        for json in [&[][..], &["--json"]] {
            let run = tool(with(command, store.root())).args(json);
            failures.push(run.key(KEY).env(CREDENTIAL));
        }
    }
    failures
}

#[test]
fn no_failure_tells_a_secret() {
    let store = Store::new();
    store.put(PATH, damaged(vector("dev-013").stored));
    store.put("config/config.json", vector("dev-074").stored);
    store.put("config/x", "");
    let secrets = [
        KEY.split_once(':').unwrap().1,
        KEY_WITH_OTHER_BYTES.split_once(':').unwrap().1,
        "hidden",
        "wrong-password",
    ];
    for run in failures(&store) {
        let ended = run.run();
        assert_ne!(ended.code, Some(0), "{ended}");
        for secret in secrets {
            let told = ended.stderr.contains(secret) || ended.text().contains(secret);
            assert!(!told, "{secret} is told:\n{ended}");
        }
    }
}

#[test]
fn a_secret_in_the_place_of_its_file_is_not_shown() {
    for option in ["--keys", "--root-credentials"] {
        for secret in [KEY, "minioadmin:very-secret"] {
            let ended = tool(["audit", "/", option, secret]).run().fails(2);
            let (_, hidden) = secret.split_once(':').unwrap();
            assert!(!ended.stderr.contains(hidden), "{ended}");
            ended.says("it may be a secret");
        }
    }
}
