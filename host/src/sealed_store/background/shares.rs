//! How fast a migration goes.

use std::time::{Duration, Instant};

use super::super::standing::Standing;
use super::plan::Share;

/// How often it is looked whether requests are under way. One takes some hundred microseconds.
const LOOK: Duration = Duration::from_millis(1);

/// What part of the objects that are taken together are while requests write.
const FEW: u32 = 8;
/// How many times as long as it has worked it rests then.
const RESTS: u32 = 3;

impl Share {
    /// How many objects to take at once: what a second allows, at the most.
    pub(super) fn batch(&self) -> u32 {
        self.in_flight.min(self.objects).clamp(1, 256)
    }

    /// How many to take at once after so many were. A request that writes waits for what is being made durable, so these
    /// are few while any does, and more and more when none does.
    pub(super) fn next_batch(&self, before: u32, is_written_to: bool) -> u32 {
        match is_written_to && !self.patience.is_zero() {
            true => (self.batch() / FEW).max(1),
            false => before.saturating_mul(2).min(self.batch()),
        }
    }

    /// How long to rest after having worked so long, so that most writes meet nothing of it.
    pub(super) fn rest(&self, worked: Duration, is_written_to: bool) -> Duration {
        match is_written_to {
            true => (RESTS * worked).min(self.patience),
            false => Duration::ZERO,
        }
    }

    /// How long so many objects and bytes are to take.
    pub(super) fn time_for(&self, objects: usize, bytes: u64) -> Duration {
        let seconds = |count: f64, rate: f64| count / rate.max(1.0);
        let objects = seconds(objects as f64, f64::from(self.objects));
        let bytes = seconds(bytes as f64, self.bytes as f64);
        Duration::from_secs_f64(objects.max(bytes))
    }

    /// Waits while requests are under way, but not for ever.
    pub(super) async fn give_way(&self, standing: &Standing) {
        let begun = Instant::now();
        while standing.requests() > 0 && begun.elapsed() < self.patience {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_share_is_used_up_first_counts() {
        let share = Share {
            objects: 10,
            bytes: 1000,
            ..Share::default()
        };
        assert_eq!(share.time_for(5, 100), Duration::from_millis(500));
        assert_eq!(share.time_for(1, 4000), Duration::from_secs(4));
        assert_eq!(share.batch(), 10);
        let nothing = Share {
            objects: 0,
            bytes: 0,
            in_flight: 0,
            ..Share::default()
        };
        assert_eq!(nothing.batch(), 1);
        assert_eq!(nothing.time_for(1, 0), Duration::from_secs(1));
        assert_eq!(Share::ALL.batch(), 256);
    }

    #[test]
    fn while_requests_write_few_are_taken_and_it_rests() {
        let share = Share::default();
        let took = [true, true, false, false, false, false].into_iter();
        let took = took.scan(share.batch(), |batch, is_written_to| {
            *batch = share.next_batch(*batch, is_written_to);
            Some(*batch)
        });
        assert_eq!(took.collect::<Vec<_>>(), [4, 4, 8, 16, 32, 32]);
        let worked = Duration::from_millis(10);
        assert_eq!(share.rest(worked, true), Duration::from_millis(30));
        assert_eq!(share.rest(10 * worked, true), share.patience);
        assert_eq!(share.rest(worked, false), Duration::ZERO);
        assert_eq!(Share::ALL.next_batch(256, true), 256);
        assert_eq!(Share::ALL.rest(worked, true), Duration::ZERO);
    }
}
