//! The store that a command works on.

use std::path::{Path, PathBuf};

use iamseal_words::arguments::{Common, Where};
use iamseal_words::report::notes;

use crate::command::bindings::iamseal::command::lending::{self, Names};
use crate::command::bindings::iamseal::plugin::{drives, storage};
use crate::command::failure::Failure;
use crate::command::output;

/// Has the keys and the store lent to the plugin, to read or to write as well, and tells what an operator
/// should know of the store before anything else. Names the keys and root credentials; `for_rustfs` has RustFS'
/// come first.
///
/// # Errors
/// A key or the store cannot be lent, or the prefix takes in too much.
pub fn open(
    common: &Common,
    place: &Where,
    writes: bool,
    for_rustfs: bool,
) -> Result<Names, Failure> {
    let names = lend_keys(common, for_rustfs)?;
    if let Some(wrong) = notes::wrong_prefix(place.prefix.as_encoded_bytes()) {
        return Err(wrong.into());
    }
    lending::lend_store(&text(&place.store), writes)?;
    tell(common, About::Drives);
    if let Ok(marker) = storage::read(notes::MARKER) {
        output::note(common.json, notes::marker(&marker.bytes));
    }
    Ok(names)
}

/// What notes are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// Drives, known once they were opened.
    Drives,
    /// The objects that were read so far.
    Objects,
}

/// Tells what there is to say of the objects that were read so far. Returns whether all of the store was seen:
/// else objects may be missing, or not be those that a server reads.
pub fn tell_of_objects(common: &Common) -> bool {
    tell(common, About::Objects)
}

/// There is nothing to say where no drives are lent.
fn tell(common: &Common, about: About) -> bool {
    let notes = drives::notes();
    for note in &notes {
        if (note.objects == 0) == (about == About::Drives) {
            let text = iamseal_words::drives::note(&note.text, note.objects, &note.paths);
            output::note(common.json, &text);
        }
    }
    !notes.iter().any(|note| note.hides)
}

/// Has the keys alone lent to the plugin, and names them; `for_rustfs` has RustFS' credentials come first.
///
/// # Errors
/// A key cannot be lent.
pub fn lend_keys(common: &Common, for_rustfs: bool) -> Result<Names, Failure> {
    let names =
        |files: &[PathBuf]| -> Vec<String> { files.iter().map(|file| text(file)).collect() };
    let (keys, credentials) = (names(&common.keys), names(&common.root_credentials));
    Ok(lending::lend_keys(&keys, &credentials, for_rustfs)?)
}

/// A path as WASI has it, where all are text.
pub fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
