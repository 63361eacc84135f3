//! What a component that means harm can reach of a store: what the caller named and the store itself has
//! listed, as it was read. Anything else that it asks for would stand in the log of the store, and with
//! it whatever the component was lent.

use std::sync::Arc;

use iamseal::{AuditScope, MigrationPlan};

use iamseal_tests::hostile::{Asked, Guest};

/// A store that holds these paths.
fn holding(paths: &[&str]) -> Arc<Asked> {
    Arc::new(Asked {
        holds: paths.iter().map(|path| path.as_bytes().to_vec()).collect(),
        ..Asked::default()
    })
}

/// A component with texts at these addresses, all below 4096, that does this in a step of an audit or of
/// a migration.
fn guest(texts: &[(u32, &str)], step: &str) -> Guest {
    let texts: String = texts
        .iter()
        .map(|(at, text)| format!(r#"(data (i32.const {at}) "{text}")"#))
        .collect();
    let step: &str = format!("{step} (call $ok (i32.const 0) (i32.const 0))").leak();
    Guest {
        imports: format!(
            "{}{}{}{}",
            iamseal_tests::hostile::IMPORT_LIST,
            iamseal_tests::hostile::IMPORT_NEXT,
            iamseal_tests::hostile::IMPORT_READ,
            iamseal_tests::hostile::IMPORT_STAGE
        )
        .leak(),
        items: texts.leak(),
        audit_next: step,
        run_next: step,
        ..Guest::default()
    }
}

/// Lists `config/`, which stands at 200, and takes the first page.
const LIST: &str = "
    (call $list (i32.const 200) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))
    (if (i32.eqz (i32.load8_u (i32.const 16)))
        (then (call $next (i32.load (i32.const 24)) (i32.const 64))))";

/// Reads the path of this size at this address.
fn read(at: u32, size: usize) -> String {
    format!("(call $read (i32.const {at}) (i32.const {size}) (i32.const 112))")
}

/// Lets a component do something in an audit below `config/`.
async fn audit(guest: Guest, asked: &Arc<Asked>, prefix: &str, start_after: Option<&str>) {
    let plugin = guest.plugin().storage(asked.clone()).load().await.unwrap();
    let scope = AuditScope {
        prefix: prefix.into(),
        start_after: start_after.map(Into::into),
        ..AuditScope::default()
    };
    let mut audit = plugin.audit(&scope).await.unwrap();
    assert!(audit.next(1).await.unwrap().is_empty());
}

/// The same in a migration.
async fn migrate(guest: Guest, asked: &Arc<Asked>, prefix: &str, dry_run: bool) {
    let builder = guest.plugin().storage(asked.clone());
    let plugin = builder.storage_writer(asked.clone()).load().await.unwrap();
    let plan = MigrationPlan {
        prefix: prefix.into(),
        dry_run,
        ..MigrationPlan::default()
    };
    let mut migration = plugin.migrate(&plan).await.unwrap();
    assert!(migration.next(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_path_of_its_own_invention_is_not_read() {
    let texts = [(200, "config/"), (220, "config/a"), (240, "config/SECRET")];
    let asked = holding(&["config/a"]);
    // Neither before anything was listed nor after.
    let step = read(220, 8) + &read(240, 13) + LIST + &read(240, 13) + &read(220, 8);
    audit(guest(&texts, &step), &asked, "config/", None).await;
    assert_eq!(*asked.paths.lock().unwrap(), [b"config/a"]);
}

#[tokio::test]
async fn what_a_store_lists_outside_the_prefix_is_not_read() {
    let texts = [(200, "config/"), (220, "elsewhere"), (240, "config/../b")];
    let asked = holding(&["elsewhere", "config/../b"]);
    let step = LIST.to_owned() + &read(220, 9) + &read(240, 11);
    audit(guest(&texts, &step), &asked, "config/", None).await;
    assert!(asked.paths.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_object_is_read_a_few_times_and_not_as_often_as_a_component_likes() {
    let texts = [(200, "config/"), (220, "config/a")];
    let asked = holding(&["config/a"]);
    let step = LIST.to_owned() + &read(220, 8).repeat(100);
    audit(guest(&texts, &step), &asked, "config/", None).await;
    assert_eq!(asked.paths.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn only_what_the_caller_named_is_listed_or_a_folder_that_was_seen() {
    let texts = [
        (200, "config/"),
        (220, "config/iam/users/alice/identity.json"),
        (300, "config/SECRET/"),
        (330, "config/i"),
        (350, "config/m"),
        (370, "config/SECRET"),
        (400, ""),
    ];
    let list = |at: u32, size: u32, after: Option<(u32, u32)>| {
        let (has, after, length) = after.map_or((0, 0, 0), |(at, size)| (1, at, size));
        format!(
            "(call $list (i32.const {at}) (i32.const {size}) (i32.const {has}) (i32.const {after})
                (i32.const {length}) (i32.const 128))"
        )
    };
    let asked = holding(&["config/iam/users/alice/identity.json"]);
    let step = LIST.to_owned()
        + &list(300, 14, None)
        + &list(330, 8, None)
        + &list(400, 0, None)
        + &list(200, 7, Some((370, 13)))
        // These are let through: what was named, and the folder of what was listed.
        + &list(200, 7, Some((350, 8)))
        + &list(220, 17, None);
    audit(guest(&texts, &step), &asked, "config/", Some("config/m")).await;
    let listed = asked.listed.lock().unwrap().clone();
    let listed: Vec<_> = listed
        .iter()
        .map(|(prefix, after)| (&prefix[..], after.as_deref()))
        .collect();
    assert_eq!(
        listed,
        [
            (&b"config/"[..], None),
            (b"config/", Some(&b"config/m"[..])),
            (b"config/iam/users/", None),
        ]
    );
}

/// Stages bytes at the path at this address, for the version of this size at the next.
fn stage(path: (u32, u32), version: (u32, u32)) -> String {
    let words = [path.0, path.1, version.0, version.1, version.0, version.1];
    stage_change(1, &words)
}

/// Stages a change: its case of `storage-writer.change`, and the fields of that.
fn stage_change(case: u32, words: &[u32]) -> String {
    let words = [&[case], words].concat();
    let store = |(index, word): (usize, &u32)| {
        let at = 500 + 4 * index;
        format!("(i32.store (i32.const {at}) (i32.const {word}))")
    };
    let stores: String = words.iter().enumerate().map(store).collect();
    stores + "(call $stage (i32.const 500) (i32.const 1) (i32.const 600))"
}

#[tokio::test]
async fn a_migration_neither_creates_nor_removes() {
    let texts = [
        (200, "config/"),
        (220, "config/a"),
        (240, "c"),
        (250, "config/new"),
    ];
    let asked = holding(&["config/a"]);
    let create = stage_change(0, &[250, 10, 240, 1]);
    let remove = stage_change(2, &[220, 8, 240, 1]);
    let step = LIST.to_owned() + &read(220, 8) + &create + &remove;
    migrate(guest(&texts, &step), &asked, "config/", false).await;
    assert!(asked.written.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_migration_replaces_what_it_read_below_its_prefix_and_a_dry_run_nothing() {
    let texts = [(200, "config/"), (220, "config/a"), (240, "c")];
    for (prefix, dry_run, written) in [
        ("config/", false, 1),
        ("config/", true, 0),
        ("config/iam/", false, 0),
    ] {
        let asked = holding(&["config/a"]);
        let step = LIST.to_owned() + &read(220, 8) + &stage((220, 8), (240, 1));
        migrate(guest(&texts, &step), &asked, prefix, dry_run).await;
        assert_eq!(asked.written.lock().unwrap().len(), written, "{prefix}");
    }
}

#[tokio::test]
async fn what_was_not_read_is_not_replaced_and_neither_is_a_version_of_its_own_invention() {
    let texts = [
        (200, "config/"),
        (220, "config/a"),
        (240, "c"),
        (250, "SECRET"),
    ];
    let asked = holding(&["config/a"]);
    let step = stage((220, 8), (240, 1))
        + LIST
        + &stage((220, 8), (240, 1))
        + &read(220, 8)
        + &stage((220, 8), (250, 6));
    migrate(guest(&texts, &step), &asked, "config/", false).await;
    assert!(asked.written.lock().unwrap().is_empty());
}

#[tokio::test]
async fn exempt_files_are_neither_read_nor_replaced() {
    for exempt in [
        "config/tier-config.bin",
        "config/site-replication/state.json",
    ] {
        let texts = [(200, "config/"), (220, exempt), (300, "c")];
        let size = exempt.len();
        let asked = holding(&[exempt]);
        let step = LIST.to_owned() + &read(220, size) + &stage((220, size as u32), (300, 1));
        migrate(guest(&texts, &step), &asked, "config/", false).await;
        assert!(asked.paths.lock().unwrap().is_empty());
        assert!(asked.written.lock().unwrap().is_empty());
    }
}
