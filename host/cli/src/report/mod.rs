//! What the tool says of objects, in text and in JSON, and the exit codes that go with it.
//!
//! `guest/command` is built from these files too, so that a script may use either. They get along
//! without a standard library, and take two functions from `crate::output`: `verdict` and `table`.

pub mod cause;
pub mod description;
pub mod drafts;
pub mod finding;
pub mod needs;
pub mod notes;
pub mod step;
pub mod tally;
pub mod why;
pub mod words;
