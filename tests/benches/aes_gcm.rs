//! AES-256-GCM inside WebAssembly: RustCrypto's and ours, each with a new key for each message, in turns
//! within one run, and a table of it.
//!
//! `cargo bench -p iamseal-tests --bench aes_gcm`
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::time::{Duration, Instant};

use iamseal_tests::machine::machine;
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Engine, Store};

/// The component of the tests.
const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aes-gcm.wasm"));

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
    let work = instance.get_typed_func(&mut store, "work").unwrap();
    println!("\nMeasured on {}.\n", machine());
    println!("| size | RustCrypto ÷ ours | ours | RustCrypto | ours, GB/s |");
    println!("|--:|--:|--:|--:|--:|");
    for size in SIZES {
        let [theirs, ours] = quickest(&mut store, &work, size).map(|time| time.as_secs_f64());
        println!(
            "| {} | **{:.2}** | {:.2} µs | {:.2} µs | {:.3} |",
            name(size),
            theirs / ours,
            ours * 1e6,
            theirs * 1e6,
            f64::from(size) / ours / 1e9
        );
    }
}

/// One message's time, with RustCrypto's and with ours.
fn quickest(
    store: &mut Store<()>,
    work: &TypedFunc<(bool, u32, u32), ()>,
    size: u32,
) -> [Duration; 2] {
    let count = (PORTION / (size + FIXED)).max(1);
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..TURNS {
        for (rustcrypto, quickest) in [true, false].into_iter().zip(&mut quickest) {
            let begin = Instant::now();
            work.call(&mut *store, (rustcrypto, size, count)).unwrap();
            *quickest = (*quickest).min(begin.elapsed() / count);
        }
    }
    quickest
}

fn name(size: u32) -> String {
    match size {
        0..2048 => format!("{size} B"),
        2048..1_048_576 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}
