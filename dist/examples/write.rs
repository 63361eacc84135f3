//! Writes the command to a file.
fn main() {
    std::fs::write(
        std::env::args().nth(1).unwrap(),
        iamseal_dist::command().unwrap(),
    )
    .unwrap();
}
