//! The medians that criterion wrote down.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

/// Where criterion writes, and since when.
pub struct Estimates {
    folder: PathBuf,
    began: SystemTime,
}

impl Estimates {
    /// From now on, below the folder that Cargo builds into.
    pub fn begin() -> Self {
        let program = env::current_exe().unwrap(); // <target>/release/deps/boundary-…
        Self {
            folder: program.ancestors().nth(3).unwrap().join("criterion"),
            began: SystemTime::now(),
        }
    }

    /// Where criterion is to write.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A median of this run in seconds; none if it was filtered out.
    pub fn median(&self, group: &str, function: &str, size: Option<usize>) -> Option<f64> {
        let mut path = self.folder.join(group).join(function);
        if let Some(size) = size {
            path.push(size.to_string());
        }
        path.push("new/estimates.json");
        let written = fs::metadata(&path).and_then(|file| file.modified());
        if written.is_ok_and(|written| written >= self.began) {
            let text = fs::read(&path).unwrap();
            let estimates: Value = serde_json::from_slice(&text).unwrap();
            let nanoseconds = estimates["median"]["point_estimate"].as_f64().unwrap();
            return Some(nanoseconds / 1e9);
        }
        None
    }
}
