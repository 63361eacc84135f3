//! Commands that do what they say when they are typed, or pasted, into a shell.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _};

use crate::arguments::{Common, Writes};

/// What was typed, as far as another command needs it.
#[derive(Clone, Default)]
pub struct Typed {
    /// The command as a whole; none if what is done is only part of it.
    pub again: Option<String>,
    /// The options that an undo needs as its run did: the keys, and what is promised of the store.
    options: Vec<OsString>,
    /// What of it cannot be typed again: pipes, which were read to their end.
    read: Vec<OsString>,
    /// All words after the program's name.
    words: Vec<OsString>,
}

impl Typed {
    /// What these arguments of the process came to.
    pub fn of(matches: &ArgMatches) -> Self {
        let Some((name, given)) = matches.subcommand() else {
            return Self::default();
        };
        // A demonstration does what other commands do, but in a folder of its own.
        let again = (name != "demo").then(|| command(env::args_os().skip(1)));
        let needed = Writes::augment_args(Common::augment_args(clap::Command::new("")));
        let mut options = Vec::new();
        let mut read = Vec::new();
        for argument in needed.get_arguments() {
            let id = argument.get_id().as_str();
            // Not every command writes.
            let is_given = given.try_contains_id(id).unwrap_or(false)
                && given.value_source(id) == Some(ValueSource::CommandLine);
            // How the answer is printed is nobody's business later.
            let Some(long) = argument.get_long().filter(|_| is_given && id != "json") else {
                continue;
            };
            match argument.get_action().takes_values() {
                true => {
                    for value in given.get_raw(id).into_iter().flatten() {
                        match is_pipe(value) {
                            true => {
                                options.extend([format!("--{long}").into(), FILE.into()]);
                                read.push(value.to_owned());
                            }
                            false => options.extend(option(long, value)),
                        }
                    }
                }
                false => options.push(format!("--{long}").into()),
            }
        }
        // It would read them again.
        let again = again.filter(|_| read.is_empty());
        Self {
            again,
            options,
            read,
            words: env::args_os().skip(1).collect(),
        }
    }

    /// The command that writes what this one has prepared; none if it cannot be typed again.
    pub fn finish(&self, run: &str) -> Option<String> {
        let word = |word: &OsString| match word == "--prepare" {
            true => vec!["--finish".into(), run.into()],
            false => vec![word.clone()],
        };
        let words = || self.words.iter().flat_map(word);
        (self.read.is_empty() && !self.words.is_empty()).then(|| command(words()))
    }

    /// Promises of an undo that nobody else writes, as the run itself need not have.
    pub fn promise_stopped(&mut self) {
        let promise = OsString::from("--server-is-stopped");
        if !self.options.contains(&promise) {
            self.options.push(promise);
        }
    }

    /// The command that takes a run back whose journal is in this folder, if not in the user's own.
    pub fn undo(&self, store: &OsStr, run: &str, journal: Option<&OsStr>) -> String {
        let journal = journal.map(|folder| option("journal", folder));
        let options = || journal.iter().flatten().chain(&self.options).cloned();
        let operands = [store.to_owned(), run.into()];
        let undo = [OsString::from("undo")].into_iter();
        let mut command = match store.as_bytes().starts_with(b"-") {
            false => command(undo.chain(operands).chain(options())),
            true => command(undo.chain(options()).chain(["--".into()]).chain(operands)),
        };
        if !self.read.is_empty() {
            let read: Vec<_> = self.read.iter().map(|path| quoted(path)).collect();
            // Writing to a String cannot fail.
            let _ = write!(command, "  # {FILE}: what {} held", read.join(" and "));
        }
        command
    }
}

/// The command that removes the drafts that a run has left in this store. Where only their age tells that no
/// run holds them, it is passed over: whoever types it knows.
pub fn sweep(store: &OsStr, is_folder: bool) -> String {
    let option = (!is_folder).then(|| "--no-run-under-way".into());
    let end = store.as_bytes().starts_with(b"-").then(|| "--".into());
    let words = option.into_iter().chain(end).chain([store.to_owned()]);
    command(["sweep".into()].into_iter().chain(words))
}

/// What stands for a file in a command that cannot name it.
const FILE: &str = "FILE";

/// Whether the path is that of a pipe, as a shell makes one for `<(...)`: who opens it later finds another
/// or none.
fn is_pipe(path: &OsStr) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo())
}

