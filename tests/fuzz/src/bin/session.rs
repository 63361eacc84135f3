//! Several calls of one instance, which keeps seeds between them: what one call left behind must not
//! change what another does. Whatever was sealed opens.
// Targets may stop at the first surprise, as tests may.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![no_main]

use iamseal_core::{Form, SealOptions};
use iamseal_fuzz::contract::exports::iamseal::plugin::opening::Policy;
use iamseal_fuzz::input::{Input, Object};
use iamseal_fuzz::mutate::mutate;
use iamseal_fuzz::twin::Twin;
use iamseal_fuzz::world::World;
use iamseal_fuzz::{honest, sandbox};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// What was sealed.
struct Sealed {
    store: String,
    path: Vec<u8>,
    plaintext: Vec<u8>,
    stored: Vec<u8>,
    form: Form,
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});

fuzz_target!(init: sandbox::start(), |bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let script = input.short();
    let mut twin = Twin::new(World::new(script));
    let mut sealed: Vec<Sealed> = Vec::new();
    // Enough for a seed to be made, kept, and used again.
    for _ in 0..6 {
        let call = input.byte();
        let mut object = match sealed.last() {
            Some(last) if call & 0x80 != 0 => Object {
                bytes: last.stored.clone(),
                sample: None,
            },
            _ => input.object(),
        };
        let store = input.store(&object);
        let path = input.path(&object);
        match call % 4 {
            0 => break,
            1 => {
                let plaintext = std::mem::take(&mut object.bytes);
                let options = input.seal_options();
                let Ok(stored) = twin.seal(&store, &path, &plaintext, &options) else {
                    continue;
                };
                let form = SealOptions::from(options).form.form();
                sealed.push(Sealed { store, path, plaintext, stored, form });
            }
            2 => {
                let opened = twin.unseal(&store, &path, &object.bytes, Policy::Sealed);
                let from = sealed.iter().find(|sealed| sealed.stored == object.bytes);
                if let (Ok(opened), Some(from)) = (opened, from) {
                    assert_eq!(opened.plaintext, from.plaintext);
                }
            }
            _ => drop(twin.inspect(&object.bytes)),
        }
    }
    let world = twin.end();
    for Sealed { store, path, plaintext, stored, form } in sealed {
        let opened = honest::opened(&world.made, &store, &path, &stored);
        // A keyring that gives out other bytes for a key, or a key service that does not open what
        // it made, makes objects that do not open.
        match opened {
            Some(opened) => {
                assert_eq!(*opened.plaintext, plaintext);
                assert_eq!(opened.found.form, form);
            }
            None => assert!(world.lied || !world.is_honest(), "what was sealed does not open"),
        }
    }
});
