//! A manifest in its file: what is read is what was saved under that very name, or nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use iamseal::contract::{KeyError, ObjectError, SealOptions, SealedForm};
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::manifest::{Manifest, ManifestError, ManifestFile, Seen, digest};
use iamseal::{Error, Limits, Plugin};
use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;
use zeroize::Zeroizing;

const ALICE: &[u8] = b"config/iam/users/alice/identity.json";
const BOB: &[u8] = b"config/iam/users/bob/identity.json";

/// The plugin with these keys, the first for sealing.
async fn plugin(keys: &[&str], store: &str, limits: Limits) -> Plugin {
    let mut keyring = StaticKeyring::new();
    for key in keys {
        // One byte tells the keys apart; their secrecy matters to nobody.
        let bytes = Zeroizing::new([key.len() as u8; 32]);
        keyring = keyring.key(StaticKey::new(*key, bytes));
    }
    let keyring = keyring.default_key(keys[0]).unwrap();
    let builder = Plugin::builder().component(iamseal_component::PLUGIN);
    let builder = builder.keyring(Arc::new(keyring)).store_name(store);
    builder.limits(limits).load().await.unwrap()
}

async fn usual() -> Plugin {
    plugin(&["key"], "store", Limits::default()).await
}

/// With parts of some 300 bytes: two or three objects.
async fn small_parts(keys: &[&str]) -> Plugin {
    let mut limits = Limits::default();
    limits.object_bytes = 600;
    plugin(keys, "store", limits).await
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("manifest")
    }

    fn file(&self) -> ManifestFile {
        ManifestFile::new(self.path())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

fn sample(objects: u8) -> Manifest {
    let mut manifest = Manifest::new("store");
    for object in 0..objects {
        let path = format!("config/{object:03}");
        manifest.record(path.as_bytes(), [object; 32]);
    }
    manifest.record(b"config/\xff", [0xff; 32]);
    manifest
}

/// The head, and the parts with their lengths in front.
fn pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (head, mut rest) = bytes.split_at(45);
    let mut pieces = vec![head.to_vec()];
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (part, after) = rest.split_at(4 + length);
        pieces.push(part.to_vec());
        rest = after;
    }
    pieces
}

#[tokio::test]
async fn it_is_read_as_it_was_saved_and_older_digests_are_known() {
    let (plugin, folder) = (usual().await, Folder::new());
    let file = folder.file();
    let mut manifest = sample(3);
    let old = plugin.seal(ALICE, b"old", &SealOptions::default()).await;
    let new = plugin.seal(ALICE, b"new", &SealOptions::default()).await;
    let (old, new) = (digest(&old.unwrap()), digest(&new.unwrap()));
    manifest.record(ALICE, old);
    file.save(&plugin, &mut manifest, None).await.unwrap();
    assert_eq!((manifest.epoch(), manifest.key()), (1, Some("key")));
    manifest.record(ALICE, new);
    file.save(&plugin, &mut manifest, None).await.unwrap();

    let read = file.load(plugin.reader(), 2).await.unwrap();
    assert_eq!((read.epoch(), read.key()), (2, Some("key")));
    assert_eq!(read.store_name(), "store");
    assert!(read.entries().eq(manifest.entries()));
    let mut comparison = read.compare(b"");
    assert_eq!(comparison.see(ALICE, &new), Seen::AsRecorded);
    assert_eq!(comparison.see(ALICE, &old), Seen::OlderCopy { until: 1 });
    assert_eq!(comparison.see(BOB, &new), Seen::CopiedFrom(ALICE));

    let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(folder.names(), ["manifest"]);
}

#[tokio::test]
async fn cut_anywhere_or_changed_anywhere_it_is_refused() {
    let (plugin, folder) = (usual().await, Folder::new());
    let file = folder.file();
    let mut manifest = sample(1);
    file.save(&plugin, &mut manifest, None).await.unwrap();
    let whole = fs::read(folder.path()).unwrap();
    for end in 0..whole.len() {
        fs::write(folder.path(), &whole[..end]).unwrap();
        let error = file.load(plugin.reader(), 0).await.unwrap_err();
        let fits = match end {
            0..16 => matches!(error, ManifestError::NotAManifest),
            _ => matches!(error, ManifestError::CutShort),
        };
        assert!(fits, "cut at {end}: {error}");
    }
    for at in 0..whole.len() {
        for bits in [1, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= bits;
            fs::write(folder.path(), &changed).unwrap();
            let error = file.load(plugin.reader(), 0).await.unwrap_err();
            let fits = match at {
                0..16 => matches!(error, ManifestError::NotAManifest),
                16 => matches!(error, ManifestError::UnknownVersion(_)),
                // Without any part there is nothing to open.
                41..45 if changed[41..45] == [0; 4] => matches!(error, ManifestError::Trailing),
                45..49 => matches!(
                    error,
                    ManifestError::CutShort
                        | ManifestError::PartLength { .. }
                        | ManifestError::Part { .. }
                ),
                _ => matches!(error, ManifestError::Part { .. }),
            };
            assert!(fits, "{bits:#x} at {at}: {error}");
        }
    }
    fs::write(folder.path(), [&whole[..], b"\0"].concat()).unwrap();
    let error = file.load(plugin.reader(), 0).await.unwrap_err();
    assert!(matches!(error, ManifestError::Trailing), "{error}");
    let none = [&whole[..41], &[0; 4]].concat();
    fs::write(folder.path(), none).unwrap();
    let error = file.load(plugin.reader(), 0).await.unwrap_err();
    assert!(matches!(error, ManifestError::Malformed(_)), "{error}");
}

