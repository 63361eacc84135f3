//! Argon2id, a call that does next to nothing, and a fresh instance.

use std::hint::black_box;

use criterion::Criterion;
use iamseal::AuditScope;
use iamseal_core::inspect;
use iamseal_tests::keys::Keys;
use iamseal_tests::vectors::case;

use crate::objects::{Both, unseal_with};

/// The groups' names.
pub const ROOT_CREDENTIAL: &str = "unseal root-credential";
pub const INSPECT: &str = "inspect plaintext";
pub const FRESH: &str = "fresh instance";

/// Measures an object that costs an Argon2id, natively and through a component that has its memory
/// already; a call that costs little else than to be made; and one that needs a fresh instance.
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
    let mut group = criterion.benchmark_group(INSPECT);
    group.bench_function("native", |bencher| bencher.iter(|| inspect(b"{}").unwrap()));
    group.bench_function("component", |bencher| {
        both.bench_component(bencher, async |plugin| {
            black_box(plugin.inspect(b"{}").await.unwrap());
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group(FRESH);
    group.bench_function("component", |bencher| {
        both.bench_component(bencher, async |plugin| {
            // An audit that is dropped before its end takes its instance with it, so the next one
            // needs another.
            black_box(plugin.audit(&AuditScope::default()).await.unwrap());
        });
    });
}
