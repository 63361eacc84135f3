//! A small server that keeps IAM documents sealed, and exchanges the plugin that seals them while it
//! serves.
//!
//! ```console
//! $ export MINIO_KMS_SECRET_KEY="$(iamseal keygen my-key)"
//! $ cargo run --example server -- --plugin iamseal.wasm --folder /data/.minio.sys \
//!       --plugin-sha256 "$(sha256sum < iamseal.wasm | cut -c -64)"
//! $ curl -T identity.json http://127.0.0.1:9080/config/iam/users/alice/identity.json
//! ```
//!
//! | request | does |
//! |---|---|
//! | `GET`, `HEAD`, `PUT`, `DELETE` of `/config/…` | one document; `If-Match` and `If-None-Match` take the entity tags that it hands out |
//! | `GET /config/`, `GET /config/…/` | the paths of the documents there, a JSON array |
//! | `GET /healthz` | whether it runs |
//! | `GET /metrics` | what it counts, for Prometheus |
//!
//! | signal | does |
//! |---|---|
//! | SIGHUP | loads the plugin's file again; an unfit one is refused and the old one goes on serving |
//! | SIGUSR1 | lets the plugin serve that served before the last exchange |
//! | SIGTERM, SIGINT | ends it when the requests that are under way have been answered |
//!
//! Put a new plugin where the old one was by renaming, so that it is never seen half written. It is
//! lent the keys like the one before, and its tests do not show whether it betrays them: only what
//! `--plugin-sha256` names is taken, so start the server with the digests of all that may come.
//!
//! It knows no users of its own: whoever reaches its address reads and writes everything. A real
//! server puts its authentication in front of [`documents`].

mod answer;
mod conditions;
mod connections;
mod documents;
mod exchange;
mod export;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use iamseal::contract::Policy;
use iamseal::keys::Environment;
use iamseal::{Limits, Plugin, PluginSlot, SealedStore};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use tracing_subscriber::EnvFilter;

use documents::Documents;

/// Keeps IAM documents sealed. Keys come from the variables that MinIO reads.
#[derive(Parser)]
struct Arguments {
    /// The component, read at the start and at every SIGHUP.
    #[arg(long)]
    plugin: PathBuf,
    /// The SHA-256 of a component that may be loaded, at the start or later, 64 hexadecimal digits. May
    /// be repeated.
    #[arg(long, required_unless_present = "trust_plugin")]
    plugin_sha256: Vec<String>,
    /// Load whatever is in that file.
    #[arg(long, conflicts_with = "plugin_sha256")]
    trust_plugin: bool,
    /// The folder that holds `config/`; without it, memory.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one. The address is printed.
    #[arg(long, default_value = "127.0.0.1:9080")]
    listen: String,
    /// Read what is not sealed too, for a folder that was not migrated yet.
    #[arg(long)]
    compatible: bool,
    /// Read only what is sealed under the present key, for a folder that was migrated to it.
    #[arg(long, conflicts_with = "compatible")]
    current: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let metrics = export::start()?;
    let keyring = Arc::new(Environment::of_process()?.keyring()?);
    let mut limits = Limits::default();
    // Less than a request may take, so that a key service that hangs is told from a client that does.
    limits.deadline = serve::PATIENCE * 2 / 3;
    let source = exchange::Source {
        file: arguments.plugin,
        digests: arguments.plugin_sha256,
    };
    let plugin = source
        .component(Plugin::builder())
        .limits(limits)
        .keyring(keyring)
        .load()
        .await?;
    plugin.self_test().await?;
    tracing::info!(plugin = %plugin.identity(), "loaded the plugin");
    export::serving(plugin.identity());
    let slot = PluginSlot::new(plugin);

    let store: Arc<dyn ObjectStore> = match &arguments.folder {
        // Durable, as far as this store goes: its deletions are only in the system's cache when it
        // returns, so a loss of power can bring a deleted document back.
        Some(folder) => Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true)),
        None => Arc::new(InMemory::new()),
    };
    let policy = match (arguments.compatible, arguments.current) {
        (true, _) => Policy::Compatible,
        (_, true) => Policy::Current,
        _ => Policy::Sealed,
    };
    let sealed = SealedStore::new(store, slot.clone()).policy(policy);
    tokio::spawn(exchange::on_signals(slot, source)?);
    serve::until_told_to_end(&arguments.listen, Documents::new(sealed), metrics).await
}
