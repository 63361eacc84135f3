//! What the world `plugin` has beyond the world `auditor`: sealing, migrating, and the imports for them.

mod convert;
mod lent;
mod migration;
mod sealing;
