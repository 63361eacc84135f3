//! From the start of a process to its first sealed object.

use std::env;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Few when the component is compiled each time, more when it is not.
const COLD_RUNS: usize = 5;
const WARM_RUNS: usize = 21;

/// Seconds from the start of `iamseal seal` until all it writes is read.
pub struct Start {
    /// With the compiled component in its cache.
    pub warm: f64,
    /// With an empty cache.
    pub cold: f64,
}

/// Measures the release build of `iamseal`, or the program that `IAMSEAL_BIN` names. Says so and
/// returns none if there is no such program.
pub fn measure() -> Option<Start> {
    let program = env::var_os("IAMSEAL_BIN").map_or_else(built, PathBuf::from);
    if !program.is_file() {
        println!(
            "The start of a process was not measured: {} is not there; \
             `cargo build --release -p iamseal-cli --bin iamseal` builds it.",
            program.display()
        );
        return None;
    }
    let cold = (0..COLD_RUNS).map(|_| run(&program, tempfile::tempdir().unwrap().path()));
    let cold = median(cold.collect());
    let cache = tempfile::tempdir().unwrap();
    run(&program, cache.path());
    let warm = (0..WARM_RUNS).map(|_| run(&program, cache.path()));
    let warm = median(warm.collect());
    Some(Start { warm, cold })
}

/// Beside what Cargo builds for this program.
fn built() -> PathBuf {
    let this = env::current_exe().unwrap(); // <target>/release/deps/boundary-…
    let name = format!("iamseal{}", env::consts::EXE_SUFFIX);
    this.ancestors().nth(2).unwrap().join(name)
}

/// Seals 512 bytes in a fresh process whose caches are below `home`.
fn run(program: &Path, home: &Path) -> f64 {
    let key = "my-minio-key:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let mut command = Command::new(program);
    command
        .args(["seal", "--path", "config/iam/users/alice/identity.json"])
        .env_clear()
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home)
        .env("MINIO_KMS_SECRET_KEY", key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let begin = Instant::now();
    let mut process = command.spawn().unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(&[b'x'; 512])
        .unwrap();
    let mut sealed = Vec::new();
    process
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut sealed)
        .unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    assert!(process.wait().unwrap().success());
    assert!(sealed.len() > 512);
    seconds
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