#[tokio::test]
async fn parts_cannot_be_moved_left_out_or_mixed() {
    let (plugin, folder) = (small_parts(&["key"]).await, Folder::new());
    let file = folder.file();
    let mut manifest = sample(8);
    file.save(&plugin, &mut manifest, None).await.unwrap();
    let first = pieces(&fs::read(folder.path()).unwrap());
    assert!(first.len() > 4, "{} parts", first.len() - 1);
    // Of the same epoch, with the same objects.
    fs::remove_file(folder.path()).unwrap();
    file.save(&plugin, &mut sample(8), None).await.unwrap();
    let second = pieces(&fs::read(folder.path()).unwrap());
    assert_eq!(first.len(), second.len());

    let load = async |pieces: &[Vec<u8>]| {
        fs::write(folder.path(), pieces.concat()).unwrap();
        file.load(plugin.reader(), 0).await
    };
    assert_eq!(load(&first).await.unwrap().len(), 9);
    for at in 1..first.len() {
        let mut without = first.clone();
        without.remove(at);
        assert!(load(&without).await.is_err(), "without {at}");
        // With a number of parts that fits.
        let parts = u32::try_from(without.len() - 1).unwrap();
        without[0][41..].copy_from_slice(&parts.to_be_bytes());
        assert!(load(&without).await.is_err(), "without {at}, and told so");
        let mut twice = first.clone();
        twice.insert(at, first[at].clone());
        assert!(load(&twice).await.is_err(), "twice {at}");
        let mut mixed = first.clone();
        mixed[at].clone_from(&second[at]);
        let error = load(&mixed).await.unwrap_err();
        assert!(matches!(error, ManifestError::Part { .. }), "{at}: {error}");
        for other in 1..at {
            let mut swapped = first.clone();
            swapped.swap(other, at);
            assert!(load(&swapped).await.is_err(), "swapped {other}, {at}");
        }
    }
}

