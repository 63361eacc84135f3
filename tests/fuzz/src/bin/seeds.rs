//! Writes the inputs that each target begins with, made of the test vectors and the archives of drives: `seeds FOLDER` makes a
//! folder for each target in it. An input's encoding is described by what decodes it,
//! `iamseal_fuzz::input` and each target.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iamseal_core::Form;
use iamseal_fuzz::drives;
use iamseal_fuzz::edit::{KINDS, PARTS, is_minio};
use iamseal_fuzz::samples::{self, Sample};
use iamseal_tests::objects::split;
use serde_json::Value;

/// libFuzzer's own bound on what it makes of them.
const LARGEST: usize = 4096;

/// How the compact form begins, and the size of its prefix and salt.
const COMPACT: [u8; 3] = [0xf9, b'i', b's'];
const FIXED: usize = 36;

/// One folder of inputs.
struct Seeds<'a> {
    folder: &'a Path,
    count: usize,
}

impl Seeds<'_> {
    fn add(&mut self, target: &str, parts: &[&[u8]]) -> Result<(), Box<dyn Error>> {
        let bytes = parts.concat();
        if bytes.len() <= LARGEST {
            let folder = self.folder.join(target);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("seed-{}", self.count)), bytes)?;
            self.count += 1;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).ok_or("usage: seeds FOLDER")?;
    let mut seeds = Seeds {
        folder: Path::new(&folder),
        count: 0,
    };
    for (number, sample) in samples::all().iter().enumerate() {
        // The number of the sample, and no edits.
        let object = [u8::try_from(number + 1)?, 0];
        of_sample(&mut seeds, &object, sample)?;
        of_edits(&mut seeds, object[0])?;
        of_bytes(&mut seeds, &sample.stored)?;
    }
    for stored in samples::damaged() {
        of_bytes(&mut seeds, stored)?;
    }
    for (target, input) in drives::seeds::all() {
        seeds.add(target, &[&input])?;
    }
    println!("{} seeds in {}", seeds.count, folder.display());
    Ok(())
}

fn of_sample(seeds: &mut Seeds, object: &[u8], sample: &Sample) -> Result<(), Box<dyn Error>> {
    let credentials = u8::from(sample.form == Form::RootCredential);
    let own_place = &[0, 0];
    seeds.add("unseal", &[&[credentials], object, own_place])?;
    // One object; no prefix, none passed over; three at a time.
    let store = &[&[credentials, 0], object, own_place, &[0, 0]].concat();
    seeds.add("audit", &[store, &[3]])?;
    // No shard; to plaintext, then to each form under the default key.
    for target in [&[0][..], &[1, 0, 0, 0, 0], &[1, 1, 0, 0, 0]] {
        seeds.add("migrate", &[store, &[0], target, &[3]])?;
    }
    // Seals the object's bytes anew as either form, under a secret and a remote key, and opens that.
    for (form, key) in [(0, 1), (1, 1), (0, 2), (1, 2)] {
        let seal = [&[1], object, own_place, &[form, key, 0, 0]].concat();
        let unseal = [&[0x82][..], own_place].concat();
        seeds.add("session", &[&[0], &seal, &unseal, &seal, &unseal])?;
    }
    seeds.add(
        "session",
        &[&[0, 2], object, own_place, &[3], object, own_place],
    )?;
    Ok(())
}

/// Each part of a sample changed in each way, at its beginning.
fn of_edits(seeds: &mut Seeds, sample: u8) -> Result<(), Box<dyn Error>> {
    for part in 0..PARTS {
        for kind in 0..KINDS {
            // At place 0, and then what the kind asks for: one byte.
            let what: &[u8] = match kind {
                0 => &[1],
                1 | 3 => &[1, b'x'],
                4 => &[],
                _ => &[1],
            };
            let edit = [u8::try_from(part + 1)?, u8::try_from(kind)?, 0, 0];
            let object = [&[sample], &edit[..], what, &[0]].concat();
            seeds.add("inspect", &[&object])?;
            seeds.add("unseal", &[&[0], &object, &[0, 0]])?;
        }
    }
    Ok(())
}

fn of_bytes(seeds: &mut Seeds, stored: &[u8]) -> Result<(), Box<dyn Error>> {
    let Ok(size) = u16::try_from(stored.len()) else {
        return Ok(());
    };
    let object = &[&[0], &size.to_le_bytes()[..], stored].concat();
    seeds.add("inspect", &[object])?;
    seeds.add("unseal", &[&[0], object, &[0, 0]])?;
    seeds.add("audit", &[&[0, 0], object, &[0, 0, 0, 0, 3]])?;
    seeds.add(
        "migrate",
        &[&[0, 0], object, &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3]],
    )?;
    seeds.add("core_form", &[stored])?;
    if stored.starts_with(&COMPACT) {
        seeds.add("core_compact", &[&stored[FIXED.min(stored.len())..]])?;
    }
    if is_minio(stored) {
        let (metadata, body) = split(stored);
        seeds.add("core_json", &[metadata])?;
        seeds.add("core_stream", &[&[0, 4, 1, 0, 128], body])?;
        if let Some(data_key) = data_key(metadata) {
            seeds.add("core_data_key", &[&data_key])?;
        }
    }
    Ok(())
}

fn data_key(metadata: &[u8]) -> Option<Vec<u8>> {
    let fields: Value = serde_json::from_slice(metadata).ok()?;
    STANDARD.decode(fields.get("kmskey")?.as_str()?).ok()
}
