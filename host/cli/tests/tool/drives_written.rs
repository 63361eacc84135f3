//! Stores on MinIO's drives that are migrated, undone and swept.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use iamseal::contract::Policy;
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::storage::{DriveStore, Storage};
use iamseal::{Auditor, CompileCache, Plugin};

use crate::kit::disk::mounted;
use crate::kit::drives::{Deployment, Drives, all_keys, keys};
use crate::kit::{OTHER_KEY, Tool, run_name, tool};

const ALICE: &str = "config/iam/users/alice/identity.json";
/// Read and never written.
const EXEMPT: &str = "config/tier-config.bin";

/// One of each kind of deployment: one drive, one set, two sets, two pools, an object in both pools, shards beside
/// `xl.meta`, a server of 2022.
const ARCHIVES: [&str; 7] = [
    "single-sealed.tar.gz",
    "four-sealed.tar.gz",
    "eight-two-sets.tar.gz",
    "two-pools.tar.gz",
    "pools-sealed.tar.gz",
    "noninline.tar.gz",
    "old-four-plain.tar.gz",
];

impl Deployment {
    fn migrate(&self, arguments: &[&str]) -> Tool {
        self.run("migrate", arguments)
    }

    fn undo(&self, run: &str) -> Tool {
        self.run("undo", &[run])
    }

    /// The objects as they are stored, and what they hold.
    async fn objects(&self, auditor: &Auditor) -> BTreeMap<String, (Vec<u8>, Vec<u8>)> {
        let count = self.drives.names.len();
        let folders: Vec<PathBuf> = (1..=count).map(|drive| self.drives.drive(drive)).collect();
        let component = iamseal_component::DRIVE_STORE;
        let opened = DriveStore::open(component, folders, CompileCache::Off).await;
        let store = opened.unwrap();
        let mut objects = BTreeMap::new();
        let mut listing = store.list(b"config/", None).await.unwrap();
        loop {
            let page = listing.next().await.unwrap();
            if page.is_empty() {
                return objects;
            }
            for path in page {
                let stored = store.read(&path).await.unwrap().bytes;
                let path = String::from_utf8(path).unwrap();
                let opened = match path == EXEMPT {
                    true => Vec::new(),
                    false => {
                        let policy = Policy::Compatible;
                        let opened = auditor.unseal(path.as_bytes(), &stored, policy).await;
                        opened.unwrap().plaintext.to_vec()
                    }
                };
                objects.insert(path, (stored, opened));
            }
        }
    }

    /// What lies on the drives that is none of a server's.
    fn left(&self) -> Vec<PathBuf> {
        let all = self.drives.all().into_keys();
        all.filter(|path| path.to_string_lossy().contains(".iamseal-"))
            .collect()
    }
}

