//! Files with rights of all kinds on the file system of the tests.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{XattrFlags, getxattr, listxattr, setxattr};

use super::super::DirStore;
use super::super::faults::{Call, Faults};
use super::super::testing::{Fixture, refusal, run};
use super::*;
use crate::storage::StorageWriter as _;

const DEFAULT_ACL: &str = "system.posix_acl_default";
const ACL: &str = "system.posix_acl_access";
/// A user that no machine has.
const STRANGER: u32 = 54_321;

/// An access control list as Linux keeps it: these permissions for owner, one named user, group,
/// mask and everybody else.
fn acl(owner: u16, named: (u32, u16), group: u16, mask: u16, other: u16) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries = [
        (1u16, owner, NOBODY),
        (2, named.1, named.0),
        (4, group, NOBODY),
        (0x10, mask, NOBODY),
        (0x20, other, NOBODY),
    ];
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

/// Sets an attribute; false, and says so, where the file system or this user cannot.
fn put(path: &Path, name: &str, value: &[u8]) -> bool {
    let set = setxattr(path, name, value, XattrFlags::empty());
    if let Err(error) = set {
        eprintln!("not tested here: {name}: {error}");
    }
    set.is_ok()
}

fn get(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1024];
    let size = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(size);
    Some(value)
}

fn names(path: &Path) -> Vec<u8> {
    let mut names = vec![0; 1024];
    let size = listxattr(path, &mut names[..]).unwrap_or_default();
    names.truncate(size);
    names
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & MODE
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn drafts(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
    let mut all = entries.map(|entry| entry.path()).collect::<Vec<_>>();
    all.retain(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(".iamseal-")
    });
    all
}

/// Replaces the object `a` and gives back its path.
fn replaced(fixture: &Fixture) -> PathBuf {
    let draft = fixture.draft("a", "new");
    for path in drafts(fixture.root()) {
        assert_eq!(mode(&path), CLOSED);
        assert_eq!(get(&path, ACL), None);
    }
    fixture.commit(vec![draft]).remove(0).unwrap();
    assert_eq!(fixture.get("a"), "new");
    fixture.root().join("a")
}

#[test]
fn an_access_control_list_is_kept() {
    let fixture = Fixture::new();
    fixture.put("a", "old");
    let object = fixture.root().join("a");
    set_mode(&object, 0o600);
    // The group has nothing, but the mode shows the mask: 0660.
    let list = acl(6, (STRANGER, 6), 0, 6, 0);
    if !put(&object, ACL, &list) {
        return;
    }
    assert_eq!(mode(&object), 0o660);
    let object = replaced(&fixture);
    assert_eq!(get(&object, ACL), Some(list));
    assert_eq!(mode(&object), 0o660);
}

#[test]
fn a_default_list_of_the_folder_opens_nothing() {
    for mode_before in [0o600, 0o664, 0o2750] {
        let fixture = Fixture::new();
        fixture.put("a", "old");
        let object = fixture.root().join("a");
        set_mode(&object, mode_before);
        if !put(fixture.root(), DEFAULT_ACL, &acl(7, (STRANGER, 7), 7, 7, 7)) {
            return;
        }
        let object = replaced(&fixture);
        assert_eq!(get(&object, ACL), None);
        assert_eq!(mode(&object), mode_before);
    }
}

#[test]
fn another_list_than_the_default_one_is_kept() {
    let fixture = Fixture::new();
    fixture.put("a", "old");
    let object = fixture.root().join("a");
    let list = acl(6, (STRANGER, 4), 4, 4, 0);
    let default = acl(7, (STRANGER + 1, 7), 7, 7, 7);
    if !put(&object, ACL, &list) || !put(fixture.root(), DEFAULT_ACL, &default) {
        return;
    }
    assert_eq!(get(&replaced(&fixture), ACL), Some(list));
}

#[test]
fn attributes_are_kept() {
    // A capability as Linux keeps it, of revision 2: to bind low ports.
    let capability = [&[1, 0, 0, 2, 0, 4][..], &[0; 14]].concat();
    let attributes = [
        ("user.note", &b"of the operator"[..]),
        ("user.empty", b""),
        ("trusted.note", b"of root"),
        ("security.note", b"of a security module"),
        ("security.capability", &capability),
    ];
    let fixture = Fixture::new();
    fixture.put("a", "old");
    let object = fixture.root().join("a");
    let set = attributes.map(|(name, value)| put(&object, name, value));
    set_mode(&object, 0o4755);
    let before = names(&object).len();
    let object = replaced(&fixture);
    for ((name, value), set) in attributes.into_iter().zip(set) {
        assert_eq!(
            get(&object, name).as_deref(),
            set.then_some(value),
            "{name}"
        );
    }
    assert_eq!(names(&object).len(), before);
    assert_eq!(mode(&object), 0o4755);
}

