//! The export `coverage`, for fuzzing alone: what code has run in this instance.
//!
//! The compiler's sanitizer coverage gives each branch a byte that counts how often it was taken. All
//! of them lie in one piece of memory, which the compiler's own start-up code makes known here.
#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use crate::Plugin;

#[allow(missing_docs, unsafe_code, warnings, clippy::all)]
mod contract {
    wit_bindgen::generate!({
        path: ["../../wit", "../../tests/fuzz/wit"],
        world: "iamseal:fuzz/counted",
    });
    use super::Plugin;
    export!(Plugin);
}

static FIRST: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static END: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Called for each unit of code, each time with the bounds of all counters.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(first: *mut u8, end: *mut u8) {
    FIRST.store(first, Relaxed);
    END.store(end, Relaxed);
}

impl contract::exports::iamseal::fuzz::coverage::Guest for Plugin {
    fn counters() -> Vec<u8> {
        let (first, end) = (FIRST.load(Relaxed), END.load(Relaxed));
        if first.is_null() {
            return Vec::new();
        }
        let count = end.addr() - first.addr();
        // SAFETY: the linker has put the counters between these bounds; without threads nothing
        // writes to them meanwhile.
        unsafe { slice::from_raw_parts(first, count) }.to_vec()
    }
}
