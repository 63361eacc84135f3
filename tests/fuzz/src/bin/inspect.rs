//! Describing an object: any bytes, or a genuine object with edits.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_fuzz::contract::iamseal::plugin::types::Form;
use iamseal_fuzz::input::Input;
use iamseal_fuzz::mutate::mutate;
use iamseal_fuzz::sandbox;
use iamseal_fuzz::twin::Twin;
use iamseal_fuzz::world::World;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});

fuzz_target!(init: sandbox::start(), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let object = input.object();
    let world = World::new(&[]);
    let mut twin = Twin::new(world.clone());
    let described = twin.inspect(&object.bytes);
    assert_eq!(twin.end(), world, "it asked the host for something");

    let Ok(seen) = described else { return };
    assert_eq!(seen.size, object.bytes.len() as u64);
    assert!(seen.plaintext_size <= seen.size);
    let sealed = matches!(seen.form, Form::Minio | Form::Compact);
    assert_eq!(seen.key.is_some(), sealed);
    assert_eq!(seen.cipher.is_some(), seen.form != Form::Plaintext);
});
