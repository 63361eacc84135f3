//! What a run on drives does to their files: written down before it is done, and read again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::JournalError;
use super::file::Journal;
use super::key::RunKey;
use super::past::Trusted;
use super::record::{self, Line, Path, write};
use super::verify::is_proved;
use crate::contract::StorageError;
use crate::storage::drives::apply::{DataFile, OfDrive, OfObject, Written, WrittenDrive};
use crate::storage::drives::recorder::{FileChange, Recorder};

/// The end of the path of an object's `xl.meta`.
const META: &[u8] = b"/xl.meta";
/// What is reported of an object that was not written to its end, whatever was changed.
const FAILED: &str = "failed";

impl Recorder for Journal {
    /// Not durably: who loses power before the run ends has no proof of it, and begins again with new copies.
    fn record(&self, change: FileChange<'_>) -> Result<(), StorageError> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let line = match change {
            FileChange::Drive {
                drive,
                name,
                format,
            } => Line::Drive(record::Drive {
                drive,
                name: name.to_owned(),
                format: format.to_owned(),
            }),
            FileChange::Version {
                drive,
                file,
                before,
                after,
            } => Line::Version(record::Version {
                drive,
                file: Path::of(file),
                before: owned(before),
                after: owned(after),
            }),
            FileChange::DataComes { drive, file, bytes } => Line::Data(record::Data {
                drive,
                file: Path::of(file),
                comes: true,
                digest: self.digest(file, bytes),
            }),
            FileChange::DataGoes { drive, file } => Line::Data(record::Data {
                drive,
                file: Path::of(file),
                comes: false,
                digest: None,
            }),
        };
        let mut lines = String::new();
        write(&line, &mut lines);
        self.append_here(lines)
    }
}

/// What these runs, given in the order in which they were, have done to the files of drives together.
///
/// # Errors
/// [`JournalError::NotEnded`], [`JournalError::NoDrives`] of one of them, [`JournalError::CutShort`]; those of reading a
/// journal. No line is followed that cannot be read.
pub fn written_to_drives(runs: &[Trusted]) -> Result<Written, JournalError> {
    let mut reading = Reading::default();
    for run in runs {
        let name = &run.head().name;
        if !is_proved(run.path())? {
            return Err(JournalError::NotEnded(name.clone()));
        }
        let mut steps = 0;
        reading.begin(run.key.clone());
        for line in run.lines()? {
            steps += u64::from(reading.line(line?.1));
        }
        run.check_whole(steps)?;
        if reading.numbers.is_empty() {
            return Err(JournalError::NoDrives(name.clone()));
        }
    }
    Ok(reading.written())
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    drives: Vec<WrittenDrive>,
    objects: BTreeMap<Vec<u8>, OfObject>,
    /// The drives by the numbers that the present run gives them.
    numbers: HashMap<u16, usize>,
    key: Option<Arc<RunKey>>,
}

impl Reading {
    fn begin(&mut self, key: Option<Arc<RunKey>>) {
        self.numbers.clear();
        self.key = key;
    }

    /// Reads one line. Returns whether it tells of an object that was handled.
    fn line(&mut self, line: Line) -> bool {
        match line {
            Line::Drive(drive) => self.drive(drive),
            Line::Version(version) => {
                self.version(version);
            }
            Line::Data(data) => {
                self.data(data);
            }
            Line::Step(step) => {
                let path = step.path.bytes();
                if let Some(object) = path.and_then(|path| self.objects.get_mut(&path))
                    && object.is_open
                {
                    object.is_open = false;
                    object.is_whole = step.changed && step.outcome != FAILED;
                }
                return true;
            }
            Line::Run(_) | Line::Change(_) | Line::Prepared(_) => {}
        }
        false
    }

    fn drive(&mut self, drive: record::Drive) {
        let record::Drive {
            drive: number,
            name,
            format,
        } = drive;
        let known = self.drives.iter().position(|known| known.format == format);
        let place = known.unwrap_or_else(|| {
            self.drives.push(WrittenDrive { name, format });
            self.drives.len() - 1
        });
        self.numbers.insert(number, place);
    }

    fn version(&mut self, version: record::Version) -> Option<()> {
        let drive = *self.numbers.get(&version.drive)?;
        let file = version.file.bytes()?;
        let object = file.strip_suffix(META)?;
        let object = self.objects.entry(object.to_vec()).or_default();
        if !object.is_open {
            (object.is_open, object.is_whole) = (true, false);
            // The order of the last run counts.
            object.order.clear();
        }
        if !object.order.contains(&drive) {
            object.order.push(drive);
        }
        let on = object.on.entry(drive).or_default();
        for state in [version.before, version.after] {
            if on.states.last() != Some(&state) {
                on.states.push(state);
            }
        }
        Some(())
    }

    fn data(&mut self, data: record::Data) -> Option<()> {
        let drive = *self.numbers.get(&data.drive)?;
        let file = data.file.bytes()?;
        // The object's path, the folder's name, the file's.
        let (folder, _) = split(&file)?;
        let (object, _) = split(folder)?;
        let on = self.objects.entry(object.to_vec()).or_default();
        let on: &mut OfDrive = on.on.entry(drive).or_default();
        match data.comes {
            false => {
                on.comes.remove(&file);
                on.goes.insert(file);
            }
            true => {
                let (key, name) = (self.key.clone(), file.clone());
                let digest = data.digest;
                let is_it = move |bytes: &[u8]| match (&key, &digest) {
                    (Some(key), Some(digest)) => key.digest(&name, bytes) == *digest,
                    // Nothing tells: the journal is trusted without its key, or had none.
                    _ => true,
                };
                on.goes.remove(&file);
                on.comes.insert(file, DataFile(Box::new(is_it)));
            }
        }
        Some(())
    }

    fn written(self) -> Written {
        // Where no version has come or gone, data alone says nothing.
        let has_versions = |object: &OfObject| !object.order.is_empty();
        let objects = self.objects.into_iter();
        Written {
            drives: self.drives,
            objects: objects.filter(|(_, object)| has_versions(object)).collect(),
        }
    }
}

/// A path's folder and the name in it.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = path.iter().rposition(|byte| *byte == b'/')?;
    Some((path.get(..at)?, path.get(at + 1..)?))
}
