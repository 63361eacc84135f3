//! Loading a component.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::Linker;

use crate::describe::line;
use crate::error::Error;
use crate::keys::Keyring;
use crate::storage::{Storage, StorageWriter};

use super::Plugin;
use super::auditor::Auditor;
use super::cache::CompileCache;
use super::description::ComponentDescription;
use super::instance::{Linked, Pool};
use super::lend::Lent;
use super::limits::Limits;
use super::source::{Compiled, Source, unfit};
use super::world::{self, Fit, World};

/// What to load and what to lend it; see [`Plugin::builder`].
#[derive(Default)]
pub struct PluginBuilder {
    pub(super) source: Source,
    /// The digests that the component may have; any if there are none.
    pub(super) named: Vec<String>,
    lent: Lent,
    store_name: String,
    pub(super) limits: Limits,
    cache: CompileCache,
}

impl PluginBuilder {
    /// What `plugin` was lent, and its limits.
    pub(super) fn like(plugin: &Plugin) -> Self {
        let pool = &plugin.reader.pool;
        Self {
            source: Source::Missing,
            named: Vec::new(),
            lent: pool.lent().clone(),
            store_name: plugin.reader.store_name.to_string(),
            limits: pool.limits.clone(),
            cache: pool.cache.clone(),
        }
    }

    /// The component itself, in WebAssembly's binary format.
    #[must_use]
    pub fn component(mut self, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        self.add(Source::Bytes(bytes.into()));
        self
    }

    /// The file that holds the component. It is read once, when the plugin is loaded.
    #[must_use]
    pub fn component_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.add(Source::File(path.into()));
        self
    }

    /// Takes no component but one whose bytes have this SHA-256, 64 hexadecimal digits as
    /// [`Identity::digest`](super::Identity::digest) gives them. Called more than once, any of the
    /// digests will do. A component that is lent keys can betray them, whatever tests it passes: name
    /// the one that you trust. Nothing else vouches for a component's file.
    #[must_use]
    pub fn component_sha256(mut self, digest: impl Into<String>) -> Self {
        self.named.push(digest.into());
        self
    }

    /// The keys. The plugin gets handles of them and never their bytes or a password. Without them there
    /// are no keys, no root credentials and no default key.
    #[must_use]
    pub fn keyring(mut self, keyring: Arc<dyn Keyring>) -> Self {
        self.lent.keyring = Some(keyring);
        self
    }

    /// The store for audits and migrations to read. Without it reading is refused.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.lent.storage = Some(storage);
        self
    }

    /// The store for migrations to write, the same one that is read. Without it writing is
    /// refused.
    #[must_use]
    pub fn storage_writer(mut self, writer: Arc<dyn StorageWriter>) -> Self {
        self.lent.storage_writer = Some(writer);
        self
    }

    /// A name for the store that compact objects are bound to: what is sealed under one name does
    /// not open under another. Any text; empty if this is not called.
    #[must_use]
    pub fn store_name(mut self, name: impl Into<String>) -> Self {
        self.store_name = name.into();
        self
    }

    /// What the plugin may use, instead of the defaults of [`Limits`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where compiled code is kept, instead of [`CompileCache::Default`].
    #[must_use]
    pub fn cache(mut self, cache: CompileCache) -> Self {
        self.cache = cache;
        self
    }

    /// Compiles the component, on a thread for work that blocks, and makes a first instance of it.
    /// Compiling takes some hundred milliseconds in a build with optimisation, and about one when it was done before.
    ///
    /// # Errors
    /// [`Error::Load`] unless there is exactly one component, it can be read, and it is one;
    /// [`Error::OtherDigest`] if another was named; [`Error::Incompatible`] if it is for another world; [`Error::Limit`] and [`Error::Trap`] if
    /// it cannot even start.
    pub async fn load(self) -> Result<Plugin, Error> {
        let reader = self.start(&world::PLUGIN).await?;
        Ok(Plugin { reader })
    }

    /// The same for a component of the world `auditor`. A way to make data keys and a store to write are
    /// not lent, whatever the builder was given, and a component that imports one is refused.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub async fn load_auditor(self) -> Result<Auditor, Error> {
        self.start(&world::AUDITOR).await
    }

    /// Says which component this is and how it fits the worlds, without running it.
    ///
    /// # Errors
    /// [`Error::Load`], [`Error::OtherDigest`] and [`Error::Limit`] as for [`Self::load`].
    pub async fn describe(self) -> Result<ComponentDescription, Error> {
        let name = self.source.name();
        blocking(name, move || {
            let compiled = self
                .source
                .compile(&self.named, &self.limits, &self.cache)?;
            let fit = Fit::of(&compiled.component, &compiled.engine);
            Ok(ComponentDescription::new(compiled.identity, &fit))
        })
        .await
    }

    async fn start(self, world: &'static World) -> Result<Auditor, Error> {
        let Self {
            source,
            named,
            lent,
            store_name,
            limits,
            cache,
        } = self;
        let pool = blocking(source.name(), move || {
            let compiled = source.compile(&named, &limits, &cache)?;
            let linked = link(&compiled, world)?;
            Ok(Pool::new(compiled, limits, cache, linked, lent))
        })
        .await?;
        let first = pool.make(pool.until()).await?;
        pool.put(first);
        tracing::debug!(component = %pool.identity, "loaded");
        Ok(Auditor {
            pool: Arc::new(pool),
            store_name: store_name.into(),
        })
    }

    /// Takes a component; which one is not clear after a second.
    pub(super) fn add(&mut self, source: Source) {
        self.source = match self.source {
            Source::Missing => source,
            _ => Source::Several,
        };
    }
}

/// Does work that blocks, such as compiling the component of this name, on a thread for it.
///
/// # Errors
/// The work's own; [`Error::Load`] if it panics.
pub(super) async fn blocking<T: Send + 'static>(
    name: String,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_panic| unfit(&name, "the compiler failed"))?
}

/// Binds the imports that the world has, and no others. The names are compared first: the runtime
/// says of a missing interface no more than that it is missing.
fn link(compiled: &Compiled, world: &'static World) -> Result<Linked, Error> {
    let fit = Fit::of(&compiled.component, &compiled.engine);
    let incompatible = |message: String| Error::Incompatible {
        component: compiled.identity.to_string(),
        world: world.name,
        expected: world.expected(),
        found: fit.found(),
        message,
    };
    if let Some(difference) = fit.difference(world) {
        return Err(incompatible(difference));
    }
    let mut linker = Linker::new(&compiled.engine);
    (world.lend)(&mut linker)
        .and_then(|()| linker.instantiate_pre(&compiled.component))
        .and_then(|pre| {
            Ok(Linked {
                world,
                exports: (world.look_up)(&pre)?,
                found: fit.found(),
                pre,
            })
        })
        .map_err(|error| incompatible(line(&format!("{error:#}"))))
}
