//! How often root credentials may be tried.
//!
//! Argon2id takes 100 ms an object, as long as a thousand other runs. The input says whether root
//! credentials are lent, so that a finding can be repeated; inputs that say so get a tenth of the time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

struct Spent {
    since: Instant,
    on_credentials: Duration,
}

static SPENT: Mutex<Option<Spent>> = Mutex::new(None);

/// Runs what an input asks for, unless it would lend root credentials and those had their share.
/// Whether it ran. The first in a process always runs.
pub fn run(credentials: bool, run: impl FnOnce()) -> bool {
    let began = Instant::now();
    let mut spent = SPENT.lock().unwrap();
    let spent = spent.get_or_insert(Spent {
        since: began,
        on_credentials: Duration::ZERO,
    });
    if credentials && spent.on_credentials * 10 > began - spent.since {
        return false;
    }
    run();
    if credentials {
        spent.on_credentials += began.elapsed();
    }
    true
}
