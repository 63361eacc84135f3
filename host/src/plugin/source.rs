//! Where a component comes from, up to its code for an engine.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::describe::line;
use crate::error::Error;

use super::cache::CompileCache;
use super::engine::{self, Clock};
use super::identity::Identity;
use super::limits::{Limit, Limits};
use super::precompiled;

/// The largest component file that is read: a hundred times the size of ours.
const COMPONENT_BYTES: u64 = 64 << 20;

/// What a builder was given.
#[derive(Default)]
pub(super) enum Source {
    #[default]
    Missing,
    Bytes(Cow<'static, [u8]>),
    File(PathBuf),
    Precompiled(Vec<u8>),
    Several,
}

/// A component's bytes, whole but not compiled.
pub(super) struct Bytes {
    pub identity: Identity,
    pub bytes: Cow<'static, [u8]>,
    is_native: bool,
}

/// A component and the engine that it was compiled for.
pub(super) struct Compiled {
    pub identity: Identity,
    pub engine: Engine,
    pub clock: Clock,
    pub component: Component,
}

impl Source {
    /// The name to show: the file's, without its folder.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                line(&name.to_string_lossy())
            }
            Self::Precompiled(_) => "iamseal, precompiled,".to_owned(),
            _ => "iamseal".to_owned(),
        }
    }

    /// Reads the component, which is one of those that are `named` by their digests if any are, and
    /// walks through it once.
    ///
    /// # Errors
    /// [`Error::Load`], [`Error::OtherDigest`], [`Error::Limit`].
    pub fn read(self, named: &[String]) -> Result<Bytes, Error> {
        let read = self.read_any()?;
        let found = read.identity.digest();
        match named.is_empty()
            || named
                .iter()
                .any(|digest| digest.eq_ignore_ascii_case(found))
        {
            true => Ok(read),
            false => Err(Error::OtherDigest {
                component: read.identity.to_string(),
                found: found.to_owned(),
            }),
        }
    }

    fn read_any(self) -> Result<Bytes, Error> {
        let name = self.name();
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::File(path) => read(&path, &name)?.into(),
            Self::Precompiled(code) => {
                return Ok(Bytes {
                    identity: Identity::of_code(&name, &code),
                    bytes: code.into(),
                    is_native: true,
                });
            }
            Self::Missing => return Err(unfit(&name, "no component was given")),
            Self::Several => return Err(unfit(&name, "more than one component was given")),
        };
        bounded(&name, bytes.len() as u64)?;
        let identity = Identity::of(&name, &bytes).map_err(|message| unfit(&name, &message))?;
        Ok(Bytes {
            identity,
            bytes,
            is_native: false,
        })
    }

    /// Reads the component and compiles it, if it is one of those that are `named`. Blocks.
    ///
    /// # Errors
    /// [`Error::Load`], [`Error::OtherDigest`], [`Error::Limit`].
    pub fn compile(
        self,
        named: &[String],
        limits: &Limits,
        cache: &CompileCache,
    ) -> Result<Compiled, Error> {
        let Bytes {
            identity,
            bytes,
            is_native,
        } = self.read(named)?;
        let shown = identity.to_string();
        let (engine, clock) =
            engine::start(limits, cache).map_err(|message| unfit(&shown, &message))?;
        let component = match is_native {
            true => precompiled::load(&engine, &bytes),
            false => Component::from_binary(&engine, &bytes),
        };
        let component =
            component.map_err(|error| unfit(&shown, &error.root_cause().to_string()))?;
        Ok(Compiled {
            identity,
            engine,
            clock,
            component,
        })
    }
}

/// [`Error::Load`].
pub(super) fn unfit(component: &str, message: &str) -> Error {
    Error::Load {
        component: component.to_owned(),
        message: line(message),
    }
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let failed =
        |error: std::io::Error| unfit(name, &format!("{} cannot be read: {error}", path.display()));
    // A pipe or a device could keep this thread for ever: it is opened without waiting, and looked at as
    // it was opened, since another one may stand there by now.
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(std::io::Error::other("it is not a file")));
    }
    let mut bytes = Vec::new();
    file.take(COMPONENT_BYTES + 1)
        .read_to_end(&mut bytes)
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
