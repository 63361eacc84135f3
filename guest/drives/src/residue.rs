//! What servers left on the drives beside their objects.

use alloc::format;

use crate::files::{Drive, Files, Kind, below};
use crate::layout::Layout;
use crate::notes::Notes;

/// Where a server puts what it has replaced, until its next start.
const TRASH: &[u8] = b"tmp/.trash";
/// An `xl.meta` that was replaced.
const REPLACED: &[u8] = b"xl.meta.bkp";
/// How many are counted on a drive.
const COUNTED: usize = 10_000;

/// Notes how many replaced versions of objects lie in the trash of each drive: where they were
/// plaintext, so are these.
pub fn tell(files: &impl Files, layout: &Layout, notes: &mut Notes) {
    for drive in layout.drives() {
        let count = count(files, layout, drive);
        if count > 0 {
            let more = if count == COUNTED { " or more" } else { "" };
            let name = layout.name(drive);
            notes.say(format!(
                "{name} keeps {count}{more} replaced versions of objects in tmp/.trash, plaintext \
                 where they were plaintext: they are there until a server has started"
            ));
        }
    }
}

fn count(files: &impl Files, layout: &Layout, drive: Drive) -> usize {
    let trash = layout.path(drive, TRASH);
    let mut count = 0;
    let mut after = None;
    // What cannot be listed is told where objects are listed.
    while let Ok(page) = files.list(drive, &trash, after.as_deref()) {
        for entry in &page.entries {
            let file = below(&below(&trash, &entry.name), REPLACED);
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
