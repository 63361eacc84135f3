//! What a migration does not bring to another key, and what stops working without the key that it has: said
//! before it begins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use iamseal::contract::{SealedForm, Target};
use iamseal::keys::{Keyring as _, MixedKeyring};
use iamseal::storage::Store;

use super::figures::{Figures, Group, Use};
use super::look::Look;
use crate::arguments::Common;
use crate::report::notes;
use crate::{output, store, typed};

/// Tells it of a migration of this store to this target.
pub async fn tell(
    common: &Common,
    keyring: &MixedKeyring,
    store: &Arc<dyn Store>,
    given: &Path,
    target: &Target,
) {
    if matches!(store::kind(&**store, given), store::Kind::Server) {
        return;
    }
    let stays = match target {
        Target::Plaintext => None,
        // A RustFS has none of a MinIO's keys.
        Target::Sealed(options) if options.form == SealedForm::Rustfs => None,
        Target::Sealed(options) => match options.key.clone().or_else(|| keyring.default_key()) {
            // The run says so.
            None => return,
            key => key,
        },
    };
    let mut figures = Figures::default();
    let looked = Look::new(common, store, given, None, &mut figures)
        .settings()
        .await;
    if let Err(failure) = looked {
        output::note(common.json, &notes::settings_unknown(&failure.message));
        return;
    }
    let mut others: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for (key, of, group) in figures.groups() {
        let is_other = match (key, of) {
            // The server's own key, which it does not have then.
            (None, Use::Default) => stays.is_none(),
            (None, _) => true,
            (Some(key), _) => stays.as_deref() != Some(key),
        };
        if is_other {
            others.entry(key).or_default().push(words(of, group));
        }
    }
    for (key, what) in others {
        output::note(common.json, &notes::stays(key, &what.join(", ")));
    }
    if figures.unread > 0 {
        output::note(common.json, &notes::settings_unread(figures.unread));
    }
    if store.census().is_some() {
        let given = typed::quoted(given.as_os_str());
        output::note(common.json, &notes::buckets_not_looked_at(&given));
    }
}

/// A use in a few words: `replication targets of 2 buckets (a, b)`.
fn words(of: Use, group: &Group) -> String {
    let buckets = group.buckets.iter().take(notes::NAMED);
    let mut named: Vec<String> = buckets.map(|bucket| iamseal::shown(bucket)).collect();
    if group.objects > named.len() as u64 {
        named.push("…".to_owned());
    }
    match group.buckets.is_empty() {
        true => of.words().to_owned(),
        false => format!(
            "{} of {} buckets ({})",
            of.words(),
            group.objects,
            named.join(", ")
        ),
    }
}
