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
    /// Adds the plain loop, which the further migrations of its kind are compared with.
    pub fn plain_loop(&mut self, kind: Kind, count: usize, cost: &Cost) {
        self.plain = Some(speed(count, cost));
        self.migration(kind, count, "plain loop", cost);
    }

    /// Adds another way to do the same.
    pub fn migration(&mut self, kind: Kind, count: usize, what: &str, cost: &Cost) {
        let ratio = self.plain.map(|plain| speed(count, cost) / plain);
        let ratio = ratio.map_or_else(String::new, |ratio| format!("**{ratio:.2}**"));
        self.row(kind, count, what, &ratio, cost);
    }

    /// Adds a row.
    pub fn row(&mut self, kind: Kind, count: usize, what: &str, ratio: &str, cost: &Cost) {
        let row = format!(
            "| {} | {count} | {what} | {:.0} | {ratio} | {:.1} MiB |",
            kind.name(),
            speed(count, cost),
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

/// Objects per second.
fn speed(count: usize, cost: &Cost) -> f64 {
    count as f64 / cost.time.as_secs_f64()
}
