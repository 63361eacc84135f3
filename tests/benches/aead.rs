//! What the components seal and open with, inside WebAssembly: RustCrypto's and ours, each with a key's setup
//! for each message, in turns within one run, and a table of it.
//!
//! `cargo bench -p iamseal-tests --bench aead`
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::time::{Duration, Instant};

use iamseal_tests::machine::machine;
use wasmtime::component::{Component, ComponentType, Linker, Lower, TypedFunc};
use wasmtime::{Engine, Store};

/// The component of the tests.
const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aead.wasm"));

/// As the component's world has it.
#[derive(Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
enum Algorithm {
    #[component(name = "aes256-gcm")]
    Aes256Gcm,
    #[component(name = "chacha20-poly1305")]
    ChaCha20Poly1305,
    #[component(name = "xchacha20-poly1305")]
    XChaCha20Poly1305,
}

const ALGORITHMS: [(&str, Algorithm); 3] = [
    ("AES-256-GCM", Algorithm::Aes256Gcm),
    ("ChaCha20-Poly1305", Algorithm::ChaCha20Poly1305),
    ("XChaCha20-Poly1305", Algorithm::XChaCha20Poly1305),
];

/// The component's function: which algorithm, RustCrypto's, opening, the size, how often.
type Work = TypedFunc<(Algorithm, bool, bool, u32, u32), ()>;

/// A data key, small and large objects, a fragment, and many of those.
const SIZES: [u32; 7] = [32, 128, 512, 2 << 10, 16 << 10, 128 << 10, 1 << 20];
/// How often each is measured. The quickest counts: whatever else the machine does only adds.
const TURNS: usize = 200;
/// About what one measurement takes, in bytes sealed: some tenths of a millisecond.
const PORTION: u32 = 64 << 10;
/// What a message costs beside its bytes, in bytes sealed.
const FIXED: u32 = 256;

fn main() {
    let engine = Engine::default();
    let component = Component::new(&engine, COMPONENT).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &component)
        .unwrap();
    let work: Work = instance.get_typed_func(&mut store, "work").unwrap();
    println!("\nMeasured on {}.\n", machine());
    println!(
        "| algorithm | size | seal: RustCrypto ÷ ours | ours | RustCrypto | ours, GB/s | open: RustCrypto ÷ ours | ours | RustCrypto | ours, GB/s |"
    );
    println!("|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (title, algorithm) in ALGORITHMS {
        for size in SIZES {
            print!("| {title} | {} |", name(size));
            for opening in [false, true] {
                let [theirs, ours] = quickest(&mut store, &work, algorithm, opening, size)
                    .map(|time| time.as_secs_f64());
                print!(
                    " **{:.2}** | {:.2} µs | {:.2} µs | {:.3} |",
                    theirs / ours,
                    ours * 1e6,
                    theirs * 1e6,
                    f64::from(size) / ours / 1e9
                );
            }
            println!();
        }
    }
}

/// One message's time, with RustCrypto's and with ours: what a call takes with all of them, less what it takes
/// with none.
fn quickest(
    store: &mut Store<()>,
    work: &Work,
    algorithm: Algorithm,
    opening: bool,
    size: u32,
) -> [Duration; 2] {
    let count = (PORTION / (size + FIXED)).max(1);
    let mut quickest = [[Duration::MAX; 2]; 2];
    for _ in 0..TURNS {
        for (rustcrypto, quickest) in [true, false].into_iter().zip(&mut quickest) {
            for (count, quickest) in [count, 0].into_iter().zip(quickest) {
                let begin = Instant::now();
                work.call(&mut *store, (algorithm, rustcrypto, opening, size, count))
                    .unwrap();
                *quickest = (*quickest).min(begin.elapsed());
            }
        }
    }
    quickest.map(|[all, none]| all.saturating_sub(none) / count)
}

fn name(size: u32) -> String {
    match size {
        0..2048 => format!("{size} B"),
        2048..1_048_576 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}
