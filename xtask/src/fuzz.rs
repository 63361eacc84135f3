//! Fuzzing: building the targets, running them for a while, repeating a finding.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::chores;
use crate::run::{Failure, cargo, in_workspace, run, say};

/// The targets that run the component inside its sandbox.
const SANDBOX: [&str; 5] = ["inspect", "unseal", "session", "audit", "migrate"];

/// The targets that run the core natively, and what reads drives.
const NATIVE: [&str; 8] = [
    "core_form",
    "core_json",
    "core_data_key",
    "core_compact",
    "core_stream",
    "drives_format",
    "drives_meta",
    "drives_set",
];

/// Seconds for each target among the tests: some ten thousand runs inside the sandbox, ten times that
/// natively, where all paths are found sooner.
const SANDBOX_SECONDS: u32 = 5;
const NATIVE_SECONDS: u32 = 2;

/// libFuzzer's options for every run. Inputs above 4 KiB say nothing that smaller ones do not. A run
/// takes milliseconds, with Argon2id half a second on a busy machine: what takes 20 s hangs. Argon2id
/// twice, natively and inside, takes 200 MB.
const OPTIONS: [&str; 4] = [
    "-max_len=4096",
    "-timeout=20",
    "-rss_limit_mb=1024",
    "-print_final_stats=1",
];

/// All targets, for the person who asks.
pub fn targets() -> impl Iterator<Item = &'static str> {
    SANDBOX.into_iter().chain(NATIVE)
}

/// The targets, built, and the folder of all that they read and write.
struct Built {
    sandbox: PathBuf,
    native: PathBuf,
    folder: PathBuf,
}

/// What one run of a target came to.
struct Report {
    /// `12345 runs, 2469 a second, 1200 of 4761 branches`
    figures: String,
    /// Why it ended early, with the lines that tell.
    finding: Option<String>,
}

/// Runs one target, or all of them, each for so long, on the inputs of earlier runs.
///
/// # Errors
/// A target does not build or has found something. The text says how to repeat that.
pub fn fuzz(target: Option<&str>, seconds: u32) -> Result<(), Failure> {
    let built = Built::new()?;
    let chosen = targets().filter(|name| target.is_none_or(|target| target == *name));
    let times = chosen.map(|name| (name, seconds)).collect::<Vec<_>>();
    built.run_all(&times, &built.folder.join("corpus"))
}

/// Runs all targets for a short while, from the test vectors alone.
///
/// # Errors
/// A target does not build or has found something. The text says how to repeat that.
pub fn among_tests() -> Result<(), Failure> {
    let built = Built::new()?;
    let corpus = built.folder.join("test-corpus");
    if corpus.exists() {
        fs::remove_dir_all(&corpus)?;
    }
    let sandbox = SANDBOX.map(|name| (name, SANDBOX_SECONDS));
    let native = NATIVE.map(|name| (name, NATIVE_SECONDS));
    built.run_all(&[&sandbox[..], &native].concat(), &corpus)
}

/// Runs a target on one input, and shows what it says.
///
/// # Errors
/// The target does not build, or the input still is a finding.
pub fn repeat(target: &str, input: &OsStr) -> Result<(), Failure> {
    let built = Built::new()?;
    run(
        "repeat one input",
        Command::new(built.program(target)).arg(input),
    )
}

impl Built {
    fn new() -> Result<Self, Failure> {
        // Cargo has put this program where it puts the targets.
        let here = env::current_exe()?;
        let sandbox = here.parent().ok_or("this program is nowhere")?;
        let folder = sandbox.parent().unwrap_or(sandbox).join("fuzz");
        let native = folder.join("native");
        run(
            "build the fuzz targets of the sandbox",
            // As a part of the tests: alone it would be other builds of the same crates.
            cargo()
                .args(["test", "--quiet", "--no-run"])
                .args(chores::native())
                .args(["--test", "replay"]),
        )?;
        run(
            "build the native fuzz targets, which count their branches",
            cargo()
                .args(["build", "--quiet", "--package", "iamseal-fuzz"])
                .args(["--no-default-features", "--bins", "--target-dir"])
                .arg(&native)
                .env("RUSTC_WORKSPACE_WRAPPER", in_workspace("tests/fuzz/sancov")),
        )?;
        let seeds = folder.join("seeds");
        run(
            "make inputs of the test vectors",
            Command::new(sandbox.join("seeds")).arg(&seeds),
        )?;
        Ok(Self {
            sandbox: sandbox.to_path_buf(),
            native: native.join("debug"),
            folder,
        })
    }

