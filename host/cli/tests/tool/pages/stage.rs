//! What a page supposes to be there, and the running of its blocks.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::page::Page;
use crate::kit::{KEY, KEY_NAME, only_mine};

/// Where the tool keeps journals if it is not told otherwise, below a stage.
pub const JOURNALS: &str = "home/.local/state/iamseal";

/// A page, and a folder of its own that its blocks are run in.
pub struct Stage {
    page: Page,
    folder: TempDir,
}

/// The content of `my-key.secret`.
pub fn my_key() -> String {
    format!("{}\n", KEY.replace(KEY_NAME, "my-key"))
}

impl Stage {
    pub fn of(page: &str) -> Self {
        let stage = Self {
            page: Page::read(page),
            folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        };
        for folder in ["bin", "home"] {
            fs::create_dir(stage.path(folder)).unwrap();
        }
        let tool = env!("CARGO_BIN_EXE_iamseal");
        symlink(tool, stage.path("bin/iamseal")).unwrap();
        stage
    }

    pub fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Writes a file with its folders.
    pub fn bytes(&self, file: impl AsRef<Path>, bytes: &[u8]) {
        let file = self.path(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        only_mine(&file);
    }

    pub fn file(&self, file: &str, text: &str) {
        self.bytes(file, text.as_bytes());
    }

    /// Writes objects below a folder.
    pub fn store<'a>(&self, folder: &str, objects: impl IntoIterator<Item = (&'a [u8], Vec<u8>)>) {
        for (path, bytes) in objects {
            let path = std::os::unix::ffi::OsStrExt::from_bytes(path);
            self.bytes(Path::new(folder).join::<&std::ffi::OsStr>(path), &bytes);
        }
    }

    /// The name of the newest run in a folder of journals.
    pub fn last_run(&self, journals: &str) -> String {
        let entries = fs::read_dir(self.path(journals)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let runs = names.filter_map(|name| Some(name.strip_suffix(".journal")?.to_owned()));
        runs.max().unwrap()
    }

    /// Runs all `sh` blocks of the page, one after the other in one shell, which stops at the first
    /// command that fails. What the page names and is not here is replaced: an absolute path by one below
    /// the folder, an address by that of a server of the test. Returns what was printed.
    #[track_caller]
    pub fn run(&self, instead: &[(&str, &str)]) -> String {
        let blocks = self.page.blocks.iter().filter(|block| block.kind == "sh");
        let mut script: String = blocks.map(|block| &*block.text).collect();
        for (named, here) in instead {
            assert!(script.contains(named), "{named} is not on the page");
            let here = match named.starts_with('/') {
                true => self.path(here).display().to_string(),
                false => (*here).to_owned(),
            };
            script = script.replace(named, &here);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let output = Command::new("sh")
            .args(["-eux", "-c", &script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", cache)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{}: {}\n{printed}\n{}",
            self.page.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }
}
