//! What a whole migration costs: the tool beside a plain loop, on the same objects, in one run, and a
//! table of it in the end.
//!
//! `cargo xtask bench-store`. The tool is the release build of `iamseal`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod child;
mod plain;
mod sample;
mod table;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;

use crate::child::{Cost, measure};
use crate::sample::{Kind, NEW, key_files};
use crate::table::Table;

/// Objects whose key takes a PBKDF2 of some milliseconds to derive, and an Argon2id of some fifty.
const PBKDF2: usize = 300;
const ARGON2ID: usize = 32;

/// Measure a migration
#[derive(Parser)]
struct Arguments {
    /// How many objects need no key that is derived from a root credential
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    objects: usize,
    /// Where the stores are made, and removed in the end; without it, where Cargo builds
    folder: Option<PathBuf>,
    /// Be the plain loop over this store
    #[arg(long, hide = true, value_name = "STORE")]
    plain: Option<PathBuf>,
    /// What Cargo gives every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(store) = arguments.plain {
        return plain::migrate(&store);
    }
    let this = env::current_exe().unwrap(); // <target>/release/deps/store-…
    let tool = this
        .ancestors()
        .nth(2)
        .unwrap()
        .join(format!("iamseal{}", env::consts::EXE_SUFFIX));
    assert!(
        tool.is_file(),
        "{} is not there: run `cargo xtask bench-store`, which builds it first",
        tool.display()
    );
    let folder = arguments
        .folder
        .unwrap_or_else(|| this.ancestors().nth(3).unwrap().to_owned());
    // Removed when it is dropped, after a panic too.
    let folder = tempfile::Builder::new()
        .prefix("iamseal-bench-")
        .tempdir_in(folder)
        .unwrap();
    let bench = Bench {
        this,
        tool,
        folder: folder.path(),
    };
    key_files(bench.folder);
    bench.warm_up();
    let mut table = Table::default();
    for (kind, count) in [
        (Kind::Usual, arguments.objects),
        (Kind::Pbkdf2, PBKDF2),
        (Kind::Argon2id, ARGON2ID),
    ] {
        bench.kind(&mut table, kind, count);
    }
    table.print();
}

struct Bench<'a> {
    this: PathBuf,
    tool: PathBuf,
    folder: &'a Path,
}

impl Bench<'_> {
    /// All that is measured with one kind of objects, each way of migrating in a store of its own.
    fn kind(&self, table: &mut Table, kind: Kind, count: usize) {
        let store = self.store("plain", kind, count);
        table.plain_loop(kind, count, &self.plain(&store));
        // The loop did the same work: it is not fast because it left some out.
        self.audit(&store);

        for (jobs, what) in [
            ("1", "`iamseal migrate --jobs 1`"),
            ("2", "`iamseal migrate --jobs 2`"),
        ] {
            let store = self.store(jobs, kind, count);
            let before = sample::digest(&store);
            table.migration(kind, count, what, &self.migrate(&store, jobs));
            if jobs == "2" {
                table.row(kind, count, "`iamseal audit`", "", &self.audit(&store));
                table.row(kind, count, "`iamseal undo`", "", &self.undo(&store));
                assert!(sample::digest(&store) == before, "it is not what it was");
            }
        }
    }

    /// None is removed before the end: ext4 does not give a file's number away again for minutes after
    /// the file was removed, and looks at each such number whenever a file is made.
    fn store(&self, name: &str, kind: Kind, count: usize) -> PathBuf {
        let store = self.folder.join(format!("{}-{name}", kind as u8));
        sample::make(&store, kind, count);
        store
    }

    fn plain(&self, store: &Path) -> Cost {
        measure(Command::new(&self.this).arg("--plain").arg(store))
    }

    fn migrate(&self, store: &Path, jobs: &str) -> Cost {
        let mut command = self.tool();
        command.arg("migrate").arg(store).arg("--journal");
        command.arg(journals(store)).args(["--jobs", jobs]);
        command.args(["--to", "kms", "--key", NEW, "--keys"]);
        command.arg(self.folder.join("both.keys"));
        command.arg("--root-credentials");
        command.arg(self.folder.join("credentials"));
        measure(&mut command)
    }

    /// Takes the one run back.
    fn undo(&self, store: &Path) -> Cost {
        let journals = journals(store);
        let mut files = fs::read_dir(&journals)
            .unwrap()
            .map(|file| file.unwrap().path());
        let run = files
            .find_map(|file| Some(file.file_stem()?.to_owned()))
            .unwrap();
        let mut command = self.tool();
        command.arg("undo").arg(store).arg(run).arg("--journal");
        command.arg(journals).arg("--keys");
        command.arg(self.folder.join("new.key"));
        measure(&mut command)
    }

    /// With the new key alone, so that it fails if anything was left behind.
    fn audit(&self, store: &Path) -> Cost {
        let mut command = self.tool();
        command.arg("audit").arg(store);
        command.args(["--require", "sealed", "--keys"]);
        command.arg(self.folder.join("new.key"));
        measure(&mut command)
    }

    /// Lets the tool compile its components, which it does once on a machine.
    fn warm_up(&self) {
        let store = self.store("warm-up", Kind::Usual, 1);
        self.migrate(&store, "1");
        self.audit(&store);
    }

    fn tool(&self) -> Command {
        let mut command = Command::new(&self.tool);
        command.env_clear().env("XDG_CACHE_HOME", self.folder);
        command.env("HOME", self.folder);
        command
    }
}

/// Where the journals of a store's runs are.
fn journals(store: &Path) -> PathBuf {
    store.with_extension("journals")
}