#[tokio::test]
async fn only_the_right_key_store_form_and_one_key_open_it() {
    let (usual, folder) = (small_parts(&["key"]).await, Folder::new());
    let file = folder.file();
    file.save(&usual, &mut sample(4), None).await.unwrap();

    let other = plugin(&["other"], "store", Limits::default()).await;
    let error = file.load(other.reader(), 0).await.unwrap_err();
    let ManifestError::Part { error, .. } = error else {
        panic!("{error}");
    };
    let Error::Object(ObjectError::Key(failure)) = error else {
        panic!("{error}");
    };
    assert_eq!(failure.error, KeyError::NotFound);
    let elsewhere = plugin(&["key"], "elsewhere", Limits::default()).await;
    let error = file.load(elsewhere.reader(), 0).await.unwrap_err();
    assert!(matches!(error, ManifestError::Part { .. }), "{error}");
    let error = file.save(&elsewhere, &mut sample(4), None).await;
    let error = error.unwrap_err();
    assert!(matches!(error, ManifestError::OtherStore { .. }), "{error}");

    // Parts that the key's owner sealed in another way.
    let both = small_parts(&["key", "other"]).await;
    let pieces = pieces(&fs::read(folder.path()).unwrap());
    let save: String = pieces[0][25..41]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let parts = pieces.len() - 1;
    for (form, key, says) in [
        (SealedForm::default(), "key", "it is not compact"),
        (
            SealedForm::Compact,
            "other",
            "its parts are under several keys",
        ),
    ] {
        let path = format!("iamseal/manifest/1/{save}/2-of-{parts}").into_bytes();
        let part = &pieces[2][4..];
        let policy = iamseal::contract::Policy::Sealed;
        let opened = both.unseal(&path, part, policy).await.unwrap();
        let options = SealOptions {
            form,
            key: Some(key.into()),
        };
        let sealed = both.seal(&path, &opened.plaintext, &options).await.unwrap();
        let length = u32::try_from(sealed.len()).unwrap().to_be_bytes();
        let mut forged = pieces.clone();
        forged[2] = [&length[..], &sealed].concat();
        fs::write(folder.path(), forged.concat()).unwrap();
        let error = file.load(both.reader(), 0).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn of_two_writers_one_has_to_read_again() {
    let (plugin, folder) = (usual().await, Folder::new());
    let file = folder.file();
    file.save(&plugin, &mut sample(1), None).await.unwrap();
    let mut one = file.load(plugin.reader(), 0).await.unwrap();
    let mut two = one.clone();
    one.record(ALICE, [1; 32]);
    two.record(BOB, [2; 32]);
    let (first, second) = tokio::join!(
        file.save(&plugin, &mut one, None),
        file.save(&plugin, &mut two, None)
    );
    assert_ne!(first.is_ok(), second.is_ok());
    let error = first.and(second).unwrap_err();
    let conflict = matches!(
        error,
        ManifestError::Conflict {
            read: 1,
            found: Some(2)
        }
    );
    assert!(conflict, "{error}");
    // Whoever lost still has what it recorded, in the epoch that it read.
    let epochs = [one.epoch(), two.epoch()];
    assert!(epochs == [1, 2] || epochs == [2, 1], "{epochs:?}");

    let mut again = file.load(plugin.reader(), 2).await.unwrap();
    again.record(ALICE, [1; 32]);
    again.record(BOB, [2; 32]);
    file.save(&plugin, &mut again, None).await.unwrap();
    assert_eq!(again.epoch(), 3);
}

#[tokio::test]
async fn a_file_that_was_put_back_removed_or_made_is_no_longer_the_one_that_was_read() {
    let (plugin, folder) = (usual().await, Folder::new());
    let file = folder.file();
    let mut manifest = sample(1);
    file.save(&plugin, &mut manifest, None).await.unwrap();
    let old = fs::read(folder.path()).unwrap();
    file.save(&plugin, &mut manifest, None).await.unwrap();

    fs::write(folder.path(), &old).unwrap();
    let error = file.load(plugin.reader(), 2).await.unwrap_err();
    let too_old = matches!(
        error,
        ManifestError::TooOld {
            epoch: 1,
            at_least: 2
        }
    );
    assert!(too_old, "{error}");
    let error = file.save(&plugin, &mut manifest, None).await.unwrap_err();
    assert!(
        matches!(error, ManifestError::Conflict { found: Some(1), .. }),
        "{error}"
    );
    let error = file.save(&plugin, &mut sample(1), None).await.unwrap_err();
    assert!(
        matches!(error, ManifestError::Conflict { read: 0, .. }),
        "{error}"
    );
    fs::remove_file(folder.path()).unwrap();
    let error = file.save(&plugin, &mut manifest, None).await.unwrap_err();
    assert!(
        matches!(error, ManifestError::Conflict { found: None, .. }),
        "{error}"
    );
    let error = file.load(plugin.reader(), 0).await.unwrap_err();
    assert!(matches!(error, ManifestError::NotFound), "{error}");
    assert_eq!(manifest.epoch(), 2);
}

#[tokio::test]
async fn nothing_else_is_replaced_and_a_killed_save_leaves_nothing() {
    let (plugin, folder) = (usual().await, Folder::new());
    let file = folder.file();
    fs::write(folder.path(), "somebody's notes").unwrap();
    let error = file.save(&plugin, &mut sample(1), None).await.unwrap_err();
    assert!(matches!(error, ManifestError::NotAManifest), "{error}");
    assert_eq!(fs::read(folder.path()).unwrap(), b"somebody's notes");
    fs::remove_file(folder.path()).unwrap();

    symlink("elsewhere", folder.path()).unwrap();
    let error = file.save(&plugin, &mut sample(1), None).await.unwrap_err();
    assert!(matches!(error, ManifestError::NotAFile), "{error}");
    let error = file.load(plugin.reader(), 0).await.unwrap_err();
    assert!(matches!(error, ManifestError::NotAFile), "{error}");
    fs::remove_file(folder.path()).unwrap();

    // A pipe that nobody writes to would be waited for.
    mkfifoat(CWD, folder.path(), Mode::RUSR | Mode::WUSR).unwrap();
    let error = file.load(plugin.reader(), 0).await.unwrap_err();
    assert!(matches!(error, ManifestError::NotAFile), "{error}");
    fs::remove_file(folder.path()).unwrap();

    fs::write(folder.0.path().join(".manifest.draft"), "half").unwrap();
    file.save(&plugin, &mut sample(1), None).await.unwrap();
    assert_eq!(folder.names(), ["manifest"]);

    let missing = ManifestFile::new(folder.0.path().join("missing/manifest"));
    let error = missing
        .save(&plugin, &mut sample(1), None)
        .await
        .unwrap_err();
    assert!(matches!(error, ManifestError::Io { .. }), "{error}");
}
