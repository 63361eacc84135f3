//! Native code that was compiled beforehand, for hosts that cannot compile where they run.
//!
//! It is the one way around the sandbox, so nothing takes it by itself: a component is loaded from
//! WebAssembly alone unless a host says in an `unsafe` block that it vouches for the bytes.
#![allow(unsafe_code)]

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::Error;

use super::builder::{PluginBuilder, blocking};
use super::cache::CompileCache;
use super::engine;
use super::source::{Source, unfit};

impl PluginBuilder {
    /// Compiles the component, for [`Self::precompiled`] on a machine of this kind, with this version
    /// of the crate. The bytes are native code: keep them where nobody else can write.
    ///
    /// # Errors
    /// [`Error::Load`], [`Error::OtherDigest`] and [`Error::Limit`] as for [`Self::load`].
    pub async fn precompile(self) -> Result<Vec<u8>, Error> {
        let name = self.source.name();
        blocking(name, move || {
            let read = self.source.read(&self.named)?;
            let shown = read.identity.to_string();
            let (engine, _clock) = engine::start(&self.limits, &CompileCache::Off)
                .map_err(|message| unfit(&shown, &message))?;
            let code = engine.precompile_component(&read.bytes);
            code.map_err(|error| unfit(&shown, &error.root_cause().to_string()))
        })
        .await
    }

    /// What [`Self::precompile`] made, instead of a component.
    ///
    /// A component's metadata is not in its native code: the version in [`crate::Identity`] is
    /// missing, and the digest is that of these bytes.
    ///
    /// # Safety
    /// The bytes come from [`Self::precompile`] and nobody has changed them since. They are run as
    /// native code with all that this process may do, and no limit binds them. Bytes of another
    /// version, kind of machine or setting are found out and refused with [`Error::Load`]; ill will
    /// is not.
    #[must_use]
    pub unsafe fn precompiled(mut self, code: Vec<u8>) -> Self {
        self.add(Source::Precompiled(code));
        self
    }
}

/// Takes native code for a component.
pub(super) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: whoever called `precompiled` vouched for these bytes.
    unsafe { Component::deserialize(engine, code) }
}
