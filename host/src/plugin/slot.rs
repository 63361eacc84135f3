//! A plugin that can be exchanged while it is in use.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;

use super::Plugin;
use super::builder::PluginBuilder;
use super::identity::Identity;

/// Holds the plugin that serves, and the one that served before it. A clone is the same slot.
///
/// A call takes the plugin once, with [`Self::current`], and keeps it to its end, so an exchange
/// fails no call: what is under way ends on the old plugin, what begins later has the new one.
///
/// ```no_run
/// # async fn exchange(slot: iamseal::PluginSlot) -> Result<(), iamseal::Error> {
/// let swapped = slot.swap(slot.current().successor().component_file("new.wasm")).await?;
/// println!("{} took the place of {}", swapped.new, swapped.old);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PluginSlot(Arc<Slot>);

struct Slot {
    serving: Mutex<Serving>,
    /// Held by whoever exchanges, so that two do not overtake each other while they test.
    exchange: tokio::sync::Mutex<()>,
}

struct Serving {
    current: Plugin,
    previous: Option<Plugin>,
}

/// An exchange that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// The component that served until now, and serves again after [`PluginSlot::roll_back`].
    pub old: Identity,
    /// The component that serves from now on.
    pub new: Identity,
}

impl PluginSlot {
    /// A slot in which this plugin serves.
    pub fn new(plugin: Plugin) -> Self {
        Self(Arc::new(Slot {
            serving: Mutex::new(Serving {
                current: plugin,
                previous: None,
            }),
            exchange: tokio::sync::Mutex::new(()),
        }))
    }

    /// The plugin that serves now.
    pub fn current(&self) -> Plugin {
        self.serving().current.clone()
    }

    /// Loads `candidate`, tests it, and if all is well lets it serve. Until then, and after any
    /// error, the present plugin serves. Build the candidate from [`Plugin::successor`], so that it
    /// is lent the same.
    ///
    /// It has to fit the world, to pass [`Plugin::self_test`], to open what the present plugin seals
    /// with what both were lent, and the other way round, so that there is a way back.
    ///
    /// # Errors
    /// Those of [`PluginBuilder::load`]; [`Error::Unfit`] with the check that failed.
    pub async fn swap(&self, candidate: PluginBuilder) -> Result<Swapped, Error> {
        let _alone = self.0.exchange.lock().await;
        let old = self.current();
        let new = candidate.load().await?;
        new.self_test().await?;
        old.agrees_with(&new).await?;
        let swapped = Swapped {
            old: old.identity().clone(),
            new: new.identity().clone(),
        };
        {
            let mut serving = self.serving();
            serving.previous = Some(std::mem::replace(&mut serving.current, new));
        }
        tracing::info!(old = %swapped.old, new = %swapped.new, "exchanged the plugin");
        Ok(swapped)
    }

    /// Lets the plugin serve again that served before the last exchange; the present one is then
    /// the one before, so a second call takes the first back. None if there was no exchange.
    ///
    /// It waits for an exchange that is under way.
    pub async fn roll_back(&self) -> Option<Swapped> {
        let _alone = self.0.exchange.lock().await;
        let swapped = {
            let mut serving = self.serving();
            let new = serving.previous.take()?;
            let old = std::mem::replace(&mut serving.current, new);
            let swapped = Swapped {
                old: old.identity().clone(),
                new: serving.current.identity().clone(),
            };
            serving.previous = Some(old);
            swapped
        };
        tracing::info!(old = %swapped.old, new = %swapped.new, "rolled the plugin back");
        Some(swapped)
    }

    fn serving(&self) -> MutexGuard<'_, Serving> {
        // Nothing panics while the lock is held.
        self.0
            .serving
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
