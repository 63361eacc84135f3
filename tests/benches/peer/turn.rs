//! One turn: the other program's figures, then ours.

use std::process::Command;

use serde::Deserialize;

use crate::ours::Ours;

/// What the other program prints.
#[derive(Deserialize)]
pub struct Peer {
    /// How many threads it used.
    pub threads: usize,
    seal_ns: f64,
    unseal_ns: f64,
}

/// The figures of both, taken one after the other.
pub struct Turn {
    pub peer: Peer,
    pub ours: Vec<Ours>,
}

/// One kind of work over all turns.
pub struct Row {
    pub work: String,
    pub threads: usize,
    pub ratios: Vec<f64>,
    pub ours_ns: Vec<f64>,
    pub peer_ns: Vec<f64>,
}

/// Runs the other program once.
///
/// # Errors
/// It fails, or prints something else than is asked for.
pub fn peer(command: &str, size: usize) -> Result<Peer, String> {
    let output = Command::new("sh")
        .args(["-c", &format!("{command} {size}")])
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// The turns by kind of work, sealing first.
pub fn rows(turns: &[Turn]) -> Vec<Row> {
    let forms = turns.first().map_or(0, |turn| turn.ours.len());
    let mut rows = Vec::new();
    for verb in ["seal", "unseal"] {
        for form in 0..forms {
            let figures = turns.iter().map(|turn| {
                let ours = &turn.ours[form];
                match verb {
                    "seal" => (ours.seal_ns, turn.peer.seal_ns),
                    _ => (ours.unseal_ns, turn.peer.unseal_ns),
                }
            });
            let (ours_ns, peer_ns): (Vec<_>, Vec<_>) = figures.unzip();
            let pairs = ours_ns.iter().zip(&peer_ns);
            rows.push(Row {
                work: format!("{verb} {}", turns[0].ours[form].form),
                threads: turns[0].peer.threads,
                ratios: pairs.map(|(ours, peer)| ours / peer).collect(),
                ours_ns,
                peer_ns,
            });
        }
    }
    rows
}

/// The middle one.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
