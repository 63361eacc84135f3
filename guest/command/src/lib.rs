//! The command line for hosts of `wasi:cli`, in two components, which `iamseal-dist` joins with the plugin. The
//! command calls the plugin, and the plugin calls what it is lent: components cannot import from each
//! other in a circle, so what lends is a component of its own, the adapters.

// For the allocator that wipes what it frees.
use iamseal_runtime as _;

#[cfg(feature = "adapters")]
mod adapters;
#[cfg(feature = "command")]
mod command;
