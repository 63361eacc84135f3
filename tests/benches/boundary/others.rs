//! Argon2id, and a fresh instance.

use std::hint::black_box;

use criterion::Criterion;
use iamseal::AuditScope;
use iamseal_tests::keys::Keys;
use iamseal_tests::vectors::case;

use crate::objects::{Both, unseal_with};

/// The groups' names.
pub const ROOT_CREDENTIAL: &str = "unseal root-credential";
pub const FRESH: &str = "fresh instance";

/// Measures an object that costs an Argon2id, natively and through a component that has its memory
/// already, and a call that needs a fresh instance.
pub fn measure(criterion: &mut Criterion) {
    let case = case("dev-067"); // Argon2id, 180 bytes
    let stored = case.stored();
    let mut both = Both::new(&case.keys());
    let mut group = criterion.benchmark_group(ROOT_CREDENTIAL);
    group.sample_size(10);
    group.bench_function("native", |bencher| {
        bencher.iter(|| both.unseal_natively(&stored));
    });
    group.bench_function("component", |bencher| {
        both.bench_component(bencher, async |plugin| unseal_with(plugin, &stored).await);
    });
    group.finish();

    let both = Both::new(&Keys::none());
    let mut group = criterion.benchmark_group(FRESH);
    group.bench_function("component", |bencher| {
        both.bench_component(bencher, async |plugin| {
            // An audit that is dropped before its end takes its instance with it, so the next one
            // needs another.
            black_box(plugin.audit(&AuditScope::default()).await.unwrap());
        });
    });
}
