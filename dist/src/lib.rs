//! What is released besides the plugin itself: the component for hosts of `wasi:cli`.

mod compose;

pub use compose::{ComposeError, command, compose};
