//! How an operation of a store goes wrong, and at which one.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// How operations go wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One fails, the process goes on.
    Fails(Cause),
    /// It and all later ones that can fail for the same cause do.
    FailsFromThere(Cause),
    /// It is done and then reported as failed.
    DoneButFails,
    /// The process is killed before it.
    Killed,
    /// The process is killed when half of it is done.
    Torn,
    /// The power goes before it, and with it what is not durable.
    PowerLost,
}

/// Why operations fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Broken,
    Full,
    ReadOnly,
    Denied,
    NoFiles,
}

impl Cause {
    pub const ALL: [Self; 5] = [
        Self::Broken,
        Self::Full,
        Self::ReadOnly,
        Self::Denied,
        Self::NoFiles,
    ];

    /// The system's error.
    pub fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Broken => 5,    // EIO
            Self::Full => 28,     // ENOSPC
            Self::ReadOnly => 30, // EROFS
            Self::Denied => 13,   // EACCES
            Self::NoFiles => 24,  // EMFILE
        })
    }

    /// What the system says of it, without the number.
    pub fn words(self) -> String {
        let text = self.error().to_string();
        let (words, _) = text.split_once(" (").unwrap();
        words.to_lowercase()
    }
}

impl Mode {
    /// Whether the process goes on and has to say what went wrong; none: it does not go on.
    pub fn reports(self) -> Option<Cause> {
        match self {
            Self::Fails(cause) | Self::FailsFromThere(cause) => Some(cause),
            Self::DoneButFails => Some(Cause::Broken),
            Self::Killed | Self::Torn | Self::PowerLost => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails(cause) => write!(f, "fails, {}", cause.words()),
            Self::FailsFromThere(cause) => write!(f, "fails from there on, {}", cause.words()),
            Self::DoneButFails => f.write_str("done but reported as failed"),
            Self::Killed => f.write_str("killed"),
            Self::Torn => f.write_str("killed halfway"),
            Self::PowerLost => f.write_str("power lost"),
        }
    }
}

/// One crash point: the mode, and the how manieth of the operations that it can happen to.
pub struct Point {
    pub mode: Mode,
    at: usize,
    met: AtomicUsize,
    dead: AtomicBool,
}

/// What becomes of an operation.
pub enum Fate {
    /// It is done.
    Goes,
    /// It goes wrong as the mode says.
    Struck,
    /// There is no process any more to do it.
    Dead,
}

impl Point {
    /// The point before the operation of this number, from 1 on.
    pub fn new(mode: Mode, at: usize) -> Self {
        Self {
            mode,
            at,
            met: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
        }
    }

    /// Where nothing goes wrong.
    pub fn never() -> Self {
        Self::new(Mode::Killed, usize::MAX)
    }

    /// Tells what becomes of the next operation, to which the mode can happen or not.
    pub fn meet(&self, can_happen: bool) -> Fate {
        if self.dead.load(SeqCst) {
            return Fate::Dead;
        }
        if !can_happen {
            return Fate::Goes;
        }
        let number = self.met.fetch_add(1, SeqCst) + 1;
        let lasts = matches!(self.mode, Mode::FailsFromThere(_));
        if number < self.at || (number > self.at && !lasts) {
            return Fate::Goes;
        }
        self.dead.store(self.mode.reports().is_none(), SeqCst);
        Fate::Struck
    }

    /// Whether the operation came.
    pub fn was_met(&self) -> bool {
        self.met.load(SeqCst) >= self.at
    }
}

/// What a dead process's operations answer. Nobody hears it.
pub fn dead() -> io::Error {
    io::Error::other("the process is dead")
}
