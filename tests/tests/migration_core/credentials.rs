//! Objects in the root-credential form that nothing opens: what they can cost a run, and what it says
//! of those that it did not try with everything.

use std::sync::Arc;

use iamseal_core::{
    Audit, Error, Finding, Form, Outcome, Plan, Policy, Run, Scope, SealOptions, SealedForm,
    Target, Verdict,
};
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::vectors::case;

use crate::plans::{STORE, plan, to};

const ARGON2ID: u8 = 0;
const PBKDF2: u8 = 2;

/// The ids of vectors of each kind, under the credential `minioadmin:minioadmin`.
const UNDER_ARGON2ID: &str = "dev-067";
const UNDER_PBKDF2: &str = "dev-069";

/// How many objects of a kind are tried with everything in vain.
const IN_VAIN: usize = 8;

/// The shortest object of a kind, which no credential opens.
fn garbage(kind: u8) -> Vec<u8> {
    let mut object = vec![0xa5; 57];
    object[32] = kind;
    object
}

/// So many credentials, of which the last is that of the vectors.
fn credentials(count: usize) -> Keys {
    let others = (1..count).fold(Keys::one("key", &[7; 32]), |keys, number| {
        keys.credential(&format!("user-{number}"), "password")
    });
    others.credential("minioadmin", "minioadmin")
}

/// So many objects of garbage, whose paths begin with this.
fn put_garbage(store: &MemoryStore, place: &str, kind: u8, count: usize) {
    for number in 0..count {
        store.put(format!("{place}/{number:03}").as_bytes(), &garbage(kind));
    }
}

fn put(store: &MemoryStore, path: &str, vector: &str) {
    store.put(path.as_bytes(), &case(vector).stored());
}

/// An audit of everything, and how many keys it derived.
fn audit(keys: &Keys, store: &Arc<MemoryStore>, try_all_credentials: bool) -> (Vec<Finding>, u64) {
    let scope = Scope {
        store: STORE.to_string(),
        prefix: Vec::new(),
        start_after: None,
        policy: Policy::Compatible,
        try_all_credentials,
    };
    let mut audit = Audit::new(Lent::new(keys.clone(), store), scope);
    let mut findings = Vec::new();
    loop {
        match audit.next(64).unwrap() {
            some if some.is_empty() => return (findings, audit.derivations()),
            some => findings.extend(some),
        }
    }
}

#[track_caller]
fn error<'a>(findings: &'a [Finding], path: &str) -> &'a Error {
    let mut found = findings.iter();
    let finding = found.find(|finding| finding.path == path.as_bytes());
    match &finding.unwrap().verdict {
        Verdict::Fails {
            error,
            reason: None,
        } => error,
        other => panic!("{path}: {other:?}"),
    }
}

#[track_caller]
fn opens(findings: &[Finding], path: &str) {
    let mut found = findings.iter();
    let finding = found.find(|finding| finding.path == path.as_bytes());
    match &finding.unwrap().verdict {
        Verdict::Opens(found) => assert_eq!(found.user.as_deref(), Some("minioadmin"), "{path}"),
        other => panic!("{path}: {other:?}"),
    }
}

fn untried(tried: u32, lent: u32) -> Error {
    Error::CredentialUntried { tried, lent }
}

#[test]
fn garbage_costs_an_audit_a_bounded_number_of_tries() {
    let store: Arc<MemoryStore> = Arc::default();
    put_garbage(&store, "o", PBKDF2, 40);
    let (findings, derivations) = audit(&credentials(100), &store, false);
    // A few with all of them, then one each.
    assert_eq!(derivations as usize, IN_VAIN * 100 + (40 - IN_VAIN));
    assert_eq!(error(&findings, "o/007"), &Error::CredentialNotAuthentic);
    for number in IN_VAIN..40 {
        let path = format!("o/{number:03}");
        assert_eq!(error(&findings, &path), &untried(1, 100));
    }
}

