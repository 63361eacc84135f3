//! The command line for hosts of `wasi:cli`, in three components, which `iamseal-dist` joins with the plugin
//! and the component that reads drives. The command calls the plugin, and the plugin calls what it is lent: components
//! cannot import from each other in a circle, so what lends is a component of its own, the adapters; and what lends
//! the files of drives is another, since the adapters call the component that reads them.

use std::alloc::System;

use iamseal_runtime::Wiping;

#[global_allocator]
static ALLOCATOR: Wiping<System> = Wiping(System);

#[cfg(feature = "adapters")]
mod adapters;
#[cfg(feature = "command")]
mod command;
#[cfg(feature = "drive-files")]
mod drive_files;
#[cfg(any(feature = "adapters", feature = "drive-files"))]
mod wasi;
