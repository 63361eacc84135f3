//! A whole set of four drives whose files somebody changed: read in every way, and written to. What is changed
//! on one drive alone changes nothing that is read.
//!
//! `[which set, what is written]` and the changes, see `iamseal_fuzz::drives::change`.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_fuzz::drives::{change, rules, set};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [number, choice, changes @ ..] = input else {
        return;
    };
    let number = usize::from(*number);
    let drives = set(number);
    let changed = change::all(&drives, changes);
    let Some(objects) = rules::read(&drives) else {
        return;
    };
    if changed.len() < 2 {
        let whole = rules::whole(number);
        assert_eq!(&objects, whole);
    }
    rules::write(&drives, &objects, *choice);
});
