//! Tables and colours, for people.

use comfy_table::{ContentArrangement, Table, presets};

/// A table.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// A verdict: green, or red for a failure, where the terminal shows colours.
pub fn verdict(verdict: &str, is_failure: bool) -> String {
    let text = console::style(verdict);
    if is_failure {
        text.red().bold()
    } else {
        text.green()
    }
    .to_string()
}
