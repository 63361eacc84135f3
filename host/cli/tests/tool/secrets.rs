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
    let (_, key) = KEY.split_once(':').unwrap();
    let bare_key = key.trim_end_matches('=');
    let bare = key.trim_end_matches('=');
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    for (secret, given) in [
        (key, KEY.to_owned()),
        (bare, format!("my-key:{bare}")),
        (key, format!("MINIO_KMS_SECRET_KEY={KEY}")),
        (key, format!("export MINIO_KMS_SECRET_KEY={KEY}")),
        (key, format!("\"{KEY}\"")),
        (key, key.to_owned()),
        (key, format!("my-key={key}")),
        (hex, format!("my-key:{hex}")),
        ("very-secret", "minioadmin:very-secret".into()),
        ("very/secret", "minioadmin:very/secret".into()),
        ("very-secret", "very-secret".into()),
        ("very-secret", "MINIO_ROOT_PASSWORD=very-secret".into()),
    ] {
        let not_told = |run: Tool| {
            let ended = run.run();
            assert!(
                !ended.stderr.contains(secret) && !ended.text().contains(secret),
                "{ended}"
            );
            ended.fails(2)
        };
        for option in ["--keys", "--root-credentials"] {
            not_told(tool(["audit", "/", option, &given])).says("it may be a secret");
        }
        for variable in [
            FILE_VARIABLE,
            "MINIO_KMS_MASTER_KEY_FILE",
            "MINIO_CONFIG_ENV_FILE",
        ] {
            not_told(seal().env([(variable, &*given)]));
        }
    }
    for command in [seal(), tool(["migrate", "/", "--to", "kms"])] {
        let ended = command.key(KEY).args(["--key", KEY]).run().fails(2);
        assert!(!ended.stderr.contains(key), "{ended}");
    }
    // Where a name or a file that is no secret belongs.
    for variable in [
        "MINIO_KMS_KES_KEY_NAME",
        "MINIO_ETCD_ENDPOINTS",
        "MINIO_ETCD_PATH_PREFIX",
    ] {
        let kes = ("MINIO_KMS_KES_ENDPOINT", "https://127.0.0.1:1");
        for store in ["/", "etcd://127.0.0.1:1/x"] {
            let run = tool(["audit", store]).env([kes, (variable, KEY)]).run();
            assert!(!run.stderr.contains(bare_key), "{variable}: {run}");
        }
    }
    for line in [
        "kes import KEY",
        "audit / --manifest KEY",
        "audit / --plugin /dev/null --plugin-sha256 KEY",
        "undo / KEY",
        "KEY",
        "migrate / --to kms --shard KEY",
    ] {
        for json in [&[][..], &["--json"]] {
            let words = line
                .split(' ')
                .map(|word| if word == "KEY" { KEY } else { word });
            let ended = tool(words).args(json).run();
            assert_ne!(ended.code, Some(0), "{line}");
            let told = ended.stderr.contains(bare_key) || ended.text().contains(bare_key);
            assert!(!told, "{line}: {ended}");
        }
    }
    let inline = "-----BEGIN PRIVATE KEY-----\nhidden\n-----END PRIVATE KEY-----";
    let etcd = tool(["audit", "etcds://127.0.0.1:1"]).env([
        ("MINIO_ETCD_CLIENT_CERT", "/dev/null"),
        ("MINIO_ETCD_CLIENT_CERT_KEY", inline),
    ]);
    let ended = etcd.run();
    assert!(!ended.stderr.contains("hidden"), "{ended}");
}

#[test]
fn half_a_password_is_no_users_name() {
    for line in [
        "MINIO_ROOT_PASSWORD=hidden:secret",
        "export RUSTFS_IAM_MASTER_KEY=hidden:secret",
        "Environment=MINIO_ROOT_PASSWORD=hidden:secret",
        "MINIO_ROOT_PASSWORD: hidden:secret",
    ] {
        let ended = tool(["audit", "/"])
            .file("--root-credentials", line)
            .run()
            .fails(2);
        assert!(!ended.stderr.contains("hidden"), "{ended}");
        ended.says("line 1").says("NAME=VALUE");
    }
}
