//! Sealing and opening objects of several sizes.

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use iamseal::{Plugin, contract};
use iamseal_core::{Location, Policy, SealOptions, Session, seal, unseal};
use iamseal_tests::component::builder;
use iamseal_tests::convert::seal_options;
use iamseal_tests::keys::Keys;
use iamseal_tests::lent::Lent;
use tokio::runtime::Runtime;

use crate::{Form, SIZES, forms};

const PATH: &[u8] = b"config/iam/users/alice/identity.json";

/// The core with a key, natively and in a component that was called before.
pub struct Both {
    lent: Lent,
    session: Session,
    plugin: Plugin,
    runtime: Runtime,
}

impl Both {
    pub fn new(keys: &Keys) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            lent: Lent::keys(keys.clone()),
            session: Session::default(),
            plugin: runtime.block_on(builder(keys, "").load()).unwrap(),
            runtime,
        }
    }

    pub fn seal_natively(&mut self, plaintext: &[u8], options: &SealOptions) -> Vec<u8> {
        let location = Location::new("", PATH).unwrap();
        seal(&self.lent, &mut self.session, &location, plaintext, options).unwrap()
    }

    pub fn unseal_natively(&mut self, stored: &[u8]) -> usize {
        let location = Location::new("", PATH).unwrap();
        let policy = Policy::Compatible;
        let opened = unseal(&self.lent, &mut self.session, &location, stored, policy);
        opened.unwrap().plaintext.len()
    }

    /// Calls the component again and again within one block of the runtime, which costs as much as a
    /// call.
    pub fn bench_component<F: AsyncFn(&Plugin)>(&self, bencher: &mut criterion::Bencher, call: F) {
        bencher.iter_custom(|count| {
            self.runtime.block_on(async {
                let begin = Instant::now();
                for _ in 0..count {
                    call(&self.plugin).await;
                }
                begin.elapsed()
            })
        });
    }
}

/// Measures everything: `seal <form>` and `unseal <form>`, each `native` and `component`.
pub fn measure(criterion: &mut Criterion) {
    let mut both = Both::new(&Keys::one("my-minio-key", &[7; 32]));
    for form in forms() {
        measure_seal(criterion, &mut both, &form);
        measure_unseal(criterion, &mut both, &form);
    }
}

fn measure_seal(criterion: &mut Criterion, both: &mut Both, form: &Form) {
    let mut group = criterion.benchmark_group(format!("seal {}", form.name));
    let options = seal_options(&form.options);
    for size in SIZES {
        let plaintext = vec![b'x'; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("native", size), |bencher| {
            bencher.iter(|| both.seal_natively(&plaintext, &form.options));
        });
        group.bench_function(BenchmarkId::new("component", size), |bencher| {
            both.bench_component(bencher, async |plugin| {
                black_box(plugin.seal(PATH, &plaintext, &options).await.unwrap());
            });
        });
    }
}

fn measure_unseal(criterion: &mut Criterion, both: &mut Both, form: &Form) {
    let mut group = criterion.benchmark_group(format!("unseal {}", form.name));
    for size in SIZES {
        let stored = both.seal_natively(&vec![b'x'; size], &form.options);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::new("native", size), |bencher| {
            bencher.iter(|| both.unseal_natively(&stored));
        });
        group.bench_function(BenchmarkId::new("component", size), |bencher| {
            both.bench_component(bencher, async |plugin| unseal_with(plugin, &stored).await);
        });
    }
}

pub async fn unseal_with(plugin: &Plugin, stored: &[u8]) {
    let policy = contract::Policy::Compatible;
    black_box(plugin.unseal(PATH, stored, policy).await.unwrap());
}