async fn auditor() -> Auditor {
    let mut keyring = StaticKeyring::new();
    for line in all_keys().lines() {
        keyring = keyring.key(StaticKey::parse(line).unwrap());
    }
    let builder = Plugin::builder().component(iamseal_component::AUDITOR);
    builder
        .keyring(Arc::new(keyring))
        .load_auditor()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_deployment_goes_to_another_key_to_plaintext_and_back() {
    let auditor = auditor().await;
    for archive in ARCHIVES {
        let deployment = Deployment::of(archive);
        let count = deployment.drives.names.len();
        let meta = |drive| deployment.drives.file(drive, &format!("{ALICE}/xl.meta"));
        let has_alice = |drive: &usize| meta(*drive).exists();
        let with_alice: Vec<usize> = (1..=count).filter(has_alice).collect();
        for drive in &with_alice {
            fs::set_permissions(meta(*drive), Permissions::from_mode(0o640)).unwrap();
        }
        let before = deployment.objects(&auditor).await;
        let held = |objects: &BTreeMap<String, (Vec<u8>, Vec<u8>)>| -> BTreeMap<String, Vec<u8>> {
            let held = objects.iter();
            held.map(|(path, (_, held))| (path.clone(), held.clone()))
                .collect()
        };

        let sealed = deployment
            .migrate(&["--to", "kms", "--key", "other-key"])
            .ok();
        let now = deployment.objects(&auditor).await;
        assert_eq!(held(&now), held(&before), "{archive}");
        assert_eq!(now.get(EXEMPT), before.get(EXEMPT), "{archive}");
        for (path, finding) in deployment.audit() {
            let is_new = finding["key"] == "other-key" || path == EXEMPT;
            assert!(is_new, "{archive}: {finding}");
        }
        tool(["audit", &deployment.drives.store(), "--require", "current"])
            .key(OTHER_KEY)
            .ok();
        for drive in &with_alice {
            assert_eq!(fs::metadata(meta(*drive)).unwrap().mode() & 0o7777, 0o640);
        }

        let plain = deployment.migrate(&["--to", "plaintext"]).ok();
        let now = deployment.objects(&auditor).await;
        for (path, (stored, held)) in &now {
            assert!(stored == held || path == EXEMPT, "{archive}: {path}");
        }
        assert_eq!(held(&now), held(&before), "{archive}");

        deployment.undo(&run_name(&plain)).ok();
        deployment.undo(&run_name(&sealed)).ok();
        assert!(deployment.objects(&auditor).await == before, "{archive}");
        assert!(deployment.left().is_empty(), "{archive}");
    }
}

#[test]
fn with_a_drive_missing_or_being_healed_nothing_is_written_and_all_the_same_it_says_what_would_be()
{
    let damages: [fn(&Drives); 2] = [
        |drives| fs::remove_dir_all(drives.drive(3)).unwrap(),
        |drives| {
            fs::create_dir_all(drives.file(2, "buckets")).unwrap();
            fs::write(drives.file(2, "buckets/.healing.bin"), b"x").unwrap();
        },
    ];
    for damage in damages {
        let deployment = Deployment::of("four-sealed.tar.gz");
        damage(&deployment.drives);
        let before = deployment.drives.all();
        deployment
            .migrate(&["--to", "plaintext"])
            .run()
            .exits(12)
            .says("drives are written to only where all of them are there")
            .says("give all drives of the server");
        deployment.migrate(&["--to", "plaintext", "--dry-run"]).ok();
        assert_eq!(deployment.drives.all(), before);
    }
    let deployment = Deployment::of("four-sealed.tar.gz");
    let one = deployment.drives.drive(1);
    tool([
        "migrate",
        one.to_str().unwrap(),
        "--to",
        "plaintext",
        "--server-is-stopped",
    ])
    .file("--keys", &keys())
    .run()
    .fails(12)
    .says("numbers 2, 3 and 4 are missing");
}

#[test]
fn while_something_writes_as_a_server_does_nothing_is_written() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let tmp = deployment.drives.file(3, "tmp");
    fs::create_dir_all(&tmp).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let beat = {
        let is_over = Arc::clone(&is_over);
        // As a server does, only more often.
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                fs::write(tmp.join("beat"), [0; 2049]).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let ended = tool(["migrate", &deployment.drives.store(), "--to", "plaintext"])
        .file("--keys", &keys())
        .run();
    is_over.store(true, Ordering::Relaxed);
    beat.join().unwrap();
    ended
        .fails(12)
        .says("a server runs on these drives")
        .says(" cure: stop every server of the deployment");
    assert_eq!(deployment.audit()[ALICE]["key"], "fixture-key-a");
}

#[test]
fn of_two_who_write_the_second_is_told() {
    let deployment = Deployment::of("single-sealed.tar.gz");
    let theirs = File::open(deployment.drives.file(1, "")).unwrap();
    theirs.lock().unwrap();
    deployment
        .migrate(&["--to", "plaintext"])
        .run()
        .exits(13)
        .says("another process has it open to write");
    // Who reads is not kept out.
    deployment.audit();
}

#[test]
fn a_journal_on_a_drive_is_refused() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let inside = deployment.drives.drive(4).join("journals");
    tool([
        "migrate",
        &deployment.drives.store(),
        "--to",
        "plaintext",
        "--server-is-stopped",
    ])
    .args(["--journal".as_ref(), inside.as_path()])
    .file("--keys", &keys())
    .run()
    .fails(2)
    .says("is inside the store");
}

#[test]
fn what_a_killed_run_left_is_named_and_swept() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let store = deployment.drives.store();
    let draft = "tmp/.iamseal-0123456789abcdef.tmp";
    for drive in 2..=3 {
        fs::create_dir_all(deployment.drives.file(drive, "tmp")).unwrap();
        fs::write(deployment.drives.file(drive, draft), b"plaintext").unwrap();
    }
    let audit = || tool(["audit", &store, "--require", "sealed"]).file("--keys", &keys());
    audit().run().exits(27).prints(draft);
    tool(["sweep", &store, "--dry-run", "--json"])
        .ok()
        .prints("would-remove");
    assert_eq!(deployment.left().len(), 2);
    tool(["sweep", &store, "--json", "--server-is-stopped"])
        .ok()
        .prints(draft);
    assert_eq!(deployment.left().len(), 0);
    audit().ok();
}

