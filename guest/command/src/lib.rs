//! The command line for hosts of `wasi:cli`, in two components, which `iamseal-dist` joins with the plugin. The
//! command calls the plugin, and the plugin calls what it is lent: components cannot import from each
//! other in a circle, so what lends is a component of its own, the adapters.

use std::alloc::System;

use iamseal_runtime::Wiping;

#[global_allocator]
static ALLOCATOR: Wiping<System> = Wiping(System);

#[cfg(feature = "adapters")]
mod adapters;
#[cfg(feature = "command")]
mod command;
