//! Where the links of a page lead.

use super::page::{Page, in_workspace};

/// The folders of the workspace, as the paths that pages name begin.
const ROOMS: [&str; 9] = [
    ".ci",
    "dist",
    "docs",
    "embeddings",
    "guest",
    "host",
    "tests",
    "wit",
    "xtask",
];

/// The files of the workspace that a page links to, by their paths from its root.
pub fn of(page: &Page) -> Vec<String> {
    let targets = targets(page).into_iter();
    targets.map(|target| resolve(page, &target).0).collect()
}

/// The links of a page that lead to no file, or to no heading of one.
pub fn broken(page: &Page) -> Vec<String> {
    let targets = targets(page).into_iter();
    let is_broken = |target: &String| {
        let (file, anchor) = resolve(page, target);
        let path = in_workspace(&file);
        match anchor {
            _ if !path.exists() => true,
            None => false,
            Some(anchor) => {
                !file.ends_with(".md") || !Page::read(&file).anchors().contains(&anchor)
            }
        }
    };
    let broken = targets.filter(is_broken);
    broken
        .map(|target| format!("{}: {target}", page.name))
        .collect()
}

/// The files of the workspace that a page names between backticks and that are not there. `KIND` stands
/// for a name to come.
pub fn missing(page: &Page) -> Vec<String> {
    let lines = page.prose.iter();
    let quoted = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_missing = |text: &&str| {
        let is_path = text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "/._-".contains(char));
        let is_ours = text
            .split_once('/')
            .is_some_and(|(room, _)| ROOMS.contains(&room));
        is_path && is_ours && !text.contains("KIND") && !in_workspace(text).exists()
    };
    let missing = quoted.filter(is_missing);
    missing
        .map(|text| format!("{}: {text}", page.name))
        .collect()
}

/// What the links of a page name, but for those to other places of the web.
fn targets(page: &Page) -> Vec<String> {
    let mut targets = Vec::new();
    for line in &page.prose {
        // What stands between backticks is no link; the text of one may stand there.
        let line: String = line.split('`').step_by(2).collect();
        for rest in line.split("](").skip(1) {
            let (target, _) = rest.split_once(')').unwrap();
            if !target.starts_with("https://") {
                targets.push(target.to_owned());
            }
        }
    }
    targets
}

/// The file that a link of this page names, from the workspace's root, and the heading in it.
fn resolve(page: &Page, target: &str) -> (String, Option<String>) {
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor.to_owned())),
        None => (target, None),
    };
    if file.is_empty() {
        return (page.name.clone(), anchor);
    }
    let mut parts: Vec<&str> = page.name.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            ".." => drop(parts.pop().expect("a link out of the workspace")),
            "" | "." => {}
            part => parts.push(part),
        }
    }
    (parts.join("/"), anchor)
}