#[test]
fn what_a_killed_write_left_beside_an_object_is_found_and_removed() {
    let deployment = Deployment::of("noninline-single-sealed.tar.gz");
    let left = "config/iam/policies/large/policy.json/0f8fad5b-d9cb-469f-a165-70867728950e";
    let part = deployment.drives.file(1, left).join("part.1");
    fs::create_dir(part.parent().unwrap()).unwrap();
    fs::write(&part, b"{}").unwrap();
    let before = deployment.drives.all().len();
    let store = deployment.drives.store();
    let audit = || {
        tool(["audit", "--require", "sealed", &store])
            .file("--keys", &all_keys())
            .run()
    };
    audit()
        .exits(27)
        .says("has left beside objects")
        .prints(left);
    tool(["sweep", &store, "--dry-run", "--json"])
        .ok()
        .prints(left);
    assert!(part.exists());
    tool(["sweep", &store, "--json", "--server-is-stopped"])
        .ok()
        .prints(left);
    assert_eq!(deployment.drives.all().len(), before - 2);
    audit().exits(0);

    // So does the next run.
    fs::create_dir(part.parent().unwrap()).unwrap();
    fs::write(&part, b"{}").unwrap();
    deployment
        .migrate(&["--to", "kms", "--key", "other-key"])
        .ok();
    assert!(!part.parent().unwrap().exists());
}

/// After three drives have the new version the fourth fails: the object has failed, and it is the new one.
#[test]
fn what_failed_and_is_changed_all_the_same_is_told_and_taken_back() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let before = deployment.audit();
    let folder = deployment.drives.file(4, ALICE);
    let read_only = "mount --bind $it $it && mount -o remount,bind,ro $it";
    let file = deployment.journals.path().join("keys");
    fs::write(&file, all_keys()).unwrap();
    let store = deployment.drives.store();
    let migrate = tool(["migrate", &store, "--server-is-stopped", "--json"])
        .args(["--to", "kms", "--prefix", ALICE, "--keys"])
        .args([
            file.as_os_str(),
            "--journal".as_ref(),
            deployment.journals.path().as_os_str(),
        ])
        .key(OTHER_KEY);
    let Some(ended) = mounted(read_only, &[("it", &folder)], migrate) else {
        return;
    };
    let ended = ended.exits(13);
    assert!(
        ended
            .stderr
            .contains("1 object failed and changed all the same"),
        "{ended}"
    );
    assert!(!ended.stderr.contains("somebody else"), "{ended}");
    let summary = ended.json().pop().unwrap();
    assert_eq!(summary["summary"]["run"]["differ"], 0, "{ended}");
    assert_eq!(deployment.audit()[ALICE]["key"], "other-key");

    deployment.undo(&run_name(&ended)).ok();
    assert_eq!(deployment.audit()[ALICE]["key"], before[ALICE]["key"]);
}

#[test]
fn a_drive_that_is_not_there_is_not_swept() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let draft = "tmp/.iamseal-0123456789abcdef.tmp";
    for drive in [1, 4] {
        fs::create_dir_all(deployment.drives.file(drive, "tmp")).unwrap();
        fs::write(deployment.drives.file(drive, draft), b"plaintext").unwrap();
    }
    let three = deployment.drives.some(1..=3);
    tool(["sweep", &three, "--server-is-stopped"])
        .run()
        .exits(13)
        .says("not all drives were swept");
    assert_eq!(deployment.left().len(), 1);
    tool(["sweep", &deployment.drives.store(), "--server-is-stopped"]).ok();
    assert_eq!(deployment.left().len(), 0);
}

#[test]
fn other_names_and_open_modes_are_told() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let file = |drive| deployment.drives.file(drive, &format!("{ALICE}/xl.meta"));
    fs::hard_link(file(3), deployment.journals.path().join("name")).unwrap();
    fs::set_permissions(file(2), Permissions::from_mode(0o644)).unwrap();
    tool(["audit", &deployment.drives.store()])
        .run()
        .says("1 object with another name");
    for target in [
        &["--to", "kms", "--key", "other-key"][..],
        &["--to", "plaintext"],
    ] {
        let mut arguments = target.to_vec();
        arguments.push("--dry-run");
        let ended = deployment.migrate(&arguments).ok();
        let ended = ended.says("1 object with another name");
        let is_told = ended.stderr.contains("others than the owner can read");
        assert_eq!(is_told, target.contains(&"plaintext"), "{ended}");
    }
}

#[test]
fn runs_that_are_killed_leave_every_object_as_it_was_or_as_it_was_to_be() {
    let deployment = Deployment::of("four-sealed.tar.gz");
    let objects = deployment.audit().len();
    let targets = [
        &["--to", "kms", "--key", "other-key"][..],
        &["--to", "plaintext"],
        &["--to", "kms", "--key", "fixture-key-a", "--form", "compact"],
    ];
    let mut hits = 0;
    for kill in 0..9_u32 {
        let target = targets[kill as usize % targets.len()];
        let mut running = deployment.migrate(target).spawn();
        // From its start to about its end.
        thread::sleep(Duration::from_millis(u64::from(60 * (kill + 1))));
        running.kill();
        hits += usize::from(running.wait().code.is_none());
        let found = deployment.audit();
        assert_eq!(found.len(), objects);
        assert!(found.values().all(|finding| finding["verdict"] != "fails"));
        deployment.migrate(target).ok();
        assert!(deployment.left().is_empty());
        assert_eq!(deployment.audit().len(), objects);
    }
    assert!(hits > 0, "no kill hit a run under way");
}
