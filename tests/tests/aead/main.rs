//! What the components seal and open with, run inside WebAssembly: it is that of the standards, it is that of
//! RustCrypto, and what it does tells nothing of what it works on.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod module;
mod same;
mod secrets;
mod trace;
mod vectors;

use iamseal_component::{AUDITOR, PLUGIN};
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Parts of the names of functions that only ours have.
const OURS: [[&str; 2]; 2] = [
    ["iamseal_aes_gcm", "gcm..Aes256Gcm"],
    ["iamseal_chacha20_poly1305", "next_while_hashing"],
];

/// A build without vectors falls back to RustCrypto's without a word.
#[test]
fn the_components_have_those_that_are_tested_here() {
    for component in [PLUGIN, AUDITOR, module::COMPONENT] {
        let names = functions(component);
        for ours in OURS {
            let has = |name: &String| ours.iter().all(|part| name.contains(part));
            assert!(names.iter().any(has), "{ours:?}");
        }
    }
}

/// The names of the functions in a component's modules.
fn functions(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let Payload::CustomSection(section) = payload.unwrap() else {
            continue;
        };
        if let KnownCustom::Name(section) = section.as_known() {
            for subsection in section {
                if let Name::Function(functions) = subsection.unwrap() {
                    names.extend(
                        functions
                            .into_iter()
                            .map(|name| name.unwrap().name.to_string()),
                    );
                }
            }
        }
    }
    names
}
