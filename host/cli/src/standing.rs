//! What an operator is told of objects besides their bytes, before anything is written.

use iamseal::storage::{Standing, Store};

use crate::arguments::Common;
use crate::output;
use crate::report::notes;

/// Objects of which the same is to be told.
#[derive(Default)]
struct Told {
    objects: u64,
    /// The first of them.
    first: Vec<String>,
}

/// Tells which objects under `prefix` have another name, and which will be plaintext for others to
/// read. `becomes_plaintext` says of a path whether its object becomes plaintext; none if it is not
/// looked at.
pub async fn tell(
    common: &Common,
    store: &dyn Store,
    prefix: &[u8],
    becomes_plaintext: impl Fn(&[u8]) -> Option<bool> + Send + Sync,
) {
    let (mut linked, mut open) = (Told::default(), Told::default());
    let mut see = |path: &[u8], standing: Standing| {
        let Some(plaintext) = becomes_plaintext(path) else {
            return;
        };
        if standing.has_other_names {
            linked.see(path);
        }
        if plaintext && standing.is_open {
            open.see(path);
        }
    };
    // What keeps the store from being listed keeps the command itself from its work, and is told then.
    let _ = store.survey(prefix, &mut see).await;
    linked.tell(common, notes::other_names);
    open.tell(common, notes::open_plaintext);
}

impl Told {
    fn see(&mut self, path: &[u8]) {
        self.objects += 1;
        if self.first.len() < notes::NAMED {
            self.first.push(iamseal::shown(path));
        }
    }

    fn tell(&self, common: &Common, note: fn(u64, &[String]) -> String) {
        if self.objects > 0 {
            output::note(common.json, &note(self.objects, &self.first));
        }
    }
}
