//! A small disk of its own for a store, that can be full or read-only.
//!
//! It is mounted in a namespace that goes with the process in it, so nothing is left behind, and
//! what becomes of the store is copied out of there.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use super::store::Store;
use super::{Ended, PATIENCE, Tool};

/// What gets the disk in `$disk` into trouble, and what gets it out again.
pub type Trouble = [&'static str; 2];

/// Full but for some pages, so that a few drafts fit.
pub const FULL: Trouble = [
    "head -c 4M /dev/zero > $disk/filler 2> $scratch/full || truncate -s -48K $disk/filler",
    "rm $disk/filler",
];
pub const READ_ONLY: Trouble = ["mount -o remount,ro $disk", "mount -o remount,rw $disk"];

/// A run of the tool, and what the disk held after it.
pub struct Seen {
    pub ended: Ended,
    pub store: Store,
}

/// Puts a store on a small disk, gets that into trouble, runs the tool, gets the disk out of trouble
/// and runs the tool again. The tool is given the disk's path.
///
/// None if this system lets nobody mount anything, which is said past the test's captured output.
pub fn run(store: &Store, trouble: Trouble, tool: impl Fn(&Path) -> Tool) -> Option<[Seen; 2]> {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let disk = scratch.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let Some(namespace) = namespace(&disk) else {
        not_tested("a full and a read-only disk, which need `unshare --mount`");
        return None;
    };
    let stores = [Store::new(), Store::new()];
    let [during, after] = &stores;
    let [trouble, over] = trouble;
    let tool = tool(&disk).command();
    let mut shell = command(namespace);
    shell
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap())
        .envs(tool.get_envs().map(|(name, value)| (name, value.unwrap())))
        .envs([
            ("disk", &*disk),
            ("store", store.root()),
            ("during", during.root()),
            ("after", after.root()),
            ("scratch", scratch.path()),
        ])
        .args(["timeout", &PATIENCE.as_secs().to_string(), "sh", "-ec"])
        .arg(format!(
            "run() {{ \"$@\" > $scratch/out 2> $scratch/err && code=0 || code=$?
                      mv $scratch/out $scratch/$name; mv $scratch/err $scratch/$name-errors
                      echo $code > $scratch/$name-code; }}
             mount -t tmpfs -o size=1M,mode=755 tmpfs $disk
             cp -a $store/. $disk
             {trouble}
             name=during; run \"$@\"; cp -a $disk/. $during
             {over}
             rm -f $during/filler
             name=after; run \"$@\"; cp -a $disk/. $after"
        ))
        .arg("sh")
        .arg(tool.get_program())
        .args(tool.get_args());
    let status = shell.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{status}");
    let [during, after] = ["during", "after"].map(|name| ended(&scratch.path().join(name)));
    let mut ended = [during, after].into_iter();
    Some(stores.map(|store| Seen {
        ended: ended.next().unwrap(),
        store,
    }))
}

/// Runs the tool where a shell has mounted something before, `$name` being these paths. None as above.
pub fn mounted(shell: &str, paths: &[(&str, &Path)], tool: Tool) -> Option<Ended> {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let Some(namespace) = namespace(scratch.path()) else {
        not_tested("folders that are mounted twice and full ones, which need `unshare --mount`");
        return None;
    };
    let tool = tool.command();
    let mut command = command(namespace);
    command
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap())
        .envs(tool.get_envs().map(|(name, value)| (name, value.unwrap())))
        .envs(paths.iter().copied())
        .args(["timeout", &PATIENCE.as_secs().to_string(), "sh", "-ec"])
        .arg(format!("{shell}\nexec \"$@\""))
        .arg("sh")
        .arg(tool.get_program())
        .args(tool.get_args());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let ended = Ended {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!ended.stderr.contains("panicked at"), "{ended}");
    Some(ended)
}

/// Says past the captured output of a test what this system does not let it do.
pub fn not_tested(what: &str) {
    let note = format!("NOT tested: {what}\n");
    io::stderr().write_all(note.as_bytes()).unwrap();
}

/// What runs a program where it may mount: root can in a namespace, others in one that makes them
/// root, and so can root in some containers.
fn namespace(disk: &Path) -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [
        &["unshare", "--mount"],
        &["unshare", "--user", "--map-root-user", "--mount"],
    ];
    ways.into_iter().find(|way| {
        let mounted = command(way)
            .args(["mount", "-t", "tmpfs", "tmpfs"])
            .arg(disk)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success())
    })
}

fn ended(output: &Path) -> Ended {
    let read = |end: &str| {
        let mut name = output.as_os_str().to_owned();
        name.push(end);
        fs::read_to_string(name).unwrap()
    };
    let ended = Ended {
        code: read("-code").trim().parse().ok(),
        stdout: read("").into_bytes(),
        stderr: read("-errors"),
    };
    assert!(!ended.stderr.contains("panicked at"), "{ended}");
    ended
}

fn command(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments);
    command
}
