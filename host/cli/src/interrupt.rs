//! Signals that end a command with a report instead of a sudden death.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::{fs, process, thread};

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cause::Cause;
use crate::failure::Failure;
use crate::store::archive::unpacked;

/// Waits in the background for Ctrl-C, for SIGTERM and SIGQUIT, for the end of the terminal and for that of the time
/// that the process may compute.
pub struct Interrupt(watch::Receiver<Option<Cause>>);

/// Who answers a signal.
static ANSWERED_BY: AtomicU8 = AtomicU8::new(NOBODY);
/// The command has not begun its work, and the process ends with a word.
const NOBODY: u8 = 0;
/// The command does.
const COMMAND: u8 = 1;
/// The process is about to end.
const END: u8 = 2;

/// Ends the process with a failure if a signal comes before the command listens for itself, while it reads
/// keys or waits for a store that does not answer. For commands that write nothing until then.
///
/// # Errors
/// The system refuses.
pub fn end_before_work(json: bool) -> Result<(), Failure> {
    let mut receiver = receive()?;
    tokio::spawn(async move {
        let came = receiver.wait_for(Option::is_some).await;
        if let Some(cause) = came.ok().and_then(|cause| *cause)
            && takes(END)
        {
            interrupted(cause).report(json);
            // The signal's code stays, whatever is left.
            let _ = unpacked::remove_and_tell(json);
            process::exit(cause.exit_code().into());
        }
    });
    Ok(())
}

/// Whether nobody else answers signals, so that this one does from here on.
fn takes(answered_by: u8) -> bool {
    let taken = ANSWERED_BY.compare_exchange(NOBODY, answered_by, Relaxed, Relaxed);
    taken.is_ok()
}

impl Interrupt {
    /// From here on no signal ends the process.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> Result<Self, Failure> {
        let receiver = receive()?;
        if !takes(COMMAND) {
            while ANSWERED_BY.load(Relaxed) == END {
                thread::park();
            }
        }
        Ok(Self(receiver))
    }

    /// The failure that says so, if one came.
    pub fn pressed(&self) -> Option<Failure> {
        self.0.borrow().map(interrupted)
    }

    /// The work's result, or the failure that says that a signal came before it was done. For work that
    /// may be dropped anywhere.
    pub async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let came = async {
            let came = self.0.wait_for(Option::is_some).await;
            came.ok().and_then(|cause| *cause)
        };
        tokio::select! {
            result = work => Ok(result),
            Some(cause) = came => Err(interrupted(cause)),
        }
    }
}

/// What came first of the signals, once one came. From here on none of them kills the process.
fn receive() -> Result<watch::Receiver<Option<Cause>>, Failure> {
    // Not `ctrl_c()`, which listens only once its task has run.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    // Ctrl-\, and whoever wants a core dump, which would hold keys.
    let mut quits = signal(SignalKind::quit())?;
    // The time that the process may compute is used up (`ulimit -t`); a little is left.
    let mut used_up = signal(SignalKind::from_raw(Signal::XCPU.as_raw()))?;
    // Whoever starts it under nohup wants it to go on.
    let mut hangups = match is_ignored(Signal::HUP) {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let hung_up = async {
            match &mut hangups {
                Some(hangups) => hangups.recv().await,
                None => std::future::pending().await,
            }
        };
        let cause = tokio::select! {
            _ = interrupts.recv() => Cause::Interrupted,
            _ = terminations.recv() => Cause::Terminated,
            _ = quits.recv() => Cause::Terminated,
            _ = used_up.recv() => Cause::Terminated,
            _ = hung_up => Cause::HungUp,
        };
        sender.send_replace(Some(cause));
        // Whoever waits must not learn that there is nobody to tell.
        sender.closed().await;
    });
    Ok(receiver)
}

/// Lets a write beyond the limit of a file's size (`ulimit -f`) fail, as on a full disk, where the
/// system would kill the process.
///
/// # Errors
/// The system refuses.
pub fn outlive_file_limit() -> Result<(), Failure> {
    // The handler stays when nobody waits for the signal any more.
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    Ok(())
}

/// What a command says that was interrupted.
fn interrupted(cause: Cause) -> Failure {
    let message = format!("{}; nothing is half-done", cause.name());
    Failure::new(cause, message).with_cure("run it again to finish")
}

/// The same failure of a run that has left drafts; of another failure nothing changes.
pub fn with_drafts_left(failure: Failure) -> Failure {
    match failure.cause {
        Cause::Interrupted | Cause::Terminated | Cause::HungUp => {
            let message = format!(
                "{}; every object is whole, but drafts are left",
                failure.cause.name()
            );
            Failure { message, ..failure }
        }
        _ => failure,
    }
}

/// Whether whoever started this process had it ignore the signal. Where the system does not say, it
/// is not.
fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let bits = bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    // The lowest bit is that of signal 1.
    bits.is_some_and(|bits| bits >> (signal.as_raw() - 1) & 1 == 1)
}
