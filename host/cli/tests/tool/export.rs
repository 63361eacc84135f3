//! `export`: identities out of stores in any mixture of forms.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::drives::{Drives, keys};
use crate::kit::identities::{
    ACCOUNT, ALICE, ALICES_TOKEN, CAROL, POLICY, archive, mixed, objects,
};
use crate::kit::store::Store;
use crate::kit::{KEY, OTHER_KEY, Tool, tool, with};

fn export(store: &Store) -> Tool {
    tool(with("export", store.root())).key(KEY)
}

fn scratch() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What a server exports of [`objects`].
fn expected() -> Value {
    let time = "2026-11-29T17:48:23.626617068Z";
    let mapping = |policy: &str| json!({"version": 0, "policy": policy, "updatedAt": time});
    json!({
        "policies": {"readers": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/*"]}]}},
        "users": {"alice": {"secretKey": "password-of-alice", "status": "enabled"},
            "dev/carol": {"secretKey": "password-of-carol", "status": "disabled"}},
        "groups": {"team": {"version": 1, "status": "enabled", "members": ["alice"],
            "updatedAt": time}},
        "svcaccts": {"ALICESVC": {"parent": "alice", "accessKey": "ALICESVC",
            "secretKey": "alicesvcsecret1", "groups": null,
            "claims": {"accessKey": "ALICESVC", "parent": "alice", "sa-policy": "inherited-policy"},
            "sessionPolicy": null, "status": "on", "name": "", "description": "",
            "expiration": "1970-01-01T00:00:00Z"}},
        "user_mappings": {"alice": mapping("readers")},
        "group_mappings": {"team": mapping("readers,writeonly")},
        "stsuser_mappings": {"uid=x,dc=org": mapping("readers")},
    })
}

#[test]
fn an_archive_holds_every_identity_whatever_its_form() {
    let store = mixed();
    let ended = export(&store).ok();
    assert_eq!(json!(archive(&ended.stdout)), expected());
    let ended =
        ended.says("the secret keys of 2 users and 1 service account are in it in the open");
    let ended = ended.says("1 temporary credentials are not carried");
    assert!(!ended.stderr.contains("password-of"), "{ended}");
}

#[test]
fn a_file_is_written_whole_and_for_its_owner_alone() {
    let (store, folder) = (mixed(), scratch());
    let file = folder.path().join("iam.zip");
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = export(&store)
        .args(["-o"])
        .args([&file])
        .ok()
        .prints("exported");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(json!(archive(&fs::read(&file).unwrap())), expected());
    assert!(!ended.text().contains("password-of"));
    let lines = export(&store).args(["--json", "-o"]).args([&file]).ok();
    assert!(!lines.text().contains("password-of"));
    assert_eq!(lines.json().len(), 8 + 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // As one has that was killed.
    let left = folder.path().join(".iamseal-export-abc123");
    fs::write(&left, "secrets").unwrap();
    let ended = export(&store).args(["-o"]).args([&file]).ok();
    let ended = ended.says(&format!("if none is under way: rm {}", left.display()));
    assert_eq!(ended.stderr.matches("rm ").count(), 1, "{ended}");
}

#[test]
fn a_file_is_not_written_where_it_does_harm() {
    let (store, folder) = (mixed(), scratch());
    let before = store.seen();
    let inside = store.file("config/iam.zip");
    let to = |file: &Path| export(&store).args(["-o"]).args([file]).run();
    to(&inside)
        .fails(2)
        .says("the archive would be inside the store");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    to(&link).fails(2).says("is not a plain file");
    to(Path::new("/dev/null"))
        .fails(2)
        .says("is not a plain file");
    to(&folder.path().join("none/iam.zip")).exits(13);
    assert_eq!(store.seen(), before);
}

#[test]
fn each_identity_is_a_line_for_a_pipe() {
    let ended = export(&mixed()).args(["--json"]).ok();
    let mut lines = ended.json();
    let summary = lines.pop().unwrap()["summary"].clone();
    assert_eq!(summary["identities"], lines.len());
    let mut found = json!({});
    for line in &lines {
        assert_eq!(line["outcome"], "exported");
        let [kind, name] = ["kind", "name"].map(|field| line[field].as_str().unwrap());
        found[kind][name] = line["entry"].clone();
    }
    assert_eq!(found, expected());
}

#[test]
fn only_what_is_asked_for_is_in_it() {
    let store = mixed();
    let some = export(&store)
        .args(["--only", "users,user-mappings", "--name", "a*"])
        .ok();
    let mut wanted = expected();
    for (kind, entries) in wanted.as_object_mut().unwrap() {
        match kind.as_str() {
            "users" => drop(entries.as_object_mut().unwrap().remove("dev/carol")),
            "user_mappings" => {}
            _ => *entries = json!({}),
        }
    }
    assert_eq!(json!(archive(&some.stdout)), wanted);
    let none = export(&store).args(["--name", "nobody"]).ok();
    let none = none.says("there is no identity to export");
    assert_eq!(archive(&none.stdout).len(), 7);
    export(&store).args(["--only", "secrets"]).run().exits(2);
}

#[test]
fn what_does_not_open_is_named_and_the_others_are_carried() {
    let store = mixed();
    let sealed = tool(with("seal --path", POLICY))
        .key(OTHER_KEY)
        .input("{}")
        .ok();
    store.put(POLICY, sealed.stdout);
    store.put(CAROL, r#"{"version":1,"secretKey":"misplaced"}"#);
    store.put("config/iam/users/old/policy.json", r#""readers""#);
    let ended = export(&store).run().exits(3);
    let ended = ended
        .says(POLICY)
        .says(CAROL)
        .says("it opens, but does not hold a user");
    let ended = ended
        .says("config/iam/users/old/policy.json")
        .says("has no place for");
    assert!(!ended.stderr.contains("misplaced"), "{ended}");
    let mut wanted = expected();
    wanted["policies"] = json!({});
    wanted["users"].as_object_mut().unwrap().remove("dev/carol");
    assert_eq!(json!(archive(&ended.stdout)), wanted);

    let lines = export(&store).args(["--json"]).run().exits(3).json();
    let of = |path: &str| lines.iter().find(|line| line["path"] == path).unwrap();
    assert_eq!(of(POLICY)["error"]["cause"], "key-not-found");
    assert_eq!(of(CAROL)["error"]["cause"], "not-loadable");
    assert_eq!(
        of("config/iam/users/old/policy.json")["outcome"],
        "left-out"
    );
    let required = export(&mixed()).args(["--require", "sealed"]).run();
    required.exits(18);
}

#[test]
fn what_no_credential_opens_is_not_tried_with_all_of_them_without_end() {
    let store = mixed();
    let mut garbage = vec![0xa5; 57];
    // A kind that is cheap to try.
    garbage[32] = 2;
    for number in 0..12 {
        store.put(
            format!("config/iam/users/a{number:02}/identity.json"),
            &garbage,
        );
    }
    let credentials = "a:password-a\nb:password-b\nc:password-c\n";
    let export = || export(&store).file("--root-credentials", credentials);
    let ended = export().run().exits(3).says("credential-untried");
    let untried = ended.stderr.matches("1 of 3 were tried").count();
    assert_eq!(untried, 4, "{ended}");
    // What the cure says.
    let ended = export().args(["--try-all-credentials"]).run().exits(8);
    assert!(!ended.stderr.contains("credential-untried"), "{ended}");
}

#[test]
fn an_archive_is_not_replaced_by_one_that_lacks_what_could_not_be_read() {
    let folder = scratch();
    let file = folder.path().join("iam.zip");
    let (all, sealed) = (mixed(), sealed_users());
    let export = |key| {
        let export = tool(with("export", all.root())).key(key);
        export.args(["-o".as_ref(), file.as_os_str()]).run()
    };
    // With nothing in it it is not made.
    let nothing = tool(with("export --only users", sealed.root())).key(OTHER_KEY);
    let nothing = nothing.args(["-o".as_ref(), file.as_os_str()]).run();
    nothing
        .exits(4)
        .says("none of the identities could be read");
    assert!(!file.exists());
    export(KEY).exits(0);
    let first = fs::read(&file).unwrap();
    export(OTHER_KEY).exits(4).says("is left as it was");
    assert_eq!(fs::read(&file).unwrap(), first);
}

/// A store of one user, sealed.
fn sealed_users() -> Store {
    let seal = tool(with("seal --path", ALICE)).key(KEY);
    let sealed = seal.input(USER).ok().stdout;
    Store::of([(ALICE, sealed)])
}

const USER: &[u8] =
    br#"{"version":1,"credentials":{"accessKey":"alice","secretKey":"alicesecret","status":"on"}}"#;

#[test]
fn claims_that_nobody_vouches_for_are_not_carried() {
    let (_, mut account) = objects()
        .into_iter()
        .find(|(path, _)| *path == ACCOUNT)
        .unwrap();
    // Signed with the account's own secret, which then became another: so it is with a root's password.
    account["credentials"]["secretKey"] = json!("new-secret-1");
    let store = Store::of([(ACCOUNT, account.to_string())]);
    let ended = export(&store).run().exits(8);
    let ended = ended.says("its claims are bound to a root credential that was not given");
    assert!(!ended.stderr.contains(ALICES_TOKEN), "{ended}");
    assert_eq!(archive(&ended.stdout)["svcaccts"], json!({}));
    let with_root = export(&store)
        .file("--root-credentials", "root:alicesvcsecret1")
        .ok();
    let carried = &archive(&with_root.stdout)["svcaccts"]["ALICESVC"];
    assert_eq!(carried["secretKey"], "new-secret-1");
    assert_eq!(carried["claims"]["parent"], "alice");
    // Its parent is not in this store.
    with_root
        .says("1 parent of service accounts not among this store's users")
        .says("alice");
}

#[test]
fn drives_are_exported_without_their_server() {
    let drives = Drives::of("four-sealed.tar.gz");
    let ended = tool(["export", &drives.store()])
        .file("--keys", &keys())
        .ok();
    let archive = archive(&ended.stdout);
    let arguments = ["cat", &drives.store(), ALICE];
    let alice = tool(arguments).file("--keys", &keys()).ok();
    let alice: Value = serde_json::from_slice(&alice.stdout).unwrap();
    let secret = &alice["credentials"]["secretKey"];
    assert_eq!(&archive["users"]["alice"]["secretKey"], secret);
    assert!(secret.as_str().is_some_and(|secret| !secret.is_empty()));
}
