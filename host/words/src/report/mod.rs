//! What is said of objects, in text and in JSON, and the exit codes that go with it: of the tool and of the
//! command component alike, so that a script may use either.

pub mod cause;
pub mod description;
pub mod drafts;
pub mod finding;
pub mod losses;
pub mod names;
pub mod needs;
pub mod notes;
pub mod paint;
pub mod single;
pub mod step;
pub mod tally;
pub mod why;
pub mod words;
