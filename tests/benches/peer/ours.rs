//! Sealing and opening through a live component.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use iamseal::contract::{self, SealOptions};
use iamseal_core::{Cipher, SealedForm};
use iamseal_tests::component::builder;
use iamseal_tests::convert::seal_options;
use iamseal_tests::keys::Keys;
use tokio::runtime::{Builder, Runtime};

const PATH: &[u8] = b"config/iam/users/alice/identity.json";
/// How long each kind of work is repeated in a turn: thousands of operations of a few microseconds.
const SPAN: Duration = Duration::from_millis(300);
/// How many operations there are between two looks at the clock, as in the peer.
const ROUND: u32 = 16;

/// Nanoseconds per operation of all threads together.
pub struct Ours {
    pub form: &'static str,
    pub seal_ns: f64,
    pub unseal_ns: f64,
}

impl Ours {
    /// Every form that is written, at this size, on so many threads.
    pub fn measure(size: usize, threads: usize) -> Vec<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .unwrap();
        let keys = Keys::one("my-minio-key", &[7; 32]);
        let plugin = Arc::new(runtime.block_on(builder(&keys, "").load()).unwrap());
        forms()
            .into_iter()
            .map(|(form, options)| {
                let plaintext: Arc<[u8]> = vec![b'x'; size].into();
                let sealed = runtime.block_on(plugin.seal(PATH, &plaintext, &options));
                let sealed: Arc<[u8]> = sealed.unwrap().into();
                let seal_ns = repeat(&runtime, threads, || {
                    let (plugin, plaintext) = (Arc::clone(&plugin), Arc::clone(&plaintext));
                    let options = options.clone();
                    async move {
                        for _ in 0..ROUND {
                            black_box(plugin.seal(PATH, &plaintext, &options).await.unwrap());
                        }
                    }
                });
                let unseal_ns = repeat(&runtime, threads, || {
                    let (plugin, sealed) = (Arc::clone(&plugin), Arc::clone(&sealed));
                    async move {
                        for _ in 0..ROUND {
                            let policy = contract::Policy::Sealed;
                            black_box(plugin.unseal(PATH, &sealed, policy).await.unwrap());
                        }
                    }
                });
                Self {
                    form,
                    seal_ns,
                    unseal_ns,
                }
            })
            .collect()
    }
}

fn forms() -> [(&'static str, SealOptions); 3] {
    let options = |form, cipher| {
        seal_options(&iamseal_core::SealOptions {
            form,
            key: None,
            cipher,
            data_key_encoding: None,
        })
    };
    [
        ("MinIO, ChaCha20-Poly1305", options(SealedForm::Minio, None)),
        (
            "MinIO, AES-256-GCM",
            options(SealedForm::Minio, Some(Cipher::Aes256Gcm)),
        ),
        ("compact", options(SealedForm::Compact, None)),
    ]
}

/// Repeats the work on so many threads at once and returns the time per operation.
fn repeat<F>(runtime: &Runtime, threads: usize, work: impl Fn() -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    // A warm instance for each thread.
    runtime.block_on(work());
    let begin = Instant::now();
    let mut operations = 0_u64;
    while begin.elapsed() < SPAN {
        let running: Vec<_> = (0..threads).map(|_| runtime.spawn(work())).collect();
        for task in running {
            runtime.block_on(task).unwrap();
            operations += u64::from(ROUND);
        }
    }
    begin.elapsed().as_nanos() as f64 / operations as f64
}
