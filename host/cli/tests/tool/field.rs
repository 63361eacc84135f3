//! What people in trouble with their data had (`tests/field`), and what they are told.

mod variations;

use std::path::Path;
use std::process::Command;

use crate::kit::Ended;
use crate::kit::identities::archive;

/// Runs a case's command, in a copy of its folder.
#[track_caller]
fn case(name: &str) -> Ended {
    run(name, "source ./cmd")
}

/// Runs these commands instead, in which `$IAMSEAL` is the tool.
#[track_caller]
fn run(name: &str, commands: &str) -> Ended {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/field");
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .args([&folder.join(name), scratch.path()])
        .status();
    assert!(copied.unwrap().success());
    let ran = Command::new("bash")
        .args(["-c", commands])
        .current_dir(scratch.path().join(name))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", scratch.path())
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        )
        .env("IAMSEAL", env!("CARGO_BIN_EXE_iamseal"))
        .output()
        .unwrap();
    Ended {
        code: ran.status.code(),
        stdout: ran.stdout,
        stderr: String::from_utf8(ran.stderr).unwrap(),
    }
}

/// How many lines begin like this.
fn lines(ended: &Ended, begin: &str) -> usize {
    let lines = ended.text().lines();
    lines.filter(|line| line.starts_with(begin)).count()
}

#[test]
fn a_tab_after_export() {
    let ended = case("config-env-tab").exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn the_official_images_environment() {
    let ended = case("docker-env").exits(0).says(
        "MINIO_CONFIG_ENV_FILE and MINIO_KMS_SECRET_KEY_FILE: as the container image sets it",
    );
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn a_key_that_was_made_anew_under_its_name() {
    let ended = case("kes-recreated").exits(30);
    assert_eq!(lines(&ended, "opens  "), 3, "{ended}");
    assert_eq!(lines(&ended, "fails          earlier-key"), 4, "{ended}");
    ended.prints("if its bytes are lost");
}

#[test]
fn a_line_of_an_environment_file_among_keys() {
    case("key-envline")
        .fails(2)
        .says("keys, line 1: it is NAME=VALUE")
        .says("write the value alone, NAME:BASE64, without the variable");
}

#[test]
fn a_key_that_tiers_may_need() {
    let ended = case("tier-config").exits(0);
    let summary = ended.json().pop().unwrap();
    let keys = summary["summary"]["keys"].as_array().unwrap();
    let old = keys
        .iter()
        .find(|key| key["key"] == "my-minio-key")
        .unwrap();
    assert!(old["needed"].is_null(), "{old}");
}

#[test]
fn objects_that_a_rustfs_sealed() {
    let ended = case("rustfs-form").exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn a_drive_in_the_place_of_a_folder() {
    let ended = case("xl-drive").exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn a_configuration_that_nothing_could_edit() {
    let ended = case("config-etcd").exits(0);
    ended
        .says("iamseal undo store")
        .prints(r#""region":{"_":[{"key":"name","value":"eu-north-1"}]}"#)
        .prints(r#""endpoints","value":"""#);
}

#[test]
fn objects_that_are_not_json() {
    let ended = case("bad-json").exits(31);
    assert_eq!(lines(&ended, "fails          not-loadable"), 2, "{ended}");
    assert_eq!(lines(&ended, "opens  "), 5, "{ended}");
    ended
        .prints("config/iam/format.json")
        .prints("config/config.json");
}

#[test]
fn objects_that_a_full_disk_cut() {
    let ended = case("cut-format").exits(3);
    assert_eq!(lines(&ended, "fails          malformed"), 1, "{ended}");
    assert_eq!(lines(&ended, "fails          not-loadable"), 1, "{ended}");
    ended
        .prints("config/iam/format.json")
        .prints("config/iam/users/bob/identity.json")
        .prints("the object is empty")
        .prints("no string where one is wanted at byte 40");
}

#[test]
fn a_service_account_that_an_earlier_root_secret_signed() {
    let ended = case("signature").exits(0);
    ended
        .prints("warning: its session token is signed with an earlier secret of the root credential rootadmin")
        .prints("signed tokens");
}

#[test]
fn identities_of_a_server_that_does_not_start_any_more() {
    let ended = case("iam-export").exits(0);
    let ours = archive(&ended.stdout);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/field");
    let theirs = std::fs::read(folder.join("iam-export/exported-by-minio.zip"));
    let theirs = archive(&theirs.unwrap());
    assert!(ours.keys().eq(theirs.keys()));
    // Both have alice, her policy and her group; each has something besides.
    for (file, name, fields) in [
        ("policies", "dataread", &["Version"][..]),
        ("users", "alice", &["secretKey", "status"]),
        ("groups", "team", &["version", "status"]),
        ("user_mappings", "alice", &["policy"]),
    ] {
        let [ours, theirs] = [&ours, &theirs].map(|archive| &archive[file][name]);
        for field in fields {
            assert_eq!(ours[field], theirs[field], "{file}: {name}: {field}");
            assert!(!ours[field].is_null(), "{file}: {name}: {field}");
        }
        let fields = |entry: &serde_json::Value| {
            let fields = entry.as_object().unwrap();
            fields.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(fields(ours), fields(theirs), "{file}: {name}");
    }
}
