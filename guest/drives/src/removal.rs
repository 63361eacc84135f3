//! What every drive is to lose of an object.
//!
//! The drives of a set lose their `xl.meta` one after the other, in an order in which a server reads the old
//! version until too few have it, and no object from there on. Copies in other pools go first: they are older, and
//! would be read again once the one that counts is gone.

use alloc::vec::Vec;

use crate::change::Removal;
use crate::copy::Copy;
use crate::draft::{Draft, Name, Place, Target, written_dirs};
use crate::encode;
use crate::files::{Drive, FileError, below};
use crate::format::Uuid;
use crate::highway::hash;
use crate::missing;
use crate::plan::data_dir;
use crate::pool_copies::PoolCopy;
use crate::quorum::{Seen, Settled, settle};
use crate::stage::WriteError;
use crate::store::{META, Store, check};
use crate::torn;
use crate::writer::FilesWriter;

/// What a set loses.
struct Lost {
    places: Vec<Place>,
    /// The folders of data that are beside an `xl.meta`.
    dirs: Vec<(Drive, Uuid)>,
}

impl<F: FilesWriter> Store<F> {
    /// Makes the draft of a removal: the folders of data that are to go with it are written down.
    pub(crate) fn draft_of_removal(&self, old: &Removal<'_>) -> Result<Draft, WriteError> {
        let path = old.path;
        check(path)?;
        let looked = self.looked(path);
        let copies = self.pool_copies(path, &looked, old.expected, true)?;
        let lost = copies.iter().map(|copy| self.of_lost_set(copy));
        let lost: Vec<Lost> = lost.collect::<Result<_, _>>()?;
        // One after the other, the older ones first.
        let (mut places, mut dirs) = (Vec::new(), Vec::new());
        for of_set in lost.into_iter().rev() {
            places.extend(of_set.places);
            dirs.extend(of_set.dirs);
        }
        let draft = Draft {
            name: Name::of(self.files.random()),
            path: path.to_vec(),
            version: None,
            data_dir: Uuid::default(),
            has_dirs: !dirs.is_empty(),
            targets: [Target {
                places,
                has_parts: false,
            }]
            .into(),
        };
        self.live.borrow_mut().insert(draft.name.clone());
        for (drive, dir) in dirs {
            let at = |path: &[u8]| self.layout.path(drive, path);
            let list = written_dirs(&[dir], path);
            let like = below(&at(path), META);
            if let Err(error) = self.create(drive, &at(&draft.name.dirs()), &list, &like) {
                self.discard(&draft);
                return Err(self.failed(drive, &error));
            }
        }
        Ok(draft)
    }

    /// What the drives of one set lose, in order.
    fn of_lost_set(&self, copy: &PoolCopy<'_>) -> Result<Lost, WriteError> {
        let PoolCopy {
            looked,
            chosen,
            unsound,
        } = copy;
        let (mut seen, mut sound) = (Vec::new(), Vec::new());
        let (mut there, mut dirs) = (Vec::new(), Vec::new());
        for (place, copy) in looked.copies.iter().enumerate() {
            if let Copy::Unreadable(drive, why) = copy {
                return Err(self.failed(*drive, &FileError::Failed(why.clone())));
            }
            let parsed = copy.parse();
            seen.push(copy.seen(parsed.as_ref()));
            let is_used = copy.drive().is_some_and(|drive| !unsound.contains(&drive));
            sound.push(is_used && chosen.members.contains(&place));
            if let Copy::File(drive, bytes) = copy {
                // Whoever makes it again knows its bytes, and no more.
                if chosen.members.contains(&place) {
                    encode::check_kept(bytes)?;
                }
                there.push(place);
                let dir = parsed.and_then(|parsed| data_dir(&parsed));
                dirs.extend(dir.map(|dir| (*drive, dir)));
            }
        }
        // Where MinIO shows nothing already, nothing is lost from sight.
        let was_hidden = chosen.is_hidden;
        let goes = chosen.members.first().and_then(|place| seen.get(*place));
        let may_be = missing::may_be(&seen, goes.copied().unwrap_or(Seen::Nothing));
        let order = torn::steps(&seen, there, Seen::Nothing, |torn| {
            may_be.iter().all(|back| {
                let back = missing::with(torn, *back);
                match settle(&back) {
                    Settled::Nothing | Settled::Dangling(_) => true,
                    Settled::Chosen(now) => {
                        // A drive that comes back with the object is taken to have its shard: the bytes are in the run's journal.
                        let is_left = |place: usize| {
                            let is_of_use = sound.get(place) == Some(&true);
                            is_of_use || seen.get(place) == Some(&Seen::Unknown)
                        };
                        let left = now.members.iter().filter(|place| is_left(**place));
                        (was_hidden || !now.is_hidden)
                            && now.shared == chosen.shared
                            && left.count() >= usize::from(chosen.shared.data)
                    }
                    Settled::TooFew { .. } => missing::shows_nothing(&seen),
                }
            })
        });
        let order = order.ok_or_else(|| {
            WriteError::Refused(
                "its drives have different versions, and an older one would be read in between: let mc \
                 admin heal make it whole first"
                    .into(),
            )
        })?;
        let place = |number: usize| match looked.copies.get(number) {
            Some(Copy::File(drive, bytes)) => Some(Place {
                drive: *drive,
                number,
                before: Some(hash(bytes)),
            }),
            _ => None,
        };
        Ok(Lost {
            places: order.into_iter().filter_map(place).collect(),
            dirs,
        })
    }

    /// Removes the folders of an object that is gone, and those above that are empty by that, as a server does.
    pub(crate) fn remove_folders(&self, draft: &Draft) {
        for drive in draft.drives() {
            let mut folder = draft.path.as_slice();
            while let Some(end) = folder.iter().rposition(|byte| *byte == b'/') {
                // One that is not empty stays, as does all above it.
                let removed = self
                    .files
                    .remove_folder(drive, &self.layout.path(drive, folder));
                if removed.is_err() {
                    break;
                }
                folder = folder.get(..end).unwrap_or_default();
            }
        }
    }
}
