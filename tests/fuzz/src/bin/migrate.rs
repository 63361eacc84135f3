//! Migrating a store that may misbehave.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_core as core;
use iamseal_fuzz::contract::exports::iamseal::plugin::migration::{
    Outcome, Plan, Shard, Step, Target,
};
use iamseal_fuzz::input::Input;
use iamseal_fuzz::mutate::mutate;
use iamseal_fuzz::twin::Twin;
use iamseal_fuzz::world::World;
use iamseal_fuzz::{budget, honest, sandbox};
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};
use sha2::{Digest as _, Sha256};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});

fuzz_target!(init: sandbox::start(), |bytes: &[u8]| -> Corpus {
    let mut input = Input::new(bytes);
    let flags = input.byte();
    let (objects, store) = input.objects();
    let plan = Plan {
        store,
        prefix: input.prefix(),
        start_after: input.start_after(),
        shard: match input.below(4) {
            0..=2 => None,
            _ => Some(Shard {
                index: u32::from(input.byte() % 4),
                count: u32::from(input.byte() % 4),
            }),
        },
        target: match input.below(3) {
            0 => Target::Plaintext,
            _ => Target::Sealed(input.seal_options()),
        },
        dry_run: flags & 2 != 0,
        try_all_credentials: flags & 4 != 0,
        not_loadable_too: flags & 8 != 0,
    };
    let limit = u32::from(input.byte() % 6);
    let mut world = World::new(input.rest());
    world.credentials = flags & 1 != 0;
    world.page = usize::from(flags >> 6) + 1;
    for (path, bytes) in &objects {
        world.put(path, bytes);
    }
    match budget::run(world.credentials, || migrate(&plan, limit, world)) {
        true => Corpus::Keep,
        false => Corpus::Reject,
    }
});

fn migrate(plan: &Plan, limit: u32, before: World) {
    let mut twin = Twin::new(before.clone());
    let (steps, error) = twin.migrate(plan, limit);
    let world = twin.end();

    for step in &steps {
        assert!(is_in_plan(plan, &step.path), "{:?}", step.path);
    }
    if plan.dry_run {
        assert!(
            world.calls.iter().all(|call| !writes(call)),
            "a dry run has written"
        );
    }
    for new in &world.replaced {
        assert!(is_in_plan(plan, &new.path), "{:?}", new.path);
        let location = core::Location::new(&plan.store, &new.path).expect("it was written to");
        assert_eq!(location.exempt(), None);
        let old = world.read.get(&(new.path.clone(), new.expected.clone()));
        let old = old.expect("what was read is replaced");
        // A keyring that gives out other bytes for a key makes objects that the key does not open.
        if !world.lied {
            assert_holds_the_same(plan, &world, &new.path, old, &new.bytes);
        }
    }
    if before.is_honest() {
        assert_complete(plan, &steps, &error, &before, &world);
    }
}

fn is_in_plan(plan: &Plan, path: &[u8]) -> bool {
    let after = plan.start_after.as_deref();
    let share = plan.shard.is_none_or(|Shard { index, count }| {
        let digest = Sha256::digest(path); // as `wit/migration.wit` has it
        let head = u64::from_be_bytes(digest[..8].try_into().unwrap());
        head % u64::from(count) == u64::from(index)
    });
    path.starts_with(&plan.prefix) && after.is_none_or(|after| path > after) && share
}

fn writes(call: &iamseal_fuzz::world::Call) -> bool {
    use iamseal_fuzz::world::Call;
    matches!(call, Call::Stage(_) | Call::Commit(_) | Call::ReadBack(_))
}

fn assert_holds_the_same(plan: &Plan, world: &World, path: &[u8], old: &[u8], new: &[u8]) {
    let open = |bytes| honest::opened(&world.made, &plan.store, path, bytes);
    let old = open(old).expect("an object was replaced that did not open");
    let new = open(new).expect("the new object does not open");
    assert_eq!(
        old.plaintext, new.plaintext,
        "the new object holds something else"
    );
    let form = match &plan.target {
        Target::Plaintext => core::Form::Plaintext,
        Target::Sealed(options) => core::SealOptions::from(options.clone()).form.form(),
    };
    assert_eq!(new.found.form, form);
}

/// With a host that does what it should: every object of the plan was reported once, and every report
/// is true.
fn assert_complete(
    plan: &Plan,
    steps: &[Step],
    error: &Option<iamseal_fuzz::contract::iamseal::plugin::types::Error>,
    before: &World,
    after: &World,
) {
    assert!(error.is_none() || steps.is_empty(), "{error:?}");
    let (before, after) = (before.objects(), after.objects());
    assert!(before.keys().eq(after.keys()));
    if error.is_none() {
        let planned = before.keys().filter(|path| is_in_plan(plan, path));
        assert!(planned.eq(steps.iter().map(|step| &step.path)), "{steps:?}");
    }
    for (path, bytes) in &after {
        let step = steps.iter().find(|step| step.path == *path);
        let migrated = step.is_some_and(|step| matches!(step.outcome, Outcome::Migrated(_)));
        assert_eq!(migrated, before.get(path) != Some(bytes), "{path:?}");
    }
}
