//! Hands the component's counters to libFuzzer, and adds up which of them ever moved.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Room for the counters; the component has some 4,000.
const ROOM: usize = 1 << 14;

/// libFuzzer looks for a section of this name, reads it after each run and sets it to zero before. It
/// is atomic only so that the compiler believes that somebody reads it.
#[allow(unsafe_code)] // The name is libFuzzer's; nothing else has it.
#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static EXTRA: [AtomicU8; ROOM] = [const { AtomicU8::new(0) }; ROOM];

/// Which counters have moved in any run of this process.
static MOVED: Mutex<Vec<bool>> = Mutex::new(Vec::new());

/// Takes over what a run's counters say.
///
/// # Panics
/// If there are more counters than room for them, or none: the component is built without.
pub fn record(counters: &[u8]) {
    assert!((1..=ROOM).contains(&counters.len()), "{}", counters.len());
    let mut moved = MOVED.lock().unwrap();
    moved.resize(counters.len(), false);
    for ((extra, moved), count) in EXTRA.iter().zip(&mut *moved).zip(counters) {
        // The component's counters wrap: one that was hit 256 times, or a multiple of that, reads 0
        // and is lost for this run. libFuzzer's own have the same flaw.
        extra.store(*count, Relaxed);
        *moved |= *count > 0;
    }
}

/// Makes the process say at its end how many of the counters moved.
pub fn report_at_exit() {
    #[allow(unsafe_code)]
    unsafe extern "C" {
        /// C's own: libFuzzer ends the process and tells nobody.
        safe fn atexit(function: extern "C" fn()) -> i32;
    }
    extern "C" fn report() {
        let moved = MOVED.lock().unwrap();
        let count = moved.iter().filter(|moved| **moved).count();
        eprintln!("coverage: {count} of {} counters", moved.len());
    }
    assert_eq!(atexit(report), 0);
}
