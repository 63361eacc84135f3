//! Time during which this process ran. While it is stopped (Ctrl-Z, SIGSTOP, a suspended machine) the
//! clocks of the system go on, and a limit counted by them would be reached by nothing.

use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the clock looks: often enough for the shortest limit that is of use.
const TICK: Duration = Duration::from_millis(10);
/// A longer gap between two looks was a stop. A machine under heavy load keeps a thread waiting for some
/// 100 ms, and whoever types Ctrl-Z and `fg` takes longer than this.
const GAP: Duration = Duration::from_secs(1);

/// A point in that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

/// Work was not done in time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Late;

impl Moment {
    /// As of the last look of the clock. Where the clock has no thread, time stands still: see [`start`].
    pub fn now() -> Self {
        let _ = start();
        Self(Duration::from_nanos(AWAKE.load(Ordering::Acquire)))
    }

    /// So much later; never, if there is no such time.
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }

    /// How long it has been.
    pub fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    /// How long until then.
    fn left(self) -> Duration {
        self.0.saturating_sub(Self::now().0)
    }
}

/// What the work comes to, unless it is not done by then. Work that is ready is never late.
///
/// # Errors
/// [`Late`]; the work is dropped.
pub(crate) async fn timeout_at<T>(until: Moment, work: impl Future<Output = T>) -> Result<T, Late> {
    let mut work = pin!(work);
    loop {
        let left = until.left();
        match tokio::time::timeout(left, work.as_mut()).await {
            Ok(done) => return Ok(done),
            Err(_) if left.is_zero() => return Err(Late),
            // The time may have gone by in a stop.
            Err(_) => {}
        }
    }
}

/// A stretch of time, to learn whether the process was stopped in it: a server may have given it up.
#[cfg(any(feature = "kes", feature = "s3"))]
pub(crate) struct Stretch(u64);

#[cfg(any(feature = "kes", feature = "s3"))]
impl Stretch {
    /// Begins now.
    pub fn begin() -> Self {
        // Without a clock there are no stops, and all is as if there were none.
        let _ = start();
        Self(STOPS.load(Ordering::Acquire))
    }

    /// Whether there was a stop in it.
    pub async fn had_stop(&self) -> bool {
        // Whoever asks may be awake again before the clock has looked.
        tokio::time::sleep(2 * TICK).await;
        STOPS.load(Ordering::Acquire) != self.0
    }
}

/// What the clock has seen, for all threads: nanoseconds awake, and stops.
static AWAKE: AtomicU64 = AtomicU64::new(0);
static STOPS: AtomicU64 = AtomicU64::new(0);

/// Adds up what the clock sees.
#[derive(Default)]
struct Count {
    awake: Duration,
    stops: u64,
    /// The system's time at the last look.
    last: Duration,
}

impl Count {
    fn look(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.last);
        self.last = now;
        if passed > GAP {
            self.stops += 1;
            self.awake += TICK;
        } else {
            self.awake += passed;
        }
    }
}

/// Starts the clock, unless it runs. It goes on as long as the process.
///
/// # Errors
/// A text: the system gives it no thread.
pub(crate) fn start() -> Result<(), String> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let begun = Instant::now();
        // A thread and not a task: a task waits while plugins compute on all threads of the executor.
        let clock = thread::Builder::new().name("iamseal-awake".to_owned());
        let started = clock.spawn(move || {
            let mut count = Count::default();
            loop {
                thread::sleep(TICK);
                count.look(begun.elapsed());
                let awake = u64::try_from(count.awake.as_nanos()).unwrap_or(u64::MAX);
                AWAKE.store(awake, Ordering::Release);
                STOPS.store(count.stops, Ordering::Release);
            }
        });
        started.map(drop).map_err(|error| error.to_string())
    });
    started.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks at each of these times, in milliseconds.
    fn count(looks: impl IntoIterator<Item = u64>) -> Count {
        let mut count = Count::default();
        for look in looks {
            count.look(Duration::from_millis(look));
        }
        count
    }

    #[test]
    fn all_time_counts_while_the_process_runs() {
        let count = count((0..=6000).step_by(10));
        assert_eq!((count.awake, count.stops), (6 * SECOND, 0));
    }

    #[test]
    fn a_busy_machine_is_no_stop() {
        let count = count([10, 400, 1400, 1410, 2000]);
        assert_eq!((count.awake, count.stops), (2 * SECOND, 0));
    }

    #[test]
    fn a_stop_counts_as_one_tick() {
        let count = count([10, 20, 60_020, 60_030, 3_660_030, 3_660_040]);
        assert_eq!((count.awake, count.stops), (6 * TICK, 2));
    }

    #[test]
    fn a_clock_that_goes_back_counts_for_nothing() {
        assert_eq!(count([100, 50, 60]).awake, Duration::from_millis(110));
    }

    #[tokio::test]
    async fn work_is_late_when_its_time_is_over() {
        start().unwrap();
        let begun = Instant::now();
        let until = Moment::now().after(10 * TICK);
        let late = timeout_at(until, std::future::pending::<()>()).await;
        assert_eq!(late, Err(Late));
        assert!(begun.elapsed() >= 9 * TICK);
        assert_eq!(timeout_at(until, async { 1 }).await, Ok(1));
        assert!(until.elapsed() < SECOND * 60);
    }
}
