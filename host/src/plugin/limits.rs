//! The limits of a plugin.

use std::fmt;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

/// What a plugin may use. There is always a limit; these are the defaults to change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory of one instance. Default 256 MiB: the largest
    /// object is held as stored, opened, sealed anew and read back.
    pub memory_bytes: usize,
    /// Elements of the tables of one instance. Default 16,384: a Rust component has one table with
    /// an entry for each function that is called by address, some hundreds.
    pub table_elements: usize,
    /// Core instances, memories and tables of one instance, each. Default 32: a component built
    /// by the usual tools has 3 or 4.
    pub instances: usize,
    /// Instances of the plugin in use at once, each by a call or, from its start to its end, by an
    /// audit or a migration; at least one. A call that would be one too many waits, and its deadline
    /// goes on. Idle ones are kept besides, as many at most and with no more memory together than one
    /// may have. Default four for each thread of the machine, for calls that wait for a key service,
    /// since no more than one can compute on each, and at most 32: the 64 MiB that Argon2id takes
    /// of the host are then 2 GiB in all.
    ///
    /// A keyring or store that calls the very plugin that is calling it needs a second instance
    /// while it holds the first. If all hold one and wait for another, each waits until its
    /// deadline: let it call a plugin or auditor of its own, which counts for itself.
    pub instances_in_use: usize,
    /// Bytes of stack. Default 512 KiB, the runtime's own: the plugin does not recurse.
    pub stack_bytes: usize,
    /// Bytes that one call of the plugin or one call that it makes may hand to the host.
    /// Default 128 MiB: eight of the largest objects at once.
    pub copied_bytes: usize,
    /// Bytes of one object, plaintext or stored, handed over or returned. Default 16 MiB: the
    /// largest IAM and configuration objects seen are a few MiB.
    pub object_bytes: usize,
    /// How long the plugin itself may compute in one call or step. Default 30 s: some 500
    /// objects in the root-credential form in one step, at about 60 ms each. What the host derives for it counts.
    pub guest_time: Duration,
    /// How long one call or step may take, with all waiting for keys and storage. Default 60 s:
    /// twice the computing time. Time for which the process is stopped does not count. A keyring or store that blocks its thread instead of waiting
    /// cannot be interrupted.
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            table_elements: 16 << 10,
            instances: 32,
            instances_in_use: 4 * available_parallelism().map_or(1, NonZero::get).min(8),
            stack_bytes: 512 << 10,
            copied_bytes: 128 << 20,
            object_bytes: 16 << 20,
            guest_time: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::memory_bytes`].
    Memory,
    /// [`Limits::table_elements`].
    Table,
    /// [`Limits::instances`].
    Instances,
    /// [`Limits::instances_in_use`]: none became free within [`Limits::deadline`].
    InstancesInUse,
    /// [`Limits::stack_bytes`].
    Stack,
    /// [`Limits::copied_bytes`].
    CopiedBytes,
    /// [`Limits::object_bytes`].
    Object,
    /// [`Limits::guest_time`], in milliseconds.
    GuestTime,
    /// [`Limits::deadline`], in milliseconds.
    Deadline,
    /// Cursors and drafts that the plugin holds at once; fixed.
    Handles,
    /// Random bytes asked for in one call; fixed.
    Random,
    /// Bytes of a component file; fixed.
    Component,
}

impl Limit {
    fn unit(self) -> &'static str {
        match self {
            Self::Memory | Self::Stack | Self::CopiedBytes => "bytes",
            Self::Object | Self::Random | Self::Component => "bytes",
            Self::Table => "elements",
            Self::Instances | Self::InstancesInUse => "instances",
            Self::Handles => "handles",
            Self::GuestTime | Self::Deadline => "ms",
        }
    }

    /// For example `memory: 314572800 bytes asked, 268435456 allowed`.
    pub(crate) fn describe(self, asked: Option<u64>, allowed: u64) -> String {
        let unit = self.unit();
        match asked {
            Some(asked) => format!("{self}: {asked} {unit} asked, {allowed} allowed"),
            None => format!("{self}: more than the {allowed} {unit} allowed"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Instances => "instances",
            Self::InstancesInUse => "instances in use",
            Self::Stack => "stack",
            Self::CopiedBytes => "bytes copied to the host",
            Self::Object => "size of an object",
            Self::GuestTime => "computing time of a call",
            Self::Deadline => "duration of a call",
            Self::Handles => "cursors and drafts",
            Self::Random => "random bytes in a call",
            Self::Component => "size of a component",
        })
    }
}
