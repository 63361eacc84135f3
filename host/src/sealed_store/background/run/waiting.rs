//! Waiting, which ends at once when there is a reason.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::super::progress::Stage;
use super::Run;

/// How long it waits after a failure of the store or the key service, at first and at most. Each time is
/// twice the one before.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(250);
pub(super) const LAST_PAUSE: Duration = Duration::from_secs(60);

/// Why a stretch of work ended before its end: it was stopped, the keys were changed, or the lease was lost.
pub(super) struct Interrupted;

impl Run {
    /// Waits while it is paused.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub(super) async fn go_on(&mut self, keys: u64) -> Result<(), Interrupted> {
        let stage = self.progress.stage;
        loop {
            let now = *self.changes.borrow_and_update();
            if now.is_stopped || now.keys != keys {
                return Err(Interrupted);
            }
            if !now.is_paused {
                if self.progress.stage != stage {
                    self.stage(stage);
                }
                return Ok(());
            }
            self.stage(Stage::Paused);
            self.changes.changed().await.map_err(|_| Interrupted)?;
        }
    }

    pub(super) async fn wait_out(
        &mut self,
        trouble: &str,
        pause: &mut Duration,
        keys: u64,
    ) -> Result<(), Interrupted> {
        self.trouble(Some(trouble.to_owned()));
        self.sleep(*pause, keys).await?;
        *pause = (2 * *pause).min(LAST_PAUSE);
        Ok(())
    }

    /// # Errors
    /// [`Interrupted`], at once.
    pub(super) async fn sleep(&mut self, time: Duration, keys: u64) -> Result<(), Interrupted> {
        let mut sleeping = pin!(tokio::time::sleep(time));
        loop {
            let now = *self.changes.borrow_and_update();
            if now.is_stopped || now.keys != keys {
                return Err(Interrupted);
            }
            if time.is_zero() {
                return Ok(());
            }
            match select(&mut sleeping, pin!(self.changes.changed())).await {
                Either::Left(_) => return Ok(()),
                Either::Right((changed, _)) => changed.map_err(|_| Interrupted)?,
            }
        }
    }
}
