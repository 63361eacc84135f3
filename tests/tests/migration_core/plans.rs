//! Plans, and running them to their end.

use std::collections::BTreeMap;
use std::sync::Arc;

use iamseal_core::{
    Audit, Finding, Outcome, Plan, Policy, Run, Scope, SealOptions, SealedForm, Step, Target,
};
use iamseal_tests::errors::case;
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use iamseal_tests::store::MemoryStore;

pub const STORE: &str = "store";

/// More calls than any run here needs; a run that has not ended then never does.
const CALLS: usize = 1000;

/// Sealing everything in a form under a key.
pub fn to(form: SealedForm, key: &str) -> Plan {
    plan(Target::Sealed(SealOptions {
        form,
        key: Some(key.to_string()),
        cipher: None,
        data_key_encoding: None,
    }))
}

/// A plan for everything.
pub fn plan(target: Target) -> Plan {
    Plan {
        store: STORE.to_string(),
        prefix: Vec::new(),
        start_after: None,
        shard: None,
        target,
        dry_run: false,
        try_all_credentials: false,
        not_loadable_too: false,
    }
}

/// Runs a plan to its end in batches of 4.
pub fn run(keys: &Keys, store: &Arc<MemoryStore>, plan: Plan) -> Vec<Step> {
    let mut run = Run::new(Lent::new(keys.clone(), store), plan).unwrap();
    let mut steps = Vec::new();
    for _ in 0..CALLS {
        let batch = run.next(4).unwrap();
        if batch.is_empty() {
            assert_eq!(store.open_drafts(), 0);
            return steps;
        }
        steps.extend(batch);
    }
    panic!("the run does not end");
}

/// What became of each object, in short: `unchanged`, `migrated`, `would-migrate`, `exempt` or the
/// case of the error.
pub fn outcomes(steps: &[Step]) -> BTreeMap<String, &'static str> {
    let short = |step: &Step| {
        let outcome = match &step.outcome {
            Outcome::Unchanged(_) => "unchanged",
            Outcome::Migrated(_) => "migrated",
            Outcome::WouldMigrate(_) => "would-migrate",
            Outcome::Exempt(_) => "exempt",
            Outcome::Failed(error) => case(error),
        };
        (String::from_utf8(step.path.clone()).unwrap(), outcome)
    };
    let outcomes: BTreeMap<_, _> = steps.iter().map(short).collect();
    assert_eq!(outcomes.len(), steps.len(), "an object came twice");
    outcomes
}

/// Audits a whole store.
pub fn audit(keys: &Keys, store: &Arc<MemoryStore>, policy: Policy) -> Vec<Finding> {
    let scope = Scope {
        store: STORE.to_string(),
        prefix: Vec::new(),
        start_after: None,
        policy,
        try_all_credentials: false,
    };
    let mut audit = Audit::new(Lent::new(keys.clone(), store), scope);
    let mut findings = Vec::new();
    for _ in 0..CALLS {
        let batch = audit.next(4).unwrap();
        if batch.is_empty() {
            return findings;
        }
        findings.extend(batch);
    }
    panic!("the audit does not end");
}
