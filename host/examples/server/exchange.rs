//! Exchanging the plugin and the keys at signals, while requests are served.

use std::io;
use std::path::PathBuf;

use iamseal::{PluginBuilder, PluginSlot, Swapped};
use tokio::signal::unix::{SignalKind, signal};

use crate::export;
use crate::keys::Keys;

/// Where the component comes from.
pub struct Source {
    /// Its file.
    pub file: PathBuf,
    /// The digests that it may have; any if there are none.
    pub digests: Vec<String>,
}

impl Source {
    /// Lets a builder take it.
    pub fn component(&self, builder: PluginBuilder) -> PluginBuilder {
        let mut builder = builder.component_file(&self.file);
        for digest in &self.digests {
            builder = builder.component_sha256(digest);
        }
        builder
    }
}

/// Begins to listen for the signals, and returns what acts on them, one after the other.
///
/// # Errors
/// The system does not let it listen.
pub fn on_signals(
    slot: PluginSlot,
    source: Source,
    keys: Keys,
) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut reload = signal(SignalKind::hangup())?;
    let mut back = signal(SignalKind::user_defined1())?;
    let mut other_keys = signal(SignalKind::user_defined2())?;
    Ok(async move {
        loop {
            tokio::select! {
                Some(()) = reload.recv() => exchange(&slot, &source).await,
                Some(()) = back.recv() => roll_back(&slot).await,
                Some(()) = other_keys.recv() => keys.change(),
                else => return,
            }
        }
    })
}

async fn exchange(slot: &PluginSlot, source: &Source) {
    let candidate = source.component(slot.current().successor());
    match slot.swap(candidate).await {
        Ok(swapped) => tell(&swapped, "swapped"),
        Err(error) => {
            let serving = slot.current();
            export::swap("refused");
            tracing::error!(%error, serving = serving.identity().digest(), "not exchanged");
        }
    }
}

async fn roll_back(slot: &PluginSlot) {
    match slot.roll_back().await {
        Some(swapped) => tell(&swapped, "rolled-back"),
        None => tracing::warn!("there is no plugin to go back to"),
    }
}

fn tell(swapped: &Swapped, outcome: &'static str) {
    export::retired(&swapped.old);
    export::serving(&swapped.new);
    export::swap(outcome);
    let (old, new) = (swapped.old.digest(), swapped.new.digest());
    tracing::info!(old, new, outcome, "another plugin serves");
}
