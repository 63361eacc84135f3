//! The same migrations and audits through the component: whatever the core does, the boundary
//! changes nothing of it.

use std::sync::Arc;

use iamseal::{AuditScope, MigrationPlan, Plugin, contract};
use iamseal_core::{Finding, Plan, Policy, SealedForm, Shard, Step};
use iamseal_tests::component::builder;
use iamseal_tests::convert::{finding, step, target};
use iamseal_tests::errors::{case, from_contract};
use iamseal_tests::host_store::HostStore;
use iamseal_tests::keys::Keys;
use iamseal_tests::runtime::wait;
use iamseal_tests::store::MemoryStore;
use iamseal_tests::trick::Trick;

use crate::mixed::{Mixed, REMOTE, secret_keys};
use crate::plans::{STORE, audit, outcomes, plan, run, to};
use crate::transitions::targets;

fn plugin(keys: &Keys, store: &Arc<MemoryStore>) -> Plugin {
    let lent = Arc::new(HostStore(Arc::clone(store)));
    let builder = builder(keys, STORE).storage(lent.clone());
    wait(builder.storage_writer(lent).load()).unwrap()
}

/// Runs a plan to its end, in batches of 4 as the native runs do.
pub fn run_through(
    keys: &Keys,
    store: &Arc<MemoryStore>,
    plan: &Plan,
) -> Result<Vec<Step>, String> {
    let plugin = plugin(keys, store);
    let plan = MigrationPlan {
        prefix: plan.prefix.clone(),
        start_after: plan.start_after.clone(),
        shard: plan.shard.map(|shard| contract::Shard {
            index: shard.index,
            count: shard.count,
        }),
        target: target(&plan.target),
        dry_run: plan.dry_run,
        try_all_credentials: plan.try_all_credentials,
        not_loadable_too: plan.not_loadable_too,
    };
    let name = |error| match error {
        iamseal::Error::Object(error) => case(&from_contract(error)).to_string(),
        other => other.to_string(),
    };
    wait(async {
        let mut run = plugin.migrate(&plan).await.map_err(name)?;
        let mut steps = Vec::new();
        loop {
            let batch = run.next(4).await.map_err(name)?;
            if batch.is_empty() {
                return Ok(steps);
            }
            steps.extend(batch.into_iter().map(step));
        }
    })
}

/// The objects of a store, as they are now, in another one.
fn copy(store: &MemoryStore) -> Arc<MemoryStore> {
    MemoryStore::with(store.all())
}

/// Runs a plan natively and through the component, each on its own copy, and expects the same.
fn same(keys: &Keys, store: &MemoryStore, make: impl Fn() -> Plan) {
    let [native, through] = [copy(store), copy(store)];
    let steps = run(keys, &native, make());
    assert_eq!(run_through(keys, &through, &make()).unwrap(), steps);
    assert_eq!(through.counts().replaced, native.counts().replaced);
    assert_eq!(through.open_drafts(), 0);
    // What the component wrote the core reads.
    let opened = audit(keys, &through, Policy::Compatible);
    let verdicts = |findings: Vec<Finding>| findings.into_iter().map(|it| it.verdict);
    assert!(verdicts(opened).eq(verdicts(audit(keys, &native, Policy::Compatible))));
}

#[test]
fn every_target_is_reached_alike() {
    for options in targets() {
        let mixed = Mixed::new();
        for dry_run in [true, false] {
            same(&mixed.keys, &mixed.store, || {
                let mut plan = plan(crate::transitions::target(options.as_ref()));
                plan.dry_run = dry_run;
                plan
            });
        }
    }
}

#[test]
fn prefix_start_and_shard_mean_the_same() {
    let mixed = Mixed::new();
    for (prefix, start_after, shard) in [
        ("config/iam/", None, None),
        ("config/", Some("config/iam/a/Minio.json"), None),
        ("", None, Some(Shard { index: 1, count: 3 })),
        ("nothing", None, None),
    ] {
        same(&mixed.keys, &mixed.store, || {
            let mut plan = to(SealedForm::Compact, "b");
            plan.prefix = prefix.into();
            plan.start_after = start_after.map(Into::into);
            plan.shard = shard;
            plan
        });
    }
}

