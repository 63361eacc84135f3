//! What an audit says of each object.

use iamseal_core::{Audit, Policy, Scope, Verdict};
use iamseal_tests::errors::case;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::trick::Trick;

use crate::mixed::{BAD, EXEMPT, Mixed, secret_keys};
use crate::plans::{STORE, audit};

fn scope(prefix: &str, start_after: Option<&str>) -> Scope {
    Scope {
        store: STORE.to_string(),
        prefix: prefix.into(),
        start_after: start_after.map(Into::into),
        policy: Policy::Compatible,
        try_all_credentials: false,
    }
}

/// The case of the error, if the verdict is one.
fn fails(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Fails { error, .. } => Some(case(error)),
        _ => None,
    }
}

#[test]
fn every_object_has_one_verdict_and_none_is_changed() {
    let mixed = Mixed::new();
    let before = mixed.store.all();
    let findings = audit(&mixed.keys, &mixed.store, Policy::Compatible);
    assert_eq!(findings.len(), before.len());
    for finding in &findings {
        let path = std::str::from_utf8(&finding.path).unwrap();
        let size = before[&finding.path].len() as u64;
        match &finding.verdict {
            Verdict::Opens(found) => {
                let mut objects = mixed.objects.iter();
                let object = objects.find(|object| object.path == path).unwrap();
                assert_eq!(*found, object.found, "{path}");
                assert_eq!(finding.size, Some(size));
            }
            Verdict::Exempt(_) => {
                assert!(EXEMPT.contains(&path));
                assert_eq!(finding.size, None);
            }
            Verdict::Fails { error, .. } => {
                assert!(BAD.contains(&(path, case(error))), "{path}: {error:?}");
                assert_eq!(finding.size, Some(size));
            }
        }
    }
    assert_eq!(mixed.store.all(), before);
    let counts = mixed.store.counts();
    // One more, to see whether the key of the object from elsewhere opens another, and all others, to see
    // whether it had other bytes.
    let objects = before.len() - EXEMPT.len();
    assert_eq!(counts.reads, objects + 1 + (objects - 1));
    assert_eq!((counts.staged, counts.replaced), (0, 0));
}

#[test]
fn the_strict_policy_finds_what_is_not_sealed() {
    let mixed = Mixed::new();
    let findings = audit(&mixed.keys, &mixed.store, Policy::Sealed);
    let refused = findings
        .iter()
        .filter(|finding| fails(&finding.verdict) == Some("form-refused"));
    let paths: Vec<_> = refused.map(|finding| finding.path.as_slice()).collect();
    assert_eq!(paths, [&b"config/config.json"[..], b"config/history/1.kv"]);
}

#[test]
fn an_audit_keeps_to_its_prefix_and_goes_on_after_a_path() {
    let store = MemoryStore::with(["a", "o/1", "o/2", "o/3", "p"].map(|path| (path, "{}")));
    let lent = Lent::new(secret_keys(), &store);
    let mut audit = Audit::new(lent, scope("o/", Some("o/1")));
    let mut paths = Vec::new();
    for limit in [0, 1, 10, 10] {
        paths.push(
            audit
                .next(limit)
                .unwrap()
                .into_iter()
                .map(|finding| finding.path),
        );
    }
    let paths: Vec<Vec<_>> = paths.into_iter().map(Iterator::collect).collect();
    let wanted: [Vec<Vec<u8>>; 4] = [vec![b"o/2".to_vec()], vec![b"o/3".to_vec()], vec![], vec![]];
    assert_eq!(paths, wanted);
}

#[test]
fn an_object_that_cannot_be_read_is_a_verdict_and_a_listing_that_fails_an_error() {
    let store = MemoryStore::with([("o/1", "{}"), ("o/2", "{}")]);
    store.play(Trick::ReadFails("o/1"));
    let findings = audit(&secret_keys(), &store, Policy::Compatible);
    assert_eq!(fails(&findings[0].verdict), Some("storage: other"));
    assert!(matches!(findings[1].verdict, Verdict::Opens(_)));
    store.play(Trick::ListFails);
    let mut audit = Audit::new(Lent::new(secret_keys(), &store), scope("", None));
    assert_eq!(case(&audit.next(9).unwrap_err()), "storage: other");
}
