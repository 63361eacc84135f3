//! A page: its text, its headings and its fenced blocks.

use std::fs;
use std::path::{Path, PathBuf};

/// A page of Markdown.
pub struct Page {
    /// Its path from the workspace's root, such as `docs/etcd.md`.
    pub name: String,
    pub text: String,
    pub blocks: Vec<Block>,
    /// Its lines outside of blocks.
    pub prose: Vec<String>,
}

/// A fenced block.
pub struct Block {
    /// What stands behind its first fence, such as `sh`.
    pub kind: String,
    pub text: String,
}

/// Where something of the workspace is.
pub fn in_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// All pages that people read.
pub fn pages() -> Vec<Page> {
    let folders = ["", "docs", "docs/formats", "tests/interop", "wit"];
    let mut names: Vec<String> = folders.into_iter().flat_map(in_folder).collect();
    names.sort();
    names.iter().map(|name| Page::read(name)).collect()
}

fn in_folder(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(in_workspace(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| name.ends_with(".md"));
    pages
        .map(|name| match folder {
            "" => name,
            _ => format!("{folder}/{name}"),
        })
        .collect()
}

impl Page {
    #[track_caller]
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(in_workspace(name)).unwrap();
        let (mut blocks, mut prose) = (Vec::new(), Vec::new());
        let mut open: Option<Block> = None;
        for line in text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (fence, &mut open) {
                (Some(kind), None) => {
                    assert!(line.starts_with('`'), "{name}: an indented block: {line}");
                    open = Some(Block {
                        kind: kind.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.text.extend([line, "\n"]),
                (None, None) => prose.push(line.to_owned()),
            }
        }
        assert!(open.is_none(), "{name}: a block has no end");
        Self {
            name: name.to_owned(),
            text,
            blocks,
            prose,
        }
    }

    /// The anchors of its headings, as they are made on the web: what is no letter, digit, `-` or `_` is
    /// left out, a space is a `-`, and the second of a name has `-1` behind it.
    pub fn anchors(&self) -> Vec<String> {
        let (mut anchors, mut seen) = (Vec::new(), Vec::new());
        let headings = self.prose.iter().filter(|line| line.starts_with('#'));
        for heading in headings {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter_map(|char| match char {
                ' ' => Some('-'),
                '-' | '_' => Some(char),
                _ => char.is_alphanumeric().then_some(char),
            });
            let anchor: String = kept.collect();
            let before = seen.iter().filter(|known| **known == anchor).count();
            seen.push(anchor.clone());
            anchors.push(match before {
                0 => anchor,
                _ => format!("{anchor}-{before}"),
            });
        }
        anchors
    }
}
