//! `iamseal`: the command-line tool. One file per command; what they share stands in `arguments`,
//! `failure`, `identities`, `interrupt`, `journals`, `keys`, `load`, `loadable`, `output`, `progress`, `put`, `reseal`, `run`,
//! `standing`, `store`, `typed`, `watch` and `workers`. What is said of objects is in the crate `iamseal-words`.

mod arguments;
mod audit;
mod cat;
mod census;
mod compare;
mod demo;
mod drives;
mod edit;
mod encrypted;
mod export;
mod failure;
mod findings;
mod finish;
mod identities;
mod import;
mod inside;
mod inspect;
mod interrupt;
mod journals;
mod kes;
mod keygen;
mod keys;
mod load;
mod loadable;
mod ls;
mod manifest;
mod migrate;
mod misnamed;
mod opening;
mod output;
mod plugin;
mod prepare;
mod private_folder;
mod progress;
mod put;
#[cfg(test)]
mod reference;
mod reseal;
mod run;
mod runs;
mod seal;
mod set_aside;
mod sign_tokens;
mod standing;
mod steps;
mod store;
mod sweep;
mod typed;
mod undo;
mod unseal;
mod verify_proof;
mod watch;
mod workers;

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::iter;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread::{self, Builder};

use clap::{CommandFactory as _, FromArgMatches as _};
use iamseal_words::arguments::{matches, message_for_json};
use iamseal_words::report;
use iamseal_words::report::{cause, tally};

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::typed::Typed;

fn main() -> ExitCode {
    forbid_core_dumps();
    keep_files_private();
    let line: Vec<OsString> = env::args_os().collect();
    let arguments = match parse(&line) {
        Ok(arguments) => arguments,
        Err(error) => return not_parsed(&error, &line),
    };
    let json = arguments.common.json;
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => failure.report(json),
    }
}

fn parse(line: &[OsString]) -> Result<Arguments, clap::Error> {
    let matches = matches(&Arguments::command(), line)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    arguments.common.typed = Typed::of(&matches);
    Ok(arguments)
}

/// Prints the help that was asked for, or says what is wrong with the command line.
fn not_parsed(error: &clap::Error, line: &[OsString]) -> ExitCode {
    match message_for_json(error, line) {
        None => error.exit(),
        Some(message) => Failure::usage(message).with_cure("see --help").report(true),
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments { common, command } = arguments;
    common.check_trust(matches!(command, Command::Plugin(_)))?;
    room_for_files()?;
    room_for_threads()?;
    let json = common.json;
    let _unpacked = store::archive::unpacked::Guard;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("the runtime does not start: {error}")))?;
    let result = runtime.block_on(async {
        interrupt::outlive_file_limit()?;
        if reads_first(&command) {
            interrupt::end_before_work(common.json)?;
        }
        match command {
            Command::Keygen(command) => keygen::run(&common, &command),
            Command::Seal(command) => seal::run(&common, &command).await,
            Command::Unseal(command) => unseal::run(&common, &command).await,
            Command::Inspect(command) => inspect::run(&common, &command).await,
            Command::Ls(command) => ls::run(&common, &command).await,
            Command::Cat(command) => cat::run(&common, &command).await,
            Command::Audit(command) => audit::run(&common, &command).await,
            Command::Keys(command) => census::run(&common, &command).await,
            Command::Manifest(command) => manifest::run(&common, &command).await,
            Command::Migrate(command) => migrate::run(&common, &command).await,
            Command::Undo(command) => undo::run(&common, &command).await,
            Command::SetAside(command) => set_aside::run(&common, &command).await,
            Command::SignTokens(command) => sign_tokens::run(&common, &command).await,
            Command::Export(command) => export::run(&common, &command).await,
            Command::Import(command) => import::run(&common, &command).await,
            Command::Edit(command) => edit::run(&common, &command).await,
            Command::Sweep(command) => sweep::run(&common, &command).await,
            Command::Runs(command) => runs::run(&common, &command),
            Command::VerifyProof(command) => verify_proof::run(&common, &command).await,
            Command::Drives(command) => drives::run(&common, &command).await,
            Command::Kes(command) => kes::run(&common, &command).await,
            Command::Plugin(command) => plugin::run(&common, &command).await,
            Command::Demo(command) => demo::run(&common, &command).await,
        }
    });
    // A thread that waits for standard input must not keep the process.
    runtime.shutdown_background();
    // Success is not to hide that secrets are left.
    match (result, store::archive::unpacked::remove_and_tell(json)) {
        (Ok(ExitCode::SUCCESS), Some(left)) => Ok(left),
        (result, _) => result,
    }
}

/// Whether a command writes nothing before it listens for signals itself, if it ever does.
fn reads_first(command: &Command) -> bool {
    matches!(
        command,
        Command::Unseal(_)
            | Command::Inspect(_)
            | Command::Ls(_)
            | Command::Cat(_)
            | Command::Export(_)
            | Command::Import(_)
            | Command::Edit(_)
            | Command::Audit(_)
            | Command::Keys(_)
            | Command::Manifest(_)
            | Command::Migrate(_)
            | Command::Undo(_)
            | Command::SetAside(_)
            | Command::SignTokens(_)
            | Command::Sweep(_)
            | Command::VerifyProof(_)
            | Command::Drives(_)
    )
}

/// How many files a command has open at once beside those of its objects.
const FILES: usize = 16;

/// Sees that the system lets this process open as many files as it needs. With fewer the runtime panics.
///
/// # Errors
/// It does not.
fn room_for_files() -> Result<(), Failure> {
    let open = || File::open("/dev/null");
    let opened: io::Result<Vec<_>> = iter::repeat_with(open).take(FILES).collect();
    opened.map(drop).map_err(|error| {
        Failure::other(format!("this process may open too few files: {error}"))
            .with_cure("raise the limit (ulimit -n)")
    })
}

/// How many threads a command of few workers has at once. With fewer the runtime panics somewhere.
const THREADS: usize = 16;

/// Sees that the system gives this process as many threads as it needs.
///
/// # Errors
/// It does not.
fn room_for_threads() -> Result<(), Failure> {
    let all_started = Mutex::new(());
    let started = thread::scope(|scope| {
        // Each lives until the last one was started.
        let _not_yet = all_started.lock();
        let wait = || drop(all_started.lock());
        let threads = (0..THREADS).map_while(|_| Builder::new().spawn_scoped(scope, wait).ok());
        threads.count()
    });
    match started {
        THREADS => Ok(()),
        _ => Err(Failure::other("the system gives this user no more threads")
            .with_cure("raise the limit (ulimit -u), or end other processes")),
    }
}

/// A core dump would hold keys. Where the system does not let us forbid it, the tool works all the same.
fn forbid_core_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// What the tool makes beside the store, such as compiled code that it runs the next time, is for the
/// user alone, whatever mask it was started with. Objects get the modes of those that they replace.
fn keep_files_private() {
    use rustix::fs::Mode;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}
