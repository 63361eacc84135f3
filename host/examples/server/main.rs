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
//! | `GET /healthz` | whether it runs, and how far a migration has come: `migrating 3,412 of 10,000` |
//! | `GET /metrics` | what it counts, for Prometheus |
//!
//! | signal | does |
//! |---|---|
//! | SIGHUP | loads the plugin's file again; an unfit one is refused and the old one goes on serving |
//! | SIGUSR1 | lets the plugin serve that served before the last exchange |
//! | SIGUSR2 | reads the file that `MINIO_CONFIG_ENV_FILE` names again, and lends the keys that are in it now; with `--migrate` it goes on to the new one. Name the key before as `MINIO_KMS_MASTER_KEY` until then |
//! | SIGTERM, SIGINT | ends it when the requests that are under way have been answered |
//!
//! Put a new plugin where the old one was by renaming, so that it is never seen half written. It is
//! lent the keys like the one before, and its tests do not show whether it betrays them: only what
//! `--plugin-sha256` names is taken, so start the server with the digests of all that may come.
//!
//! With `--migrate` it brings what is in the folder, bucket or etcd to the present key and form while it serves, and
//! refuses what is not when all is done. When it is killed it goes on at the next start; when all was
//! done, that start reads one object. Several servers on one store each have a `--node` name.
//!
//! It knows no users of its own: whoever reaches its address reads and writes everything. A real
//! server puts its authentication in front of [`documents`].

mod answer;
mod conditions;
mod connections;
mod documents;
mod exchange;
mod export;
mod keys;
mod migration;
mod place;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use iamseal::contract::Policy;
use iamseal::{Limits, Plugin, PluginSlot, SealedStore};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tracing_subscriber::EnvFilter;

use documents::Documents;
use place::Place;

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
    /// The folder that holds `config/`; without it and `--store`, memory.
    #[arg(long, group = "place")]
    folder: Option<PathBuf>,
    /// A bucket or an etcd that holds `config/`, `s3://BUCKET/PREFIX` or `etcd://HOST:PORT/PREFIX`, with the
    /// variables `AWS_*` or those that MinIO has for etcd.
    #[arg(long, group = "place")]
    store: Option<String>,
    /// Where to listen; port 0 takes a free one. The address is printed.
    #[arg(long, default_value = "127.0.0.1:9080")]
    listen: String,
    /// Read what is not sealed too, for a folder that was not migrated yet.
    #[arg(long)]
    compatible: bool,
    /// Read only what is sealed under the present key, for a folder that was migrated to it.
    #[arg(long, conflicts_with = "compatible")]
    current: bool,
    /// Bring everything there to the present key while it is served. Until that is done what is not
    /// sealed is read too, and then only what is sealed under the present key.
    #[arg(long, requires = "place", conflicts_with_all = ["compatible", "current"])]
    migrate: bool,
    /// How many objects a second that may take.
    #[arg(long, requires = "migrate", default_value_t = 500)]
    migrate_objects: u32,
    /// How many milliseconds it lets requests go first, before each few of them.
    #[arg(long, requires = "migrate", default_value_t = 50)]
    migrate_patience: u64,
    /// This server's name among several on the same store, of which one migrates. In a bucket it deletes
    /// nothing then, and what is sealed under another key is read at the end too.
    #[arg(long, requires = "migrate")]
    node: Option<String>,
    /// How many seconds the others wait for the one that migrates, when they hear nothing of it.
    #[arg(long, requires = "node", default_value_t = 30)]
    lease_seconds: u64,
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
    let keyring = keys::of_process()?;
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
        .keyring(keyring.clone())
        .load()
        .await?;
    plugin.self_test().await?;
    tracing::info!(plugin = %plugin.identity(), "loaded the plugin");
    export::serving(plugin.identity());
    let slot = PluginSlot::new(plugin);

    let place = match (&arguments.folder, &arguments.store) {
        (Some(path), _) => Some(Place::folder(path).await?),
        (_, Some(address)) => Some(Place::named(address, arguments.node.is_none()).await?),
        _ => None,
    };
    let store: Arc<dyn ObjectStore> = match &place {
        Some(place) => Arc::clone(&place.documents),
        None => Arc::new(InMemory::new()),
    };
    let policy = match (arguments.compatible || arguments.migrate, arguments.current) {
        (true, _) => Policy::Compatible,
        (_, true) => Policy::Current,
        _ => Policy::Sealed,
    };
    let sealed = SealedStore::new(store, slot.clone()).policy(policy);
    let lease = Duration::from_secs(arguments.lease_seconds);
    let node = arguments.node.map(|node| (node, lease));
    let migration = match place.filter(|_| arguments.migrate) {
        Some(place) => {
            let pace = migration::Pace {
                objects: arguments.migrate_objects,
                patience: Duration::from_millis(arguments.migrate_patience),
            };
            let plan = migration::plan(place.plan, pace, node);
            Some(Arc::new(sealed.migrate_in_background(plan).await?))
        }
        None => None,
    };
    let keys = keys::Keys {
        keyring,
        migration: migration.clone(),
    };
    tokio::spawn(exchange::on_signals(slot, source, keys)?);
    let documents = Documents::new(sealed);
    serve::until_told_to_end(&arguments.listen, documents, migration, metrics).await
}
