//! A static key becomes one of a real KES.

use iamseal_servers::kes::{Identity, Kes};

use super::kes::{KEY as IN_KES, kes, policy};
use crate::kit::migration::{all, plain};
use crate::kit::{Ended, KEY, KEY_NAME, KEY_WITH_OTHER_BYTES, OTHER_KEY, Tool, tool, with};
use crate::reference::document::Reference;

fn import(kes: &Kes, name: &str) -> Tool {
    tool(["kes", "import", name]).env(kes.variables(name))
}

#[track_caller]
fn outcome(ended: &Ended) -> String {
    ended.json().remove(0)["outcome"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn what_the_static_key_sealed_opens_in_kes() {
    let kes = Kes::start();
    let store = plain();
    let sealing = tool(with("migrate --json --to kms", store.root()));
    sealing.key(KEY).ok();
    assert_eq!(
        outcome(&import(&kes, KEY_NAME).key(KEY).args(["--json"]).ok()),
        "imported"
    );
    // KES alone, and nothing has to be written again.
    let audit = tool(with("audit --require current --json", store.root()));
    audit.env(kes.variables(KEY_NAME)).ok();
    let again = tool(with("migrate --json --to kms", store.root()));
    all(&again.env(kes.variables(KEY_NAME)).ok(), "unchanged");
    let repeated = import(&kes, KEY_NAME).file("--keys", KEY).args(["--json"]);
    let repeated = repeated.ok();
    assert_eq!(outcome(&repeated), "unchanged");
    assert!(repeated.stderr.contains("root credential"), "{repeated}");
    // What is sealed under KES now opens with the static key.
    let sealed = tool(["seal", "--path", "config/config.json"]);
    let sealed = sealed.env(kes.variables(KEY_NAME)).input("{}").ok();
    let opened = tool(["unseal", "--path", "config/config.json"]);
    assert_eq!(opened.key(KEY).input(sealed.stdout).ok().stdout, b"{}");
}

#[test]
fn a_key_that_kes_has_is_left_as_it_is() {
    let kes = Kes::start();
    import(&kes, KEY_NAME).key(KEY).ok();
    let other = import(&kes, KEY_NAME).key(KEY_WITH_OTHER_BYTES);
    other.run().fails(19).says("KES has another key named");
    import(&kes, KEY_NAME).key(KEY).ok();
}

#[test]
fn the_key_is_one_that_was_given_and_no_argument() {
    let kes = Kes::start();
    import(&kes, "other-key").key(KEY).run().fails(4);
    let several = format!("{KEY}\n{KEY_WITH_OTHER_BYTES}");
    let several = import(&kes, KEY_NAME).file("--keys", &several);
    several.run().fails(2).says("several keys named");
    import(&kes, KEY).key(KEY).run().fails(2);
    assert!(kes.keys().read_dir().unwrap().next().is_none());
}

#[test]
fn a_name_that_kes_does_not_take_is_refused_with_the_way_out() {
    let kes = Kes::start();
    let key = KEY.replace(KEY_NAME, "my.key");
    let refused = import(&kes, "my.key").key(&key).run().fails(2);
    refused
        .says("KES takes no key named")
        .says("iamseal migrate STORE");
    // The way out, as it is told.
    let store = plain();
    let migrate = || tool(with("migrate --json --to kms", store.root()));
    migrate().key(&key).ok();
    let both = format!("{key}\n{OTHER_KEY}");
    let moved = migrate().args(["--key", "other-key"]);
    all(&moved.file("--keys", &both).ok(), "migrated");
    import(&kes, "other-key").file("--keys", &both).ok();
    let audit = tool(with("audit --require current --json", store.root()));
    audit.env(kes.variables("other-key")).ok();
}

#[test]
fn what_a_policy_denies_is_told_with_its_path() {
    let mut kes = Kes::start();
    let who = Identity::new();
    let attempt = |kes: &Kes| {
        let import = tool(["kes", "import", KEY_NAME]).key(KEY);
        import.env(kes.variables_of(&who, KEY_NAME)).run().fails(6)
    };
    kes.configure(&policy(&who.identity, &["decrypt"]));
    kes.restart();
    attempt(&kes).says(&format!("/v1/key/import/{KEY_NAME}"));
    assert!(kes.keys().read_dir().unwrap().next().is_none());
    kes.configure(&policy(&who.identity, &["import"]));
    kes.restart();
    let ended = attempt(&kes).says("KES has taken the key, but it could not be tried");
    ended.says(&format!("/v1/key/decrypt/{KEY_NAME}"));
}

/// The document's tables of `iamseal kes`, and the causes that a key service alone has.
#[test]
fn every_line_is_in_the_document() {
    let mut reference = Reference::read();
    let mut kes = kes();
    let status = |kes: &Kes| {
        tool(["kes", "status", "--json"])
            .env(kes.variables(IN_KES))
            .run()
    };
    reference.compare("kes status", &status(&kes).exits(0));
    for _ in 0..2 {
        let import = import(&kes, KEY_NAME).key(KEY).args(["--json"]);
        reference.compare("kes import", &import.ok());
    }
    let who = Identity::new();
    let denied = tool(["kes", "import", KEY_NAME, "--json"]).key(KEY);
    let denied = denied.env(kes.variables_of(&who, KEY_NAME)).run();
    reference.compare("kes import", &denied.exits(6));
    kes.stop();
    reference.compare("kes status", &status(&kes).exits(5));
    let store = plain();
    let migrate = tool(with("migrate --json --to kms", store.root()));
    let ended = migrate.env(kes.variables(IN_KES)).run().exits(5);
    // Without a key for its journal a run does not begin.
    assert_eq!(ended.error()["cause"], "key-unavailable", "{ended}");
    assert!(ended.stdout.is_empty(), "{ended}");
    let mut unseen = reference.unseen();
    unseen.retain(|what| what.starts_with("kes "));
    assert!(unseen.is_empty(), "never seen: {unseen:#?}");
    let unseen = reference.unseen_causes();
    assert!(!unseen.contains(&"key-denied") && !unseen.contains(&"key-unavailable"));
}
