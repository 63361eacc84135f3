//! Writes the files of a release into a folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use iamseal_dist::release;

/// Write the files of a release into a folder, after they have passed every gate
#[derive(Parser)]
struct Arguments {
    /// Where to; made if it is not there
    folder: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { folder } = Arguments::parse();
    match make(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no release: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn make(folder: &Path) -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("this crate has left the workspace")?;
    let revision = release::revision(root)?;
    let files = release::files(root, revision.as_deref())?;
    release::write(&files, folder)?;

    let shown = revision.as_deref().unwrap_or("no known revision");
    eprintln!(
        "{} files of {shown} are in {}",
        files.len(),
        folder.display()
    );
    Ok(())
}
