//! Where journals may be: outside the store whatever way leads there, where nobody else can write, and on
//! another disk than the one that is full.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::kit::disk::{mounted, not_tested};
use crate::kit::migration::{outcomes, plain};
use crate::kit::store::Store;
use crate::kit::{KEY, Tool, run_name, tool, with};

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn migrate(store: &Store, journals: &Path) -> Tool {
    let migrate = tool(with("migrate --json --to kms", store.root())).key(KEY);
    migrate.args(["--journal".as_ref(), journals.as_os_str()])
}

fn undo(store: &Store, run: &str, options: &[(&str, &Path)]) -> Tool {
    let undo = tool(with("undo --json", store.root())).key(KEY).args([run]);
    options.iter().fold(undo, |undo, (option, path)| {
        undo.args([option.as_ref(), path.as_os_str()])
    })
}

#[test]
fn a_journal_inside_the_store_is_refused_whatever_way_leads_there() {
    for below in ["", "config", "config/iam"] {
        let (store, elsewhere) = (plain(), folder());
        let seen = store.seen();
        let journals = elsewhere.path().join("journals");
        let inside = store.root().join(below);
        let paths = [("inside", &*inside), ("elsewhere", elsewhere.path())];
        let mount = "mount --bind $inside $elsewhere";
        let Some(ended) = mounted(mount, &paths, migrate(&store, &journals)) else {
            return;
        };
        assert_eq!(ended.code, Some(2), "{below}: {ended}");
        assert!(ended.stderr.contains("is inside the store"), "{ended}");
        assert_eq!(store.seen(), seen);

        // And where the store is given by the way of the mount.
        let inside = store.root().join("config/journals");
        let mounted_store = tool(with("migrate --json --to kms", elsewhere.path()));
        let migrate = mounted_store.key(KEY);
        let migrate = migrate.args(["--journal".as_ref(), inside.as_os_str()]);
        let paths = [("inside", store.root()), ("elsewhere", elsewhere.path())];
        let ended = mounted(mount, &paths, migrate).unwrap();
        assert_eq!(ended.code, Some(2), "{ended}");
        assert_eq!(store.seen(), seen);
    }
}

#[test]
fn a_journal_in_a_layer_of_the_store_is_refused() {
    let overlay = "mount -t overlay x -o";
    // As they are mostly named; from where the mount was made; with a colon; an overlay on another.
    let simple = format!(
        "{overlay} lowerdir=$lower,upperdir=$layers/upper,workdir=$layers/work $layers/merged || exit 0"
    );
    let relative = format!(
        "cd $layers; {overlay} lowerdir=$lower,upperdir=upper,workdir=work $layers/merged || exit 0"
    );
    let colon = format!(
        "{overlay} lowerdir=$lower:$layers/a\\\\:b,upperdir=$layers/upper,workdir=$layers/work \
         $layers/merged || exit 0"
    );
    let nested = format!(
        "{overlay} lowerdir=$lower,upperdir=$layers/upper,workdir=$layers/work $layers/between || exit 0; \
         {overlay} lowerdir=$layers/between,upperdir=$layers/second,workdir=$layers/work2 $layers/merged \
         || exit 0"
    );
    for (mount, journals) in [
        (&simple, "upper/config/journals"),
        (&relative, "upper/config/journals"),
        (&colon, "a:b/journals"),
        (&nested, "upper/config/journals"),
        (&nested, "second/journals"),
    ] {
        let (lower, layers) = (plain(), folder());
        let made = "upper/config work second work2 between merged a:b";
        for name in made.split(' ') {
            fs::create_dir_all(layers.path().join(name)).unwrap();
        }
        let [merged, journals] = ["merged", journals].map(|name| layers.path().join(name));
        let in_layer = tool(with("migrate --json --to kms", &merged)).key(KEY);
        let migrate = in_layer.args(["--journal".as_ref(), journals.as_os_str()]);
        let paths = [("lower", lower.root()), ("layers", layers.path())];
        let Some(ended) = mounted(mount, &paths, migrate) else {
            return;
        };
        // An overlay cannot have layers on every file system.
        if ended.code == Some(0) && ended.stdout.is_empty() {
            return not_tested("layers of an overlay, which this file system cannot be");
        }
        assert_eq!(ended.code, Some(2), "{mount}: {ended}");
        assert!(ended.stderr.contains("is inside the store"), "{ended}");
        assert_eq!(fs::read_dir(&journals).unwrap().count(), 0, "{mount}");
    }
}