fn option(long: &str, value: &OsStr) -> Vec<OsString> {
    let name = OsString::from(format!("--{long}"));
    match value.as_bytes() {
        // It would be taken for another option.
        [b'-', ..] => {
            let mut both = name.into_vec();
            both.push(b'=');
            both.extend_from_slice(value.as_bytes());
            vec![OsString::from_vec(both)]
        }
        _ => vec![name, value.to_owned()],
    }
}

fn command(words: impl IntoIterator<Item = OsString>) -> String {
    let mut command = String::from("iamseal");
    for word in words {
        command.push(' ');
        command.push_str(&quoted(&word));
    }
    command
}

/// A word for a shell. What does not show is escaped, in the way that all shells but the smallest know.
pub fn quoted(word: &OsStr) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"%+,-./:@_".contains(byte);
    let bytes = word.as_bytes();
    match word.to_str() {
        Some(text) if !bytes.is_empty() && bytes.iter().all(is_plain) => text.to_owned(),
        Some(text) if iamseal::harmless(text) == text => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => escaped(bytes),
    }
}

/// `$'...'`. The number of a byte has three digits, so that none that follows is taken for one of its own.
fn escaped(bytes: &[u8]) -> String {
    let mut quoted = String::from("$'");
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(*byte));
            }
            b' '..=b'~' => quoted.push(char::from(*byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(quoted, "\\{byte:03o}")),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What a shell makes of it.
    fn read_by(shell: &str, command: &str) -> Vec<u8> {
        let script = format!("printf '%s|' {command}");
        let ran = Command::new(shell).args(["-c", &script]).output().unwrap();
        assert!(ran.status.success(), "{command}");
        ran.stdout
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        let words: [&[u8]; 11] = [
            b"/data/.minio.sys",
            b"",
            b"two words",
            b"it's",
            b"$(reboot) `reboot` ${HOME} \"$HOME\" !! *",
            b"~",
            "Zo\u{eb}".as_bytes(),
            b"back\\slash",
            b"; # | & > <",
            b"s3://bucket/prefix",
            b"--keys=-x",
        ];
        for word in words {
            let quoted = quoted(OsStr::from_bytes(word));
            let expected = [word, b"|"].concat();
            assert_eq!(read_by("sh", &quoted), expected, "{quoted}");
        }
    }

    #[test]
    fn what_does_not_show_is_typed_in_escapes() {
        let hidden: [&[u8]; 5] = [
            b"\x1b[2J7",
            b"a\nb\\n'",
            b"\xff\xfe",
            "\u{202e}\u{200b}".as_bytes(),
            b"\x01'\\",
        ];
        for word in hidden {
            let quoted = quoted(OsStr::from_bytes(word));
            assert!(quoted.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let expected = [word, b"|"].concat();
            assert_eq!(read_by("bash", &quoted), expected, "{quoted}");
        }
    }

    #[test]
    fn what_was_prepared_is_finished_with_the_same_words() {
        let line = ["migrate", "drives:/a{1...4}", "--prepare", "--to", "kms"];
        let mut typed = Typed {
            words: line.map(OsString::from).into(),
            ..Typed::default()
        };
        let expected = "iamseal migrate 'drives:/a{1...4}' --finish R --to kms";
        assert_eq!(typed.finish("R").as_deref(), Some(expected));
        typed.read.push("/dev/fd/63".into());
        assert_eq!(typed.finish("R"), None);
    }

    #[test]
    fn a_run_is_taken_back_with_the_same_options() {
        let typed = Typed {
            options: option("keys", OsStr::new("old keys")),
            ..Typed::default()
        };
        let undo = |store| typed.undo(OsStr::new(store), "20261123T203010Z", None);
        let expected = "iamseal undo /data 20261123T203010Z --keys 'old keys'";
        assert_eq!(undo("/data"), expected);
        let expected = "iamseal undo --keys 'old keys' -- -data 20261123T203010Z";
        assert_eq!(undo("-data"), expected);
        let expected = "iamseal undo /data R '--journal=-j' --keys 'old keys'";
        let journal = OsStr::new("-j");
        assert_eq!(
            typed.undo(OsStr::new("/data"), "R", Some(journal)),
            expected
        );
    }
}
