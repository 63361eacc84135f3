//! Which of several servers migrates: the one whose name stands in an object. All that it takes is that
//! the store writes against versions. The holder writes it anew all the time; who sees the same version
//! for as long as the lease lasts, by a clock of its own, puts its own name in the place of that version.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::Error;
use crate::plugin::Plugin;
use crate::storage::Version;

use super::LEASE;
use super::objects::{Objects, is_conflict};

/// How often a lease is renewed, or looked at, in the time that it lasts.
const LOOKS: u32 = 4;

/// A server that wants the lease, or has it.
pub(super) struct Lease {
    pub node: String,
    pub time: Duration,
    pub objects: Objects,
    /// The version that was seen last, and since when it has been the same.
    seen: Option<(Version, Instant)>,
}

/// A lease that is held.
pub(super) struct Held {
    version: Version,
    renewed: Instant,
}

impl Lease {
    pub fn new(node: String, time: Duration, objects: Objects) -> Self {
        Self {
            node,
            time,
            objects,
            seen: None,
        }
    }

    /// How long to wait before the next try.
    pub fn pause(&self) -> Duration {
        self.time / LOOKS
    }

    /// Takes the lease if it is free, or if its holder seems dead. None: another server has it.
    ///
    /// # Errors
    /// The store's and the plugin's.
    pub async fn take(&mut self, plugin: &Plugin) -> Result<Option<Held>, Error> {
        let over = match self.objects.read(plugin, LEASE).await? {
            None => None,
            Some(own) => {
                if !self.is_free(own.record.as_ref(), &own.version) {
                    return Ok(None);
                }
                Some(own.version)
            }
        };
        let renewed = Instant::now();
        match self.put(plugin, Some(&self.node), over).await {
            Ok(version) => Ok(Some(Held { version, renewed })),
            Err(error) if is_conflict(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_free(&mut self, record: Option<&Value>, version: &Version) -> bool {
        let node = record.map(|record| record.get("node").unwrap_or(&Value::Null));
        if node.is_some_and(Value::is_null) {
            return true;
        }
        // A holder that keeps it longer than this server would is given its time.
        let theirs = record.and_then(|record| record.get("milliseconds")?.as_u64());
        let time = self
            .time
            .max(Duration::from_millis(theirs.unwrap_or(0)).min(self.time.saturating_mul(10)));
        match &self.seen {
            Some((seen, since)) if seen == version => since.elapsed() >= time,
            _ => {
                self.seen = Some((version.clone(), Instant::now()));
                false
            }
        }
    }

    /// Renews a lease until it is lost.
    pub async fn keep(&self, plugin: impl Fn() -> Plugin, held: &mut Held) {
        loop {
            tokio::time::sleep(self.pause()).await;
            let begun = Instant::now();
            let over = Some(held.version.clone());
            match self.put(&plugin(), Some(&self.node), over).await {
                Ok(version) => {
                    held.version = version;
                    held.renewed = begun;
                }
                Err(error) if is_conflict(&error) => return,
                Err(error) => {
                    tracing::warn!(%error, "the lease of the migration was not renewed");
                    if held.renewed.elapsed() >= self.time {
                        return;
                    }
                }
            }
        }
    }

    /// Gives it to whoever comes. If that fails, it runs out.
    pub async fn give_up(&self, plugin: &Plugin, held: Held) {
        if let Err(error) = self.put(plugin, None, Some(held.version)).await {
            tracing::debug!(%error, "the lease runs out by itself");
        }
    }

    async fn put(
        &self,
        plugin: &Plugin,
        node: Option<&str>,
        over: Option<Version>,
    ) -> Result<Version, Error> {
        let time = u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX);
        let record = json!({ "version": 1, "node": node, "milliseconds": time });
        self.objects.write(plugin, LEASE, &record, over).await
    }
}
