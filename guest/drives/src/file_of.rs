//! Which object a file is of.

use crate::format::uuid;
use crate::store::META;

/// The object of a file, by the file's path below a system folder: of its `xl.meta`, or of a part of it, which
/// lies in a folder of its own, `OBJECT/UUID/part.1`.
#[must_use]
pub fn object_of(file: &[u8]) -> Option<&[u8]> {
    let (folder, name) = split(file)?;
    if name == META {
        return Some(folder);
    }
    let (object, data) = split(folder)?;
    let is_data = str::from_utf8(data).is_ok_and(|data| uuid(data).is_some());
    (is_data && name.starts_with(b"part.")).then_some(object)
}

fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    Some((path.get(..slash)?, path.get(slash + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_of_its_object() {
        let data = "config/a.json/5b6d1f2e-3c4d-4e5f-8a9b-0c1d2e3f4a5b";
        for (file, of) in [
            ("config/a.json/xl.meta", Some("config/a.json")),
            (&*alloc::format!("{data}/part.1"), Some("config/a.json")),
            (&*alloc::format!("{data}/other"), None),
            ("config/a.json/b/part.1", None),
            ("config/a.json/other", None),
            ("xl.meta", None),
        ] {
            assert_eq!(object_of(file.as_bytes()), of.map(str::as_bytes), "{file}");
        }
    }
}
