//! The component beside another program that seals and opens the same sizes, in turns within one run, so
//! that a noisy machine slows both. The figures are medians of the ratios of the turns.
//!
//! `cargo xtask bench --peer CMD`. CMD is given a size in bytes as its last argument and prints a line of
//! JSON: `{"size":512,"threads":1,"seal_ns":4600,"unseal_ns":4100}`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod ours;
mod turn;

use std::process::ExitCode;

use clap::Parser;
use iamseal_tests::machine::machine;

use crate::ours::Ours;
use crate::turn::{Turn, median, peer};

/// Measure sealing and unsealing beside another program
#[derive(Parser)]
struct Arguments {
    /// The other program, as a shell takes it; it is given a size
    #[arg(long, value_name = "CMD")]
    peer: String,
    /// How many turns each size takes
    #[arg(long, default_value_t = 5, value_name = "N")]
    turns: usize,
    /// Print a line of JSON a row instead of the table
    #[arg(long)]
    json: bool,
    /// Sizes in bytes
    #[arg(default_values_t = [128, 512, 2 << 10, 16 << 10, 1 << 20], value_name = "SIZE")]
    sizes: Vec<usize>,
    /// What Cargo tells every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.json {
        println!("Measured on {}.\n", machine());
        println!("| | size | ours ÷ peer | ours | peer |");
        println!("|---|--:|--:|--:|--:|");
    }
    for size in &arguments.sizes {
        let mut turns = Vec::new();
        for _ in 0..arguments.turns.max(1) {
            let peer = match peer(&arguments.peer, *size) {
                Ok(peer) => peer,
                Err(why) => {
                    eprintln!("the peer `{} {size}`: {why}", arguments.peer);
                    return ExitCode::FAILURE;
                }
            };
            let ours = Ours::measure(*size, peer.threads);
            turns.push(Turn { peer, ours });
        }
        for row in turn::rows(&turns) {
            print(&arguments, *size, &row);
        }
    }
    ExitCode::SUCCESS
}

fn print(arguments: &Arguments, size: usize, row: &turn::Row) {
    let (ratio, ours, peer) = (
        median(&row.ratios),
        median(&row.ours_ns),
        median(&row.peer_ns),
    );
    if arguments.json {
        let line = serde_json::json!({
            "work": row.work, "size": size, "threads": row.threads,
            "ratio": ratio, "ours_ns": ours, "peer_ns": peer,
        });
        println!("{line}");
    } else {
        println!(
            "| {} | {size} B | **{ratio:.2}** | {:.2} µs | {:.2} µs |",
            row.work,
            ours / 1e3,
            peer / 1e3
        );
    }
}
