//! What a component says of itself, in the custom sections that registries and `wasm-tools metadata
//! show` read.

use wasm_encoder::{ComponentNameSection, ComponentSection, CustomSection};

/// Appends the component's name and this crate's version, licence and source.
pub fn append(component: &mut Vec<u8>, name: &str) {
    let mut section = ComponentNameSection::new();
    section.component(name);
    section.append_to_component(component);
    for (section, text) in [
        ("version", env!("CARGO_PKG_VERSION")),
        ("licenses", env!("CARGO_PKG_LICENSE")),
        ("source", env!("CARGO_PKG_REPOSITORY")),
    ] {
        let section = CustomSection {
            name: section.into(),
            data: text.as_bytes().into(),
        };
        section.append_to_component(component);
    }
}
