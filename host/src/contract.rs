//! The contract's types as Rust types, generated from `wit/`, which documents each of them.

mod generated {
    #![allow(missing_docs)] // The WIT files are the documentation.
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "plugin",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

pub use generated::iamseal::plugin::types::{
    Cipher, Context, DataKeyEncoding, Error as ObjectError, Form, Found, KeyError, KeyFailure,
    SizeLimit, StorageError,
};