    fn program(&self, target: &str) -> PathBuf {
        match NATIVE.contains(&target) {
            true => self.native.join(target),
            false => self.sandbox.join(target),
        }
    }

    fn run_all(&self, times: &[(&str, u32)], corpus: &Path) -> Result<(), Failure> {
        let mut findings = Vec::new();
        for (target, seconds) in times {
            let report = self.run(target, *seconds, &corpus.join(target))?;
            say(&format!("fuzz {target}: {}", report.figures));
            findings.extend(report.finding);
        }
        match findings.is_empty() {
            true => Ok(()),
            false => Err(findings.join("\n").into()),
        }
    }

    fn run(&self, target: &str, seconds: u32, corpus: &Path) -> Result<Report, Failure> {
        let found = self.folder.join("found");
        fs::create_dir_all(corpus)?;
        fs::create_dir_all(&found)?;
        let log = self.folder.join(target).with_extension("log");
        let dictionary = in_workspace("tests/fuzz/dictionary.txt");
        let status = Command::new(self.program(target))
            .args(OPTIONS)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-dict={}", dictionary.display()))
            .arg(format!("-artifact_prefix={}/{target}-", found.display()))
            .arg(corpus)
            .arg(self.folder.join("seeds").join(target))
            .stderr(File::create(&log)?)
            .status()?;
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let finding = (!status.success()).then(|| describe(target, &said, &log));
        Ok(Report {
            figures: figures(&said),
            finding,
        })
    }
}

/// What libFuzzer says at its end, in one line.
fn figures(said: &str) -> String {
    let number = |before: &str, after: &str| -> Option<&str> {
        let (_, rest) = said.rsplit_once(before)?;
        Some(rest.split_once(after)?.0.trim())
    };
    let branches = match number("coverage: ", " counters") {
        Some(inside) => Some(inside.to_owned()),
        None => number(" cov: ", " ").and_then(|hit| {
            let all = number("modules   (", " inline")?;
            Some(format!("{hit} of {all}"))
        }),
    };
    format!(
        "{} runs, {} a second, {} branches",
        number("stat::number_of_executed_units:", "\n").unwrap_or("?"),
        number("stat::average_exec_per_sec:", "\n").unwrap_or("?"),
        branches.as_deref().unwrap_or("?"),
    )
}

/// A finding for the person who has to repeat it.
fn describe(target: &str, said: &str, log: &Path) -> String {
    let tells = |line: &&str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    let lines = said.lines().skip_while(|line| !tells(line));
    let text = lines.take(6).collect::<Vec<_>>().join("\n    "); // a panic's place and text
    let input = said
        .rsplit_once("Test unit written to ")
        .and_then(|(_, rest)| rest.lines().next());
    format!(
        "{target} has found something:\n    {text}\n\
        all of it is in {}; again: cargo xtask fuzz {target} {}",
        log.display(),
        input.unwrap_or("FILE")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_both_kinds_of_targets() {
        let stats = "stat::number_of_executed_units: 120\nstat::average_exec_per_sec:     40\n";
        let sandbox = format!("#3 NEW ft: 7\n{stats}coverage: 12 of 34 counters\n");
        assert_eq!(
            figures(&sandbox),
            "120 runs, 40 a second, 12 of 34 branches"
        );
        let core = format!(
            "INFO: Loaded 1 modules   (56 inline 8-bit counters): 56\n#3 NEW cov: 8 ft: 9\n#4 DONE cov: 10 ft: 9\n{stats}"
        );
        assert_eq!(figures(&core), "120 runs, 40 a second, 10 of 56 branches");
        assert_eq!(figures(""), "? runs, ? a second, ? branches");
    }

    #[test]
    fn a_finding_says_what_it_is_and_how_to_repeat_it() {
        let said = "INFO: x\nthread '<unnamed>' panicked at a.rs:1:2:\nit trapped\n\
                    Test unit written to found/unseal-crash-1\nBase64: AA==\n";
        let text = describe("unseal", said, Path::new("unseal.log"));
        assert!(text.contains("it trapped"), "{text}");
        assert!(text.ends_with("cargo xtask fuzz unseal found/unseal-crash-1"));
    }
}
