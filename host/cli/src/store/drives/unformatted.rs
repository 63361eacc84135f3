//! Drives whose `format.json` is gone or damaged, though the objects are there.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use iamseal_words::drives::SYSTEM_FOLDERS;

use crate::failure::Failure;
use crate::typed;

/// What a server writes onto the only drive that it has, where its UUID belongs: any does, as RELEASE.2025-10-15 takes it.
const OF_ONE_DRIVE: &str = concat!(
    r#"{"version":"1","format":"xl-single","id":"%s","#,
    r#""xl":{"version":"3","this":"%s","sets":[["%s"]],"distributionAlgo":"SIPMOD+PARITY"}}"#
);

/// Objects that most servers have, as they lie on a drive.
const OBJECTS: [&str; 2] = [
    "config/iam/format.json/xl.meta",
    "config/config.json/xl.meta",
];

/// The system folder of what is a drive by its objects.
pub fn system_folder(given: &Path) -> Option<PathBuf> {
    let below = SYSTEM_FOLDERS.map(|below| given.join(below));
    below
        .into_iter()
        .find(|folder| OBJECTS.iter().any(|object| folder.join(object).is_file()))
}

/// What is said of a drive that has no `format.json`.
pub fn gone(given: &Path, system: &Path) -> Failure {
    let shown = iamseal::shown(given.as_os_str().as_encoded_bytes());
    failure(
        format!(
            "{shown}: it is a drive of a server, and its format.json, which says which one, is gone"
        ),
        system,
    )
}

/// What is said of one that has another.
pub fn failure(why: impl Display, system: &Path) -> Failure {
    let format = typed::quoted(system.join("format.json").as_os_str());
    Failure::usage(why).with_cure(format!(
        "if the server has more drives, give them too, as drives:/mnt/disk{{1...4}}; if it is the only one and there is no \
         backup of that file, on a copy of the drive: id=$(cat /proc/sys/kernel/random/uuid); printf '{OF_ONE_DRIVE}' \
         $id $id $id > {format}"
    ))
}