/// Audits a whole store through the component.
pub fn audit_through(keys: &Keys, store: &Arc<MemoryStore>, policy: Policy) -> Vec<Finding> {
    let scope = AuditScope {
        policy: iamseal_tests::convert::policy(policy),
        ..AuditScope::default()
    };
    let plugin = plugin(keys, store);
    wait(async {
        let mut audit = plugin.audit(&scope).await.unwrap();
        let mut findings = Vec::new();
        loop {
            let batch = audit.next(4).await.unwrap();
            if batch.is_empty() {
                return findings;
            }
            findings.extend(batch.into_iter().map(finding));
        }
    })
}

#[test]
fn audits_find_the_same() {
    let mixed = Mixed::new();
    for policy in [Policy::Compatible, Policy::Sealed, Policy::Current] {
        let through = audit_through(&mixed.keys, &mixed.store, policy);
        assert_eq!(through, audit(&mixed.keys, &mixed.store, policy));
    }
}

#[test]
fn a_store_that_fails_or_lies_is_met_alike() {
    const PATHS: [&str; 5] = ["o/1", "o/2", "o/3", "o/4", "o/5"];
    const VICTIM: &str = "o/2";
    for trick in [
        Trick::ReadFails(VICTIM),
        Trick::StageFails(VICTIM),
        Trick::ReadBackFails(VICTIM),
        Trick::ReadsBack(VICTIM, b"{}".to_vec()),
        Trick::CommitFails(VICTIM),
    ] {
        let store = || {
            let store = MemoryStore::with(PATHS.map(|path| (path, "{}")));
            store.play(trick.clone());
            store
        };
        let [native, through] = [store(), store()];
        let plan = || to(SealedForm::Minio, "a");
        let steps = run(&secret_keys(), &native, plan());
        assert_eq!(
            run_through(&secret_keys(), &through, &plan()).unwrap(),
            steps
        );
        assert_eq!(through.open_drafts(), 0);
    }
}

#[test]
fn the_host_answers_for_drafts_that_its_store_forgot() {
    for trick in [Trick::StagesTooFew, Trick::CommitsTooFew] {
        let store = MemoryStore::with(["o/1", "o/2", "o/3"].map(|path| (path, "{}")));
        store.play(trick);
        let steps = run_through(&secret_keys(), &store, &to(SealedForm::Minio, "a"));
        let short = outcomes(&steps.unwrap());
        assert!(
            short
                .into_values()
                .eq(["migrated", "migrated", "storage: other"])
        );
        assert_eq!(store.get(b"o/3").unwrap(), b"{}");
        assert_eq!(store.open_drafts(), 0);
    }
}

#[test]
fn a_listing_that_fails_or_goes_round_ends_the_run() {
    for (trick, wanted) in [
        (Trick::ListFails, "storage: other"),
        (Trick::ListsForEver, "other"),
        (Trick::Lists(vec!["o/2", "o/1"]), "other"),
    ] {
        let store = MemoryStore::with([("o/1", "{}"), ("o/2", "{}")]);
        store.play(trick);
        let before = store.all();
        let ended = run_through(&secret_keys(), &store, &to(SealedForm::Minio, "a"));
        assert_eq!(ended.unwrap_err(), wanted);
        assert_eq!(store.all(), before);
        assert_eq!(store.open_drafts(), 0);
    }
}

#[test]
fn a_remote_key_is_asked_as_seldom() {
    let mixed = Mixed::new();
    let store = MemoryStore::with((0..50).map(|n| (format!("o/{n:02}"), "{}")));
    run_through(&mixed.keys, &store, &to(SealedForm::Compact, REMOTE)).unwrap();
    let made = mixed.service.generated();
    let steps = run_through(&mixed.keys, &store, &to(SealedForm::Compact, REMOTE)).unwrap();
    assert_eq!(steps.len(), 50);
    // Mixed itself made two data keys and opened the one that is a seed. A run makes one more and
    // opens it, and the next run opens that one.
    assert_eq!((made, mixed.service.generated()), (3, 3));
    assert_eq!(mixed.service.decrypted(), 3);
}
