//! A folder that is migrated while it is served.

use std::fs;

use iamseal_tests::samples::vector;

use rustix::process::Signal;

use crate::running::{Files, KEY, Server, command, variables_of};

const DOCUMENTS: usize = 1200;

fn document(number: usize) -> String {
    format!("config/documents/{:02}/{number}.json", number % 40)
}

fn content(number: usize) -> Vec<u8> {
    match number % 100 {
        50 => vector("dev-069").plaintext,
        _ => format!("{{\"number\":{number}}}").into_bytes(),
    }
}

/// A folder with plaintext and what a root credential opens.
fn filled() -> Files {
    let files = Files::new();
    for number in 0..DOCUMENTS {
        let file = files.store().join(document(number));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let stored = match number % 100 {
            50 => vector("dev-069").stored,
            _ => content(number),
        };
        fs::write(file, stored).unwrap();
    }
    files
}

/// With a file of MinIO's variables beside the folder, too, in which there is nothing yet.
fn start(files: Files, objects: usize) -> Server {
    fs::write(variables_of(&files), "").unwrap();
    let store = files.store();
    let objects = format!("--migrate-objects={objects}");
    let arguments = ["--folder", store.to_str().unwrap(), "--migrate", &objects];
    let mut command = command(&files, &arguments);
    command
        .env("MINIO_ROOT_USER", "minioadmin")
        .env("MINIO_ROOT_PASSWORD", "minioadmin")
        .env("MINIO_CONFIG_ENV_FILE", variables_of(&files));
    Server::running(command, files)
}

#[test]
fn it_says_how_far_it_has_come() {
    let mut server = start(filled(), 200);
    let client = server.client();
    server.until("migration", |_| {
        let health = client.get("healthz").with(200).text();
        health.starts_with("migrating ") && health.ends_with(" of 1,200\n")
    });
    server.until("progress", |_| {
        let waiting = ["state=\"waiting\""];
        let waiting = client.metrics().sum("iamseal_migration_objects", &waiting);
        (1..1200).contains(&waiting)
    });
    // It does not keep it from ending.
    server.end();
}

#[test]
fn another_key_is_lent_and_migrated_to_at_a_signal() {
    let mut server = start(filled(), 100_000);
    let client = server.client();
    let is_current = |_: &Server| client.get("healthz").with(200).text() == "current\n";
    server.until("end", is_current);
    let before = client.get(&document(0)).with(200);
    let stored = |server: &Server| fs::read(server.files.store().join(document(1199))).unwrap();
    let is_under = |stored: &[u8], key: &str| {
        let text = String::from_utf8_lossy(stored).into_owned();
        text.contains(&format!("{key:?}"))
    };
    assert!(is_under(&stored(&server), "my-minio-key"));
    let bytes = iamseal_tests::samples::decode(KEY.split_once(':').unwrap().1);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let variables = format!(
        "MINIO_KMS_SECRET_KEY=later:Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=\n\
         MINIO_KMS_MASTER_KEY=my-minio-key:{hex}\n"
    );
    fs::write(
        variables_of(&server.files),
        "MINIO_KMS_SECRET_KEY=hunter2\n",
    )
    .unwrap();
    server.signal(Signal::USR2);
    server.until("refusal", |server| {
        server.log().contains("were not changed")
    });
    fs::write(variables_of(&server.files), variables).unwrap();
    server.signal(Signal::USR2);
    server.until("other keys", |server| {
        server.log().contains("other keys are lent")
    });
    // It serves meanwhile, and a condition of before holds.
    for number in (0..DOCUMENTS).step_by(97) {
        assert_eq!(
            client.get(&document(number)).with(200).content,
            content(number)
        );
    }
    client
        .put_if(&document(0), b"{}", &[("If-Match", before.tag())])
        .with(204);
    server.until("end", |server| {
        is_current(server) && is_under(&stored(server), "later")
    });
    for number in 1..DOCUMENTS {
        assert_eq!(
            client.get(&document(number)).with(200).content,
            content(number)
        );
    }
    assert!(!server.log().contains("hunter2"));
    server.end();
}