#[test]
fn where_mounts_cannot_be_told_no_journal_is_begun() {
    let (store, elsewhere) = (plain(), folder());
    let seen = store.seen();
    let paths = [("elsewhere", elsewhere.path())];
    let mount = "mount -t tmpfs none /proc";
    let Some(ended) = mounted(mount, &paths, migrate(&store, elsewhere.path())) else {
        return;
    };
    assert_ne!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("/proc/self/mountinfo"), "{ended}");
    assert_eq!(store.seen(), seen);
}

#[test]
fn a_folder_beside_the_store_on_the_same_disk_is_taken() {
    let (store, beside, elsewhere) = (plain(), folder(), folder());
    let paths = [("beside", beside.path()), ("elsewhere", elsewhere.path())];
    let mount = "mount --bind $beside $elsewhere";
    let Some(ended) = mounted(mount, &paths, migrate(&store, elsewhere.path())) else {
        return;
    };
    assert_eq!(ended.code, Some(0), "{ended}");
    undo(&store, &run_name(&ended), &[("--journal", beside.path())]).ok();
    assert_eq!(store.bytes(), plain().bytes());
}

#[test]
fn a_folder_or_journal_that_others_can_write_to_is_refused() {
    let (store, journals) = (plain(), folder());
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let run = run_name(&migrate(&store, journals.path()).ok());
    let seen = store.seen();
    let journal = journals.path().join(format!("{run}.journal"));
    for (path, mode) in [
        (journals.path(), 0o770),
        (journals.path(), 0o707),
        (&journal, 0o660),
    ] {
        let good = fs::metadata(path).unwrap().permissions();
        set(path, mode);
        let back = || undo(&store, &run, &[("--journal", journals.path())]);
        let ended = back().run().exits(2);
        assert!(ended.stderr.contains("others can change"), "{ended}");
        assert!(ended.stderr.contains("chmod go-w"), "{ended}");
        let from = [("--from", journals.path())];
        undo(&store, &run, &from).run().exits(2);
        if path == journals.path() {
            migrate(&store, path).run().exits(2);
            migrate(&store, &path.join("below")).run().exits(2);
            assert!(!path.join("below").exists());
        }
        assert_eq!(store.seen(), seen);
        fs::set_permissions(path, good).unwrap();
    }
    undo(&store, &run, &[("--journal", journals.path())]).ok();
}

/// A small disk with these journals, full but for so much.
fn full(but_for: &str) -> String {
    format!(
        "mount -t tmpfs -o size=1M,mode=700 tmpfs $disk
         cp -a $journals/. $disk
         head -c 4M /dev/zero > $disk/filler 2> $scratch/full || truncate -s -{but_for} $disk/filler"
    )
}

#[test]
fn with_the_disk_of_the_journals_full_a_run_is_taken_back_all_the_same() {
    let (store, journals) = (plain(), folder());
    let before = store.bytes();
    let run = run_name(&migrate(&store, journals.path()).ok());
    let sealed = store.bytes();
    let (disk, scratch, other) = (folder(), folder(), folder());
    let paths = [
        ("disk", disk.path()),
        ("journals", journals.path()),
        ("scratch", scratch.path()),
    ];
    // There is no room to begin.
    let here = [("--journal", disk.path())];
    let Some(ended) = mounted(&full("0"), &paths, undo(&store, &run, &here)) else {
        return;
    };
    assert_eq!(ended.code, Some(13), "{ended}");
    assert!(ended.stderr.contains("--from"), "{ended}");
    assert!(store.bytes() == sealed);
    // There is room to begin and no more.
    let ended = mounted(&full("4K"), &paths, undo(&store, &run, &here)).unwrap();
    assert_eq!(ended.code, Some(13), "{ended}");
    assert_eq!(outcomes(&ended), [("failed".to_owned(), 7)].into());
    let cure = ended.json()[0]["error"]["cure"].to_string();
    assert!(cure.contains("--from"), "{cure}");
    assert!(store.bytes() == sealed);

    let elsewhere = [("--from", disk.path()), ("--journal", other.path())];
    let ended = mounted(&full("0"), &paths, undo(&store, &run, &elsewhere)).unwrap();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(store.bytes() == before);
    // The undo has its journal there, and is taken back by it.
    undo(&store, &run_name(&ended), &[("--journal", other.path())]).ok();
    assert!(store.bytes() == sealed);
}

#[test]
fn a_folder_to_read_from_is_not_made() {
    let (store, journals) = (plain(), folder());
    let nothing = journals.path().join("nothing");
    let from = [("--from", &*nothing)];
    let ended = undo(&store, "20260101T000000Z", &from).run().exits(13);
    assert!(ended.stderr.contains("nothing"), "{ended}");
    assert!(!nothing.exists());
}
