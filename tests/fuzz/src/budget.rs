//! How often root credentials may be tried.
//!
//! Argon2id takes 100 ms an object, as long as a thousand other runs. The input says whether root
//! credentials are lent, so that a finding can be repeated; inputs that say so get a tenth of the time.

use std::env;
use std::sync::Mutex;
use std::time::{Duration, Instant};

struct Spent {
    since: Instant,
    on_credentials: Duration,
}

static SPENT: Mutex<Option<Spent>> = Mutex::new(None);

/// Runs what an input asks for, unless it would lend root credentials and those had their share.
/// Whether it ran. The first in a process always runs, and so does each where nothing is searched for:
/// a former finding must not be passed over.
pub fn run(credentials: bool, run: impl FnOnce()) -> bool {
    let began = Instant::now();
    let mut spent = SPENT.lock().unwrap();
    let spent = spent.get_or_insert(Spent {
        since: began,
        on_credentials: Duration::ZERO,
    });
    let had_their_share = spent.on_credentials * 10 > began - spent.since;
    if credentials && had_their_share && is_search(env::args()) {
        return false;
    }
    run();
    if credentials {
        spent.on_credentials += began.elapsed();
    }
    true
}

/// Whether these arguments let libFuzzer make inputs of its own; `-runs=0` has it run those that it is
/// given and end.
fn is_search(mut arguments: impl Iterator<Item = String>) -> bool {
    !arguments.any(|argument| argument == "-runs=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_search_has_a_budget() {
        let is_search = |line: &str| is_search(line.split(' ').map(str::to_owned));
        assert!(!is_search("unseal -runs=0 -timeout=60 seeds"));
        assert!(is_search("unseal -runs=01 seeds"));
        assert!(is_search("unseal -max_total_time=6 seeds"));
    }
}
