//! What the boundary costs: sealing and opening through the component and in the core compiled for
//! this machine, side by side in one run, and a table of it in the end.
//!
//! `cargo bench -p iamseal-tests --bench boundary`, or `cargo xtask bench`. The start of a process
//! is measured with the release build of `iamseal` if it is there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod estimates;
mod objects;
mod others;
mod start;
mod table;

use std::time::Duration;

use criterion::Criterion;
use iamseal_core::{Cipher, SealOptions, SealedForm};

use crate::estimates::Estimates;

/// What an identity, a policy, a large policy, a large configuration take, and far more than that.
pub const SIZES: [usize; 5] = [128, 512, 2 << 10, 16 << 10, 1 << 20];

/// A way to seal.
pub struct Form {
    /// Its name in the table.
    pub name: &'static str,
    /// How the core is asked for it.
    pub options: SealOptions,
}

/// All ways to seal that are measured.
pub fn forms() -> [Form; 3] {
    let options = |form, cipher| SealOptions {
        form,
        key: None,
        cipher,
        data_key_encoding: None,
    };
    [
        Form {
            name: "MinIO, ChaCha20-Poly1305",
            options: options(SealedForm::Minio, None),
        },
        Form {
            name: "MinIO, AES-256-GCM",
            options: options(SealedForm::Minio, Some(Cipher::Aes256Gcm)),
        },
        Form {
            name: "compact",
            options: options(SealedForm::Compact, None),
        },
    ]
}

fn main() {
    let estimates = Estimates::begin();
    // Short, so that all of it ends within three minutes: the medians of 60 measurements of a few
    // microseconds are steady after tenths of a second.
    let mut criterion = Criterion::default()
        .without_plots()
        .output_directory(estimates.folder())
        .sample_size(20)
        .nresamples(5_000)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .configure_from_args();
    objects::measure(&mut criterion);
    others::measure(&mut criterion);
    criterion.final_summary();
    table::print(&estimates, start::measure());
}
