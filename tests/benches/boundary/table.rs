//! The table in the end, in Markdown, ratios first.

use iamseal_tests::machine::machine;

use crate::estimates::Estimates;
use crate::others::{FRESH, INSPECT, ROOT_CREDENTIAL};
use crate::start::Start;
use crate::{SIZES, forms};

/// MinIO's own Go code with AES instructions, in process, on one thread of another machine:
/// seconds to seal and to open 512 bytes, and for one Argon2id.
const MINIO_SEAL: f64 = 4.6e-6;
const MINIO_UNSEAL: f64 = 4.1e-6;
const MINIO_ARGON2ID: f64 = 48.6e-3;

/// Prints all that was measured; what was filtered out has no row.
pub fn print(estimates: &Estimates, start: Option<Start>) {
    println!("\nMeasured on {}.\n", machine());
    println!("| | size | component ÷ native | component ÷ MinIO¹ | component | native |");
    println!("|---|--:|--:|--:|--:|--:|");
    for (verb, minio) in [("seal", MINIO_SEAL), ("unseal", MINIO_UNSEAL)] {
        for form in forms() {
            for size in SIZES {
                let group = format!("{verb} {}", form.name);
                let minio = (size == 512).then_some(minio);
                row(estimates, &group, Some(size), minio);
            }
        }
    }
    row(estimates, ROOT_CREDENTIAL, None, Some(MINIO_ARGON2ID));
    row(estimates, INSPECT, None, None);
    if let Some(fresh) = estimates.median(FRESH, "component", None) {
        println!("| a call in a fresh instance | | | | {} | |", time(fresh));
    }
    if let Some(Start { warm, cold }) = start {
        println!(
            "| process start to first seal | 512 B | | | {} | |",
            time(warm)
        );
        println!(
            "| the same, component not compiled yet | 512 B | | | {} | |",
            time(cold)
        );
    }
    println!(
        "\n¹ MinIO's own code, in process, on another machine: {} to seal and {} to unseal 512 B, \
         {} for one Argon2id.",
        time(MINIO_SEAL),
        time(MINIO_UNSEAL),
        time(MINIO_ARGON2ID)
    );
}

fn row(estimates: &Estimates, group: &str, size: Option<usize>, minio: Option<f64>) {
    let component = estimates.median(group, "component", size);
    let native = estimates.median(group, "native", size);
    let (Some(component), Some(native)) = (component, native) else {
        return;
    };
    println!(
        "| {group} | {} | **{:.2}** | {} | {} | {} |",
        size.map(bytes).unwrap_or_default(),
        component / native,
        minio.map_or_else(String::new, |minio| format!("**{:.2}**", component / minio)),
        time(component),
        time(native),
    );
}

fn bytes(size: usize) -> String {
    match size {
        ..1024 => format!("{size} B"),
        1024..0x10_0000 => format!("{} KiB", size >> 10),
        _ => format!("{} MiB", size >> 20),
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.2} µs", seconds * 1e6),
        ..1e-2 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{:.1} ms", seconds * 1e3),
    }
}
