//! Every target takes every input that it begins with, and every one that was once a finding.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Stdio};

const TARGETS: [(&str, &str); 13] = [
    ("audit", env!("CARGO_BIN_EXE_audit")),
    ("inspect", env!("CARGO_BIN_EXE_inspect")),
    ("migrate", env!("CARGO_BIN_EXE_migrate")),
    ("session", env!("CARGO_BIN_EXE_session")),
    ("unseal", env!("CARGO_BIN_EXE_unseal")),
    ("core_compact", env!("CARGO_BIN_EXE_core_compact")),
    ("core_data_key", env!("CARGO_BIN_EXE_core_data_key")),
    ("core_form", env!("CARGO_BIN_EXE_core_form")),
    ("core_json", env!("CARGO_BIN_EXE_core_json")),
    ("core_stream", env!("CARGO_BIN_EXE_core_stream")),
    ("drives_format", env!("CARGO_BIN_EXE_drives_format")),
    ("drives_meta", env!("CARGO_BIN_EXE_drives_meta")),
    ("drives_set", env!("CARGO_BIN_EXE_drives_set")),
];

#[test]
fn seeds_and_former_findings_pass() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_seeds"))
        .arg(folder.path())
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    for (target, program) in TARGETS {
        let seeds = folder.path().join(target);
        let count = seeds.read_dir().unwrap().count();
        assert!(count > 20, "{target} has {count} seeds");
        let former = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("regressions")
            .join(target);
        // No search: libFuzzer runs what is in the folders and ends.
        let run = Command::new(program)
            .args(["-runs=0", "-timeout=60"])
            .arg(format!("-artifact_prefix={}/", folder.path().display()))
            .arg(seeds)
            .args(former.is_dir().then_some(former))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{target}: {said}");
    }
}
