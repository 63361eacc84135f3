//! What requests notice of a migration that goes on while they are served, and how long starts take before and after
//! it: tables of both in the end.
//!
//! `cargo xtask bench-serving`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod requests;
mod starts;
mod store;

use std::env;
use std::path::PathBuf;

use clap::Parser;
use iamseal_tests::machine::machine;

/// Measure serving while a store is migrated
#[derive(Parser)]
struct Arguments {
    /// How long requests are measured with the migration, and as long without, in seconds
    #[arg(long, value_name = "N", default_value_t = 12)]
    seconds: u64,
    /// How many objects there are at a start
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "0,10000,100000"
    )]
    objects: Vec<usize>,
    /// Where the stores are made, and removed in the end; without it, where Cargo builds
    folder: Option<PathBuf>,
    /// What Cargo gives every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let arguments = Arguments::parse();
    let this = env::current_exe().unwrap(); // <target>/release/deps/serving-…
    let folder = arguments
        .folder
        .unwrap_or_else(|| this.ancestors().nth(3).unwrap().to_owned());
    // Removed when it is dropped, after a panic too.
    let folder = tempfile::Builder::new()
        .prefix("iamseal-bench-")
        .tempdir_in(folder)
        .unwrap();
    let requests = requests::measure(folder.path(), arguments.seconds).await;
    let starts = starts::measure(folder.path(), &arguments.objects).await;
    println!("\nMeasured on {}.\n", machine());
    println!("{requests}\n\n{starts}");
}
