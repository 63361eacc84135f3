//! The table in the end, in Markdown.

use iamseal_tests::machine::machine;

use crate::child::Cost;
use crate::sample::Kind;

/// The rows so far.
#[derive(Default)]
pub struct Table {
    rows: Vec<String>,
    /// Objects per second of the last plain loop.
    plain: Option<f64>,
}

impl Table {
    /// Adds a row. The first of a kind is what the others of it are compared with.
    pub fn row(&mut self, kind: Kind, count: usize, what: &str, cost: &Cost) {
        let speed = count as f64 / cost.time.as_secs_f64();
        if what == "plain loop" {
            self.plain = Some(speed);
        }
        let ratio = self.plain.map_or(1.0, |plain| speed / plain);
        let row = format!(
            "| {} | {count} | {what} | {speed:.0} | **{ratio:.2}** | {:.1} MiB |",
            kind.name(),
            cost.memory as f64 / f64::from(1 << 20),
        );
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// Prints them all.
    pub fn print(&self) {
        println!("\nMeasured on {}.\n", machine());
        println!("| objects | how many | | objects/s | ÷ plain loop | most memory |");
        println!("|---|--:|---|--:|--:|--:|");
        for row in &self.rows {
            println!("{row}");
        }
    }
}
