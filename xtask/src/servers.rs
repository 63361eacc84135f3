//! The servers that the tests run against: etcd from Debian; KES, MinIO and its client built by Go from
//! their published modules. They are test tools only.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt;
use crate::fetched::{PROGRAMS, Program, debian};
use crate::run::{Failure, in_workspace, run, say, succeeds};

/// What a test's name begins with that needs them.
pub const TESTS: &str = "real_servers::";

/// What etcd's packages hold.
const ETCD: [&str; 2] = ["etcd", "etcdctl"];
/// What signs requests to MinIO that its client has no command for.
const CURL: &str = "curl";

/// Makes sure of all of them in a folder of the workspace's own, and returns it.
///
/// # Errors
/// One is not there and cannot be had. The text says which, why and what to do.
pub fn ensure() -> Result<PathBuf, Failure> {
    let folder = in_workspace(".cache/servers");
    fs::create_dir_all(&folder)?;
    of_debian(&folder)?;
    for program in &PROGRAMS {
        program.ensure(&folder)?;
    }
    say(&format!(
        "the servers of the tests are in {}",
        folder.display()
    ));
    Ok(folder)
}

fn of_debian(folder: &Path) -> Result<(), Failure> {
    let are_there = || find(CURL).is_some() && ETCD.iter().all(|name| find(name).is_some());
    if are_there() {
        return link(folder);
    }
    let by_apt = apt::install(&debian::SERVERS);
    if are_there() {
        return link(folder);
    }
    let reason = by_apt
        .err()
        .map(|failure| format!("{failure}\n"))
        .unwrap_or_default();
    Err(format!(
        "{reason}\
        iamseal's tests need etcd, etcdctl and curl, and this machine has not all of them. Install them, on \
        Debian with\n    \
        apt-get install curl etcd-client etcd-server\n\
        then run this command again."
    )
    .into())
}

/// So that all servers are found in one place.
fn link(folder: &Path) -> Result<(), Failure> {
    for name in ETCD {
        let link = folder.join(name);
        if let Some(program) = find(name)
            && fs::read_link(&link).ok().as_ref() != Some(&program)
        {
            let _ = fs::remove_file(&link);
            symlink(program, link)?;
        }
    }
    Ok(())
}

/// A program on `PATH`.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut all = std::env::split_paths(&path).map(|folder| folder.join(name));
    all.find(|program| program.is_file())
}

impl Program {
    fn ensure(&self, folder: &Path) -> Result<(), Failure> {
        // Written last: it is there only where the program is.
        let installed = folder.join(format!("{}.version", self.name));
        if fs::read(&installed).is_ok_and(|had| had == self.version.as_bytes()) {
            return Ok(());
        }
        if !succeeds(Command::new("go").arg("version")) {
            return Err(format!(
                "iamseal's tests need {}, which Go builds, and this machine has no Go. Install Go 1.24 \
                or later from https://go.dev, then run this command again.",
                self.name
            )
            .into());
        }
        // Not `go install`, which takes the module's word for what it is: its checksum is ours to give.
        let module = folder.join("build").join(self.name);
        fs::create_dir_all(&module)?;
        let Self {
            name,
            module: of,
            version,
            sum,
            of_go_mod,
            package,
        } = self;
        fs::write(
            module.join("go.mod"),
            format!("module servers\n\ngo 1.24.0\n\nrequire {of} {version}\n"),
        )?;
        fs::write(
            module.join("go.sum"),
            format!("{of} {version} {sum}\n{of} {version}/go.mod {of_go_mod}\n"),
        )?;
        let built = run(
            &format!("build {name}, once, which takes some minutes"),
            Command::new("go")
                .args(["build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o"])
                .arg(folder.join(name))
                .arg(package)
                .env("CGO_ENABLED", "0")
                .current_dir(&module),
        );
        built.map_err(|failure| {
            format!(
                "{failure}\niamseal's tests need {name}. Where it cannot be built, put {of} of version \
                {version} at\n    {}\nand that version, without a line's end, in\n    {}\n\
                and run this command again.",
                folder.join(name).display(),
                installed.display(),
            )
        })?;
        fs::remove_dir_all(&module)?;
        fs::write(installed, version)?;
        Ok(())
    }
}
