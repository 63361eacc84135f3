//! The meter that watches over the limits of one instance.

use std::time::Duration;

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::engine::{Clock, TICK};
use super::limits::{Limit, Limits};

/// A limit that was reached: which one, how much was asked, how much is allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub limit: Limit,
    pub asked: Option<u64>,
    pub allowed: u64,
}

/// Watches one instance.
///
/// The runtime only says "no" to a guest that asks for too much, and the guest then fails in some
/// way of its own. The meter remembers the "no", so that the failure can be explained.
pub(super) struct Meter {
    limits: Limits,
    clock: Clock,
    refused: Option<Refusal>,
    /// Bytes in all memories, and what that was before the growth that is under way.
    memory: usize,
    memory_before: usize,
    /// The same for table elements.
    table: usize,
    table_before: usize,
    /// Ticks of the clock during which the guest computed.
    computed: u64,
    /// The clock when the guest last began or resumed computing.
    resumed: u64,
}

impl Meter {
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Self {
            limits,
            clock,
            refused: None,
            memory: 0,
            memory_before: 0,
            table: 0,
            table_before: 0,
            computed: 0,
            resumed: 0,
        }
    }

    /// Forgets what earlier calls used and were refused.
    pub fn begin(&mut self) {
        self.refused = None;
        self.computed = 0;
        self.resume();
    }

    /// The guest goes on computing after the host did something for it.
    pub fn resume(&mut self) {
        self.resumed = self.clock.now();
    }

    /// The host computed for the guest, which counts as the guest's own time: otherwise it could let the
    /// host work for it without end.
    ///
    /// # Errors
    /// What ends the call, if that was too long.
    pub fn charge(&mut self, took: Duration) -> wasmtime::Result<()> {
        let ticks = took.as_millis() / TICK.as_millis();
        self.computed = self.computed.saturating_add(ticks as u64);
        self.check()
    }

    /// The clock ticked while the guest was under way. A tick during which it also waited for the
    /// host is not counted: waiting is [`Limits::deadline`]'s business.
    pub fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let now = self.clock.now();
        if now != self.resumed {
            self.computed += 1;
            self.resumed = now;
        }
        self.check()?;
        // Yielding lets other calls on this thread go on, and the deadline be noticed.
        Ok(UpdateDeadline::Yield(1))
    }

    fn check(&mut self) -> wasmtime::Result<()> {
        if Duration::from_millis(self.computed.saturating_mul(TICK.as_millis() as u64))
            > self.limits.guest_time
        {
            let allowed = self.limits.guest_time.as_millis() as u64;
            return Err(self.refuse(Limit::GuestTime, None, allowed));
        }
        Ok(())
    }

    /// Remembers a refusal. The error returned ends the call.
    pub fn refuse(&mut self, limit: Limit, asked: Option<u64>, allowed: u64) -> wasmtime::Error {
        self.refused = Some(Refusal {
            limit,
            asked,
            allowed,
        });
        wasmtime::Error::msg(format!("limit reached: {}", limit.describe(asked, allowed)))
    }

    /// The last refusal of this call.
    pub fn refused(&self) -> Option<Refusal> {
        self.refused
    }

    /// Bytes in all memories.
    pub fn memory(&self) -> usize {
        self.memory
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        let allowed = self.limits.memory_bytes;
        if total > allowed {
            self.refuse(Limit::Memory, Some(total as u64), allowed as u64);
            return Ok(false);
        }
        self.memory_before = self.memory;
        self.memory = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory = self.memory_before;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table.saturating_add(desired.saturating_sub(current));
        let allowed = self.limits.table_elements;
        if total > allowed {
            self.refuse(Limit::Table, Some(total as u64), allowed as u64);
            return Ok(false);
        }
        self.table_before = self.table;
        self.table = total;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table = self.table_before;
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn memories(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.instances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        let limits = Limits {
            memory_bytes: 1000,
            table_elements: 10,
            guest_time: 2 * TICK,
            ..Limits::default()
        };
        Meter::new(limits, Clock::default())
    }

    #[test]
    fn memories_count_together() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 600, None).unwrap());
        assert!(!meter.memory_growing(0, 600, None).unwrap());
        let refused = meter.refused().unwrap();
        assert_eq!(refused.limit, Limit::Memory);
        assert_eq!((refused.asked, refused.allowed), (Some(1200), 1000));
        assert!(meter.memory_growing(600, 1000, None).unwrap());
    }

    #[test]
    fn growth_that_failed_is_not_counted() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 900, None).unwrap());
        meter
            .memory_grow_failed(wasmtime::Error::msg("no"))
            .unwrap();
        assert_eq!(meter.memory(), 0);
        assert!(meter.table_growing(0, 9, None).unwrap());
        meter.table_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(meter.table_growing(0, 10, None).unwrap());
        assert!(!meter.table_growing(10, 11, None).unwrap());
    }

    #[test]
    fn waiting_for_the_host_is_not_computing() {
        let mut meter = meter();
        meter.begin();
        for _ in 0..100 {
            meter.clock.advance();
            meter.resume();
            assert!(meter.tick().is_ok());
        }
        for _ in 0..2 {
            meter.clock.advance();
            assert!(meter.tick().is_ok());
        }
        meter.clock.advance();
        assert!(meter.tick().is_err());
        assert_eq!(meter.refused().unwrap().limit, Limit::GuestTime);
    }
}