#[test]
fn a_credential_that_fits_is_tried_first_on_further_damage() {
    let store: Arc<MemoryStore> = Arc::default();
    let path = b"config/iam/users/alice/identity.json";
    // Of two fragments, so that the first one is whole after the end was cut off.
    store.put(path, "x".repeat(20_000).as_bytes());
    let plan = Plan {
        not_loadable_too: true,
        ..plan(Target::Sealed(SealOptions {
            form: SealedForm::Rustfs,
            key: None,
            cipher: None,
            data_key_encoding: None,
        }))
    };
    let keys = Keys::none().credential("minioadmin", "minioadmin");
    let mut run = Run::new(Lent::new(keys, &store), plan).unwrap();
    while !run.next(64).unwrap().is_empty() {}
    let mut damaged = store.get(path).unwrap();
    damaged.pop();
    for number in 0..5 {
        store.put(format!("o/{number}").as_bytes(), &damaged);
    }
    store.put(path, b"{}");
    let (findings, derivations) = audit(&credentials(100), &store, false);
    assert_eq!(error(&findings, "o/4"), &Error::BodyNotAuthentic);
    assert_eq!(derivations, 100 + 4);
}

#[test]
fn garbage_costs_a_migration_a_bounded_number_of_tries() {
    for try_all_credentials in [false, true] {
        let store: Arc<MemoryStore> = Arc::default();
        put_garbage(&store, "o", PBKDF2, 20);
        let plan = Plan {
            try_all_credentials,
            ..to(SealedForm::Minio, "key")
        };
        let mut run = Run::new(Lent::new(credentials(10), &store), plan).unwrap();
        let mut untried = 0;
        loop {
            let steps = run.next(64).unwrap();
            if steps.is_empty() {
                break;
            }
            for step in steps {
                match step.outcome {
                    Outcome::Failed(Error::CredentialUntried { tried: 1, lent: 10 }) => {
                        untried += 1
                    }
                    Outcome::Failed(Error::CredentialNotAuthentic) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        let (left, derivations) = match try_all_credentials {
            false => (20 - IN_VAIN, IN_VAIN * 10 + (20 - IN_VAIN)),
            true => (0, 20 * 10),
        };
        assert_eq!((untried, run.derivations() as usize), (left, derivations));
    }
}

#[test]
fn an_object_under_a_credential_that_was_not_tried_is_said_to_be_just_that() {
    let store: Arc<MemoryStore> = Arc::default();
    put_garbage(&store, "a", PBKDF2, 12);
    put(&store, "b/whole", UNDER_PBKDF2);
    let (findings, _) = audit(&credentials(5), &store, false);
    assert_eq!(error(&findings, "b/whole"), &untried(1, 5));
    // Whoever insists opens it.
    let (findings, derivations) = audit(&credentials(5), &store, true);
    opens(&findings, "b/whole");
    assert_eq!(derivations, 13 * 5);
}

#[test]
fn a_credential_that_opened_something_is_tried_first_and_always() {
    let store: Arc<MemoryStore> = Arc::default();
    put(&store, "a/whole", UNDER_PBKDF2);
    put_garbage(&store, "b", PBKDF2, 12);
    put(&store, "c/whole", UNDER_PBKDF2);
    let (findings, derivations) = audit(&credentials(5), &store, false);
    opens(&findings, "a/whole");
    opens(&findings, "c/whole");
    let garbage = IN_VAIN * 5 + (12 - IN_VAIN);
    assert_eq!(derivations as usize, 5 + garbage + 1);
}

#[test]
fn one_kind_does_not_use_up_the_tries_of_the_other() {
    for (kind, other) in [(ARGON2ID, UNDER_PBKDF2), (PBKDF2, UNDER_ARGON2ID)] {
        let same = match kind {
            ARGON2ID => UNDER_ARGON2ID,
            _ => UNDER_PBKDF2,
        };
        let store: Arc<MemoryStore> = Arc::default();
        put_garbage(&store, "a", kind, IN_VAIN);
        put(&store, "b/same", same);
        put(&store, "c/other", other);
        let (findings, _) = audit(&credentials(2), &store, false);
        assert_eq!(error(&findings, "b/same"), &untried(1, 2));
        opens(&findings, "c/other");
    }
}

#[test]
fn one_credential_is_always_tried() {
    let store: Arc<MemoryStore> = Arc::default();
    put_garbage(&store, "a", PBKDF2, 12);
    put(&store, "b/whole", UNDER_PBKDF2);
    let (findings, derivations) = audit(&credentials(1), &store, false);
    assert_eq!(error(&findings, "a/011"), &Error::CredentialNotAuthentic);
    opens(&findings, "b/whole");
    assert_eq!(derivations, 13);
    let whole = findings.last().unwrap();
    assert!(matches!(&whole.verdict, Verdict::Opens(found) if found.form == Form::RootCredential));
}
