//! Looking at every object of a store that may misbehave.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_fuzz::contract::exports::iamseal::plugin::auditing::{Scope, Verdict};
use iamseal_fuzz::contract::exports::iamseal::plugin::opening::Policy;
use iamseal_fuzz::input::Input;
use iamseal_fuzz::mutate::mutate;
use iamseal_fuzz::twin::Twin;
use iamseal_fuzz::world::{Call, World};
use iamseal_fuzz::{budget, sandbox};
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});

fuzz_target!(init: sandbox::start(), |bytes: &[u8]| -> Corpus {
    let mut input = Input::new(bytes);
    let flags = input.byte();
    let (objects, store) = input.objects();
    let scope = Scope {
        store,
        prefix: input.prefix(),
        start_after: input.start_after(),
        policy: match flags & 6 {
            0 => Policy::Compatible,
            2 => Policy::Sealed,
            _ => Policy::Current,
        },
        try_all_credentials: flags & 8 != 0,
    };
    let limit = u32::from(input.byte() % 6);
    let mut world = World::new(input.rest());
    world.credentials = flags & 1 != 0;
    world.page = usize::from(flags >> 6) + 1;
    for (path, bytes) in &objects {
        world.put(path, bytes);
    }
    match budget::run(world.credentials, || audit(&scope, limit, world)) {
        true => Corpus::Keep,
        false => Corpus::Reject,
    }
});

fn audit(scope: &Scope, limit: u32, before: World) {
    let mut twin = Twin::new(before.clone());
    let (findings, error) = twin.audit(scope, limit);
    let world = twin.end();

    assert_eq!(world.objects(), before.objects(), "an audit has written");
    assert!(world.made.is_empty(), "an audit has made a data key");
    assert!(findings.is_sorted_by(|a, b| a.path < b.path));
    for finding in &findings {
        assert!(finding.path.starts_with(&scope.prefix));
        let after = scope.start_after.as_ref();
        assert!(after.is_none_or(|after| finding.path > *after));
        let looked = world.calls.contains(&Call::Read(finding.path.clone()));
        match &finding.verdict {
            Verdict::Opens(_) => assert!(looked && finding.size.is_some()),
            Verdict::Exempt(_) => assert!(!looked && finding.size.is_none()),
            Verdict::Fails(_) => {}
        }
    }
    if before.is_honest() {
        assert_eq!(error, None);
        let mut wanted = before.objects();
        wanted.retain(|path, _| {
            let after = scope.start_after.as_deref();
            path.starts_with(&scope.prefix) && after.is_none_or(|after| *path > after)
        });
        assert!(
            findings
                .iter()
                .map(|finding| &*finding.path)
                .eq(wanted.into_keys())
        );
    }
}
