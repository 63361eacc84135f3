//! Migrating the documents while they are served.

use std::time::Duration;

use iamseal::contract::Policy;
use iamseal::sealed_store::background::Share;
use iamseal::sealed_store::{Background, Plan};

/// How often in a second some objects are taken together, at the most, and requests let by in between.
const TURNS: u32 = 16;

/// How much it may take of the server.
pub struct Pace {
    /// Objects a second.
    pub objects: u32,
    /// How long requests go first.
    pub patience: Duration,
}

/// At this pace, and by the one of several servers that has the lease.
pub fn plan(plan: Plan, pace: Pace, node: Option<(String, Duration)>) -> Plan {
    let share = Share {
        objects: pace.objects,
        in_flight: pace.objects / TURNS,
        patience: pace.patience,
        ..Share::default()
    };
    let plan = plan.share(share);
    match node {
        None => plan,
        // They do not all have another key in the same moment.
        Some((node, time)) => plan.lease(node, time).at_the_end(Policy::Sealed),
    }
}

/// What `/healthz` says.
pub fn health(migration: Option<&Background>) -> String {
    match migration {
        None => "ok\n".to_owned(),
        Some(migration) => format!("{}\n", migration.progress()),
    }
}
