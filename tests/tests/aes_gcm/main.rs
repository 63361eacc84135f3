//! AES-256-GCM as the components have it, run inside WebAssembly: it is that of the standard, it is that of
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

/// Where the linker takes its name from.
const OURS: &str = "iamseal_aes_gcm";

/// A build without vectors falls back to RustCrypto's without a word.
#[test]
fn the_components_have_the_one_that_is_tested_here() {
    for component in [PLUGIN, AUDITOR, module::COMPONENT] {
        let has = |name: &str| name.contains(OURS) && name.contains("gcm..Aes256Gcm");
        assert!(functions(component).iter().any(|name| has(name)));
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
