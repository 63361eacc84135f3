//! Between the contract's types and the core's, as the plugin does it.

use crate::contract::exports::iamseal::plugin::{auditing, migration, opening, sealing};
use crate::contract::iamseal::plugin::types;

iamseal_core::contract_to_read!();
iamseal_core::contract_to_write!();
