//! What servers left on the drives beside their objects.

use alloc::format;

use crate::files::{Drive, Files, Kind, below};
use crate::layout::Layout;
use crate::notes::Notes;

/// Where a server puts what it has replaced until its next start, and where it writes what is new.
const PLACES: [(&[u8], &[u8], &str); 2] = [
    (
        b"tmp/.trash",
        b"xl.meta.bkp",
        "replaced versions of objects in tmp/.trash",
    ),
    (b"tmp", b"xl.meta", "half-written objects in tmp"),
];
/// How many are counted on a drive.
const COUNTED: usize = 10_000;

/// Notes how many versions of objects that are none any more, or not yet, lie on each drive: where the
/// objects were plaintext, so are these.
pub fn tell(files: &impl Files, layout: &Layout, notes: &mut Notes) {
    for drive in layout.drives() {
        for (folder, file, what) in PLACES {
            let count = count(files, drive, &layout.path(drive, folder), file);
            if count > 0 {
                let more = if count == COUNTED { " or more" } else { "" };
                let name = layout.name(drive);
                notes.say(format!(
                    "{name} keeps {count}{more} {what}, plaintext where they were plaintext: they are \
                     there until a server has started"
                ));
            }
        }
    }
}

/// How many folders in this one have such a file.
fn count(files: &impl Files, drive: Drive, folder: &[u8], file: &[u8]) -> usize {
    let mut count = 0;
    let mut after = None;
    // What cannot be listed is told where objects are listed.
    while let Ok(page) = files.list(drive, folder, after.as_deref()) {
        for entry in &page.entries {
            let file = below(&below(folder, &entry.name), file);
            count +=
                usize::from(entry.kind == Kind::Folder && files.read(drive, &file, 0, 0).is_ok());
        }
        let last = page.entries.into_iter().next_back().map(|entry| entry.name);
        if !page.has_more || last <= after || count >= COUNTED {
            break;
        }
        after = last;
    }
    count.min(COUNTED)
}
