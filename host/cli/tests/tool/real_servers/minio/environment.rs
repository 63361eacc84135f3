//! The variables and the environment file of a server, as it reads them and as the tool does.

use std::fs;
use std::time::{Duration, Instant};

use iamseal_servers::minio::{Minio, ROOT};
use serde_json::Value;

use crate::kit::{KEY, tool, with};

/// How long a server may take from listening to answering.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which key something seals under; none: it has no KMS.
type Default = Option<String>;

/// What a server makes of these variables.
fn server(variables: &[(&'static str, String)]) -> Result<Default, String> {
    let minio = Minio::try_start(variables)?;
    let begun = Instant::now();
    loop {
        let status = minio.mc(ROOT.0, ROOT.1, &["admin", "kms", "key", "status", "t"]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        if let Some(key) = status["keyId"].as_str() {
            return Ok(Some(key.to_owned()));
        }
        if status.to_string().contains("KMS is not configured") {
            return Ok(None);
        }
        assert!(begun.elapsed() < PATIENCE, "{status}");
    }
}

/// What the tool makes of them. Where it finds no key for new objects it says so.
fn ours(variables: &[(&'static str, String)]) -> Result<Default, String> {
    let sealing = tool(["seal", "--path", "config/x"]).env(variables.iter().cloned());
    let sealed = sealing.input(*b"{}").run();
    match sealed.code {
        Some(0) => {}
        Some(4) => return Ok(None),
        _ => return Err(sealed.stderr),
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, &sealed.stdout).unwrap();
    let inspected = tool(with("inspect --json", file.path()));
    Ok(inspected.ok().json().remove(0)["key"]
        .as_str()
        .map(str::to_owned))
}

/// What both make of a text is the same, or the tool stops where a server goes on without a key.
#[track_caller]
fn compare(text: &str, variables: &[(&'static str, String)], expected: &str) {
    let (server, ours) = (server(variables), ours(variables));
    let agree = match (&server, &ours) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        (Ok(None) | Err(_), Err(_)) => true,
        (Ok(Some(_)), Err(_)) | (Err(_), Ok(_)) => false,
    };
    assert!(agree, "{text:?}: {server:?}, {ours:?}");
    let seen = match &ours {
        Ok(Some(key)) => key,
        Ok(None) => "no key",
        Err(said) => said,
    };
    assert!(seen.contains(expected), "{text:?}: {seen}");
}

#[test]
fn an_environment_file_is_read_as_a_server_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.env");
    let key = format!("MINIO_KMS_SECRET_KEY={KEY}");
    let second = key.replace("my-minio-key", "second");
    let nothing = "MinIO takes nothing from this line";
    for (text, expected) in [
        (
            format!("# comment\r\n\r\n  export\t {key}  \r\n"),
            "my-minio-key",
        ),
        (format!("export{key}"), "my-minio-key"),
        (format!("MINIO_KMS_SECRET_KEY= {KEY}"), "my-minio-key"),
        (format!("MINIO_KMS_SECRET_KEY=\"{KEY}\""), "my-minio-key"),
        (
            format!("MINIO_KMS_SECRET_KEY='{KEY}'\nOTHER="),
            "my-minio-key",
        ),
        (format!("{key}\n{second}"), "second"),
        (
            format!("MINIO_KMS_SECRET_KEY=\"{KEY}'"),
            "MINIO_KMS_SECRET_KEY",
        ),
        (format!("{key} # comment"), "MINIO_KMS_SECRET_KEY"),
        (
            format!("export {key} MINIO_BROWSER=off"),
            "MINIO_KMS_SECRET_KEY",
        ),
        (format!("; comment\n{key}"), "line 1"),
        (
            "MINIO_KMS_SECRET_KEY=$KEY".to_owned(),
            "MINIO_KMS_SECRET_KEY",
        ),
        (format!("MINIO_KMS_SECRET_KEY = {KEY}"), nothing),
        (format!("set {key}"), nothing),
        (format!("declare -x {key}"), nothing),
        (format!("MINIO_KMS_SECRET_KEY: {KEY}"), nothing),
        (key.to_lowercase(), nothing),
        (format!("\u{feff}{key}"), "byte-order mark"),
        ("MINIO_KMS_SECRET_KEY=".to_owned(), "no key"),
    ] {
        fs::write(&file, &text).unwrap();
        let variables = [("MINIO_CONFIG_ENV_FILE", file.to_str().unwrap().to_owned())];
        compare(&text, &variables, expected);
    }
}

#[test]
fn a_variable_is_read_as_a_server_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let hex = format!("my-minio-key:{}", "0a".repeat(32));
    for (text, expected) in [
        (format!("  {KEY}\n"), "my-minio-key"),
        (KEY.replace("my-minio-key", ""), ""),
        (format!("\"{KEY}\""), "MINIO_KMS_SECRET_KEY"),
        (KEY.trim_end_matches('=').to_owned(), "MINIO_KMS_SECRET_KEY"),
        (KEY.replace(':', ": "), "MINIO_KMS_SECRET_KEY"),
        (hex, "MINIO_KMS_SECRET_KEY"),
        (String::new(), "no key"),
        ("  ".to_owned(), "no colon"),
    ] {
        compare(&text, &[("MINIO_KMS_SECRET_KEY", text.clone())], expected);
    }
    for (text, expected) in [
        (format!("{KEY}\n"), "my-minio-key"),
        (String::new(), "no colon"),
    ] {
        fs::write(&file, &text).unwrap();
        let variables = [(
            "MINIO_KMS_SECRET_KEY_FILE",
            file.to_str().unwrap().to_owned(),
        )];
        compare(&text, &variables, expected);
    }
    let gone = [("MINIO_KMS_SECRET_KEY_FILE", "/nonexistent/key".to_owned())];
    compare("a file that is not there", &gone, "does not exist");
}
