//! Loading a component.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::error::{Error, line};
use crate::keys::{KeyGenerator, Keyring};
use crate::storage::{Storage, StorageWriter};

use super::Plugin;
use super::auditor::Auditor;
use super::engine::{self, CompileCache};
use super::identity::Identity;
use super::instance::{Linked, Pool};
use super::lend::Lent;
use super::limits::{Limit, Limits};
use super::world::{self, Fit, World};

/// The largest component file that is read: a hundred times the size of ours.
const COMPONENT_BYTES: u64 = 64 << 20;

/// What to load and what to lend it; see [`Plugin::builder`].
#[derive(Default)]
pub struct PluginBuilder {
    source: Option<Source>,
    lent: Lent,
    store_name: String,
    limits: Limits,
    cache: CompileCache,
}

enum Source {
    Bytes(Cow<'static, [u8]>),
    File(PathBuf),
    Both,
}

impl PluginBuilder {
    /// What `plugin` was lent, and its limits.
    pub(super) fn like(plugin: &Plugin) -> Self {
        let pool = &plugin.reader.pool;
        Self {
            source: None,
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

    /// The keys to read with. Without them there are no keys, no root credentials and no default
    /// key.
    #[must_use]
    pub fn keyring(mut self, keyring: Arc<dyn Keyring>) -> Self {
        self.lent.keyring = Some(keyring);
        self
    }

    /// What makes data keys under remote keys. Without it that is denied.
    #[must_use]
    pub fn key_generator(mut self, generator: Arc<dyn KeyGenerator>) -> Self {
        self.lent.key_generator = Some(generator);
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
    /// Compiling takes some hundred milliseconds, and about one when it was done before.
    ///
    /// # Errors
    /// [`Error::Load`] unless there is exactly one component, it can be read, and it is one;
    /// [`Error::Incompatible`] if it is for another world; [`Error::Limit`] and [`Error::Trap`] if
    /// it cannot even start.
    pub async fn load(self) -> Result<Plugin, Error> {
        let reader = self.start(&world::PLUGIN).await?;
        Ok(Plugin { reader })
    }

    /// The same for a component of the world `auditor`. A key generator and a store to write are
    /// not lent, whatever the builder was given, and a component that imports one is refused.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub async fn load_auditor(self) -> Result<Auditor, Error> {
        self.start(&world::AUDITOR).await
    }

    async fn start(self, world: &'static World) -> Result<Auditor, Error> {
        let Self {
            source,
            lent,
            store_name,
            limits,
            cache,
        } = self;
        let name = Source::name(source.as_ref());
        let compiling =
            tokio::task::spawn_blocking(move || compile(source, world, lent, limits, cache)).await;
        let pool = compiling.map_err(|_panic| Error::Load {
            component: name,
            message: "the compiler failed".to_owned(),
        })??;
        let first = pool.make().await?;
        pool.put(first);
        tracing::debug!(component = %pool.identity, "loaded");
        Ok(Auditor {
            pool: Arc::new(pool),
            store_name: store_name.into(),
        })
    }

    fn add(&mut self, source: Source) {
        self.source = Some(match self.source {
            None => source,
            Some(_) => Source::Both,
        });
    }
}

impl Source {
    fn name(source: Option<&Self>) -> String {
        match source {
            Some(Self::File(path)) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                line(&name.to_string_lossy())
            }
            _ => "iamseal".to_owned(),
        }
    }
}

fn compile(
    source: Option<Source>,
    world: &'static World,
    lent: Lent,
    limits: Limits,
    cache: CompileCache,
) -> Result<Pool, Error> {
    let name = Source::name(source.as_ref());
    let unfit = |component: &str, message: String| Error::Load {
        component: component.to_owned(),
        message,
    };
    let bytes = match source {
        Some(Source::Bytes(bytes)) => bytes,
        Some(Source::File(path)) => read(&path, &name)?.into(),
        None => return Err(unfit(&name, "no component was given".to_owned())),
        Some(Source::Both) => {
            let message = "more than one component was given".to_owned();
            return Err(unfit(&name, message));
        }
    };
    bounded(&name, bytes.len() as u64)?;
    let identity = Identity::of(&name, &bytes).map_err(|message| unfit(&name, message))?;
    let shown = identity.to_string();
    let (engine, clock) =
        engine::start(&limits, &cache).map_err(|message| unfit(&shown, line(&message)))?;
    let component = Component::from_binary(&engine, &bytes)
        .map_err(|error| unfit(&shown, line(&error.root_cause().to_string())))?;
    let linked = link(&component, world, &engine, &shown)?;
    Ok(Pool::new(
        identity, limits, cache, engine, clock, linked, lent,
    ))
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::Load {
        component: name.to_owned(),
        message: format!("{} cannot be read: {error}", path.display()),
    };
    // A pipe or a device could keep this thread for ever.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(std::io::Error::other("it is not a file")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(COMPONENT_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    Ok(bytes)
}

fn bounded(name: &str, size: u64) -> Result<(), Error> {
    if size <= COMPONENT_BYTES {
        return Ok(());
    }
    Err(Error::Limit {
        component: name.to_owned(),
        limit: Limit::Component,
        asked: Some(size),
        allowed: COMPONENT_BYTES,
    })
}

/// Binds the imports that the world has, and no others. The names are compared first: the runtime
/// says of a missing interface no more than that it is missing.
fn link(
    component: &Component,
    world: &'static World,
    engine: &Engine,
    shown: &str,
) -> Result<Linked, Error> {
    let fit = Fit::of(component, engine);
    let incompatible = |message: String| Error::Incompatible {
        component: shown.to_owned(),
        world: world.name,
        expected: world.expected(),
        found: fit.found(),
        message,
    };
    if let Some(difference) = fit.difference(world) {
        return Err(incompatible(difference));
    }
    let mut linker = Linker::new(engine);
    (world.lend)(&mut linker)
        .and_then(|()| linker.instantiate_pre(component))
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
