//! How fast a migration goes.

use std::time::{Duration, Instant};

use super::super::standing::Standing;
use super::plan::Share;

/// How often it is looked whether requests are under way. One takes some hundred microseconds.
const LOOK: Duration = Duration::from_millis(1);

impl Share {
    /// How many objects to take at once: what a second allows, at the most.
    pub(super) fn batch(&self) -> u32 {
        self.in_flight.min(self.objects).clamp(1, 256)
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
}