#[test]
fn every_difference_is_one() {
    let fixture = Fixture::new();
    let of = |change: &dyn Fn(&Path) -> bool| {
        fixture.put("a", "x");
        let object = fixture.root().join("a");
        fs::remove_file(&object).unwrap();
        fixture.put("a", "x");
        set_mode(&object, 0o640);
        let changed = change(&object);
        let folder = fixture.store.root.folder(b"").unwrap();
        let rights = Rights::of(&folder.open(b"a").unwrap()).unwrap();
        (changed, rights)
    };
    let (_, plain) = of(&|_| true);
    assert!(plain == of(&|_| true).1);
    let list = acl(6, (STRANGER, 4), 4, 4, 0);
    type Change<'a> = &'a dyn Fn(&Path) -> bool;
    let changes: [(&str, Change<'_>); 4] = [
        ("mode", &|path| {
            set_mode(path, 0o644);
            true
        }),
        ("owner", &|path| {
            std::os::unix::fs::chown(path, Some(STRANGER), None).is_ok()
        }),
        ("access control list", &|path| put(path, ACL, &list)),
        ("attribute user.a", &|path| put(path, "user.a", b"")),
    ];
    for (what, change) in changes {
        let (changed, rights) = of(change);
        assert_eq!(plain == rights, !changed, "{what}");
        let difference = plain.difference(&rights);
        assert_eq!(
            changed,
            difference.is_some_and(|text| text.starts_with(what))
        );
    }
}

/// Denies the changes of one kind, and watches the modes of the drafts.
struct Denying {
    root: PathBuf,
    denied: Option<&'static str>,
    open: Mutex<usize>,
}

impl Faults for Denying {
    fn before(&self, call: Call<'_>) -> io::Result<()> {
        let open = drafts(&self.root)
            .iter()
            .filter(|path| mode(path) != CLOSED)
            .count();
        let mut most = self.open.lock().unwrap();
        *most = open.max(*most);
        let kind = match call {
            Call::SetOwner { .. } => "owner",
            Call::SetMode { .. } => "mode",
            Call::SetAttribute { name, .. } if name == POSIX_ACL => "access control list",
            Call::SetAttribute { .. } => "attribute",
            _ => return Ok(()),
        };
        if self.denied == Some(kind) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }
}

/// The object `a` with rights that a new file does not have, replaced while a kind of change is
/// denied.
fn denying(denied: Option<&'static str>) -> (Fixture, Arc<Denying>, Vec<Result<(), StorageError>>) {
    let fixture = Fixture::new();
    for name in ["a", "b", "c"] {
        fixture.put(name, "old");
        let object = fixture.root().join(name);
        put(&object, ACL, &acl(6, (STRANGER, 6), 6, 6, 4));
        put(&object, "user.note", b"x");
        let _ = std::os::unix::fs::chown(&object, Some(STRANGER), None);
    }
    let faults = Arc::new(Denying {
        root: fixture.root().into(),
        denied,
        open: Mutex::default(),
    });
    let store = DirStore::open_with_faults(fixture.root(), faults.clone()).unwrap();
    let replacements = ["a", "b", "c"].map(|name| fixture.replacement(name, "new"));
    let results = run(async {
        let mut results = Vec::new();
        let mut drafts = Vec::new();
        for draft in store.stage(replacements.map(Into::into).into()).await {
            match draft {
                Ok(draft) => drafts.push(draft),
                Err(error) => results.push(Err(error)),
            }
        }
        let committed = store.commit(drafts).await;
        results.extend(committed.into_iter().map(|result| result.map(|_| ())));
        results
    });
    (fixture, faults, results)
}

#[test]
fn what_cannot_be_kept_whole_is_left_alone() {
    let whole = denying(None).0;
    let object = whole.root().join("a");
    let metadata = object.metadata().unwrap();
    let own = whole.root().metadata().unwrap().uid();
    let can_be_denied = [
        ("owner", metadata.uid() != own),
        ("attribute", get(&object, "user.note").is_some()),
        ("access control list", get(&object, ACL).is_some()),
        // A list sets the mode too.
        ("mode", get(&object, ACL).is_none()),
    ];
    for (kind, can_be_denied) in can_be_denied {
        let (fixture, _, results) = denying(Some(kind));
        for (name, result) in ["a", "b", "c"].into_iter().zip(results) {
            if !can_be_denied {
                assert!(result.is_ok());
                continue;
            }
            let text = refusal(result);
            let expected = format!("the permissions of {name} cannot be kept: its {kind}");
            assert!(text.starts_with(&expected), "{text}");
            assert_eq!(fixture.get(name), "old");
        }
        assert_eq!(fixture.names(""), ["a", "b", "c"]);
    }
}

#[test]
fn one_draft_at_a_time_is_open_to_others() {
    let (fixture, faults, results) = denying(None);
    for (name, result) in ["a", "b", "c"].into_iter().zip(results) {
        result.unwrap();
        assert_ne!(mode(&fixture.root().join(name)), CLOSED);
    }
    assert_eq!(*faults.open.lock().unwrap(), 1);
}
