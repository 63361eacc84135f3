//! A folder that is served and migrated, as a host server does it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use iamseal::contract::{Policy, SealOptions, SealedForm};
use iamseal::keys::{StaticKey, StaticKeyring};
use iamseal::sealed_store::VersionedStore;
use iamseal::storage::DirStore;
use iamseal::{Plugin, PluginSlot, SealedStore};
use object_store::path::Path as Location;

/// `[1; 32]` and `[2; 32]`.
const OLD: &str = "old:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
/// How many documents a folder of them has: as many users as a large installation's.
const IN_A_FOLDER: usize = 1000;

pub type Served = SealedStore<VersionedStore<DirStore>>;

/// The plugin with the keys, from the cache of compiled code.
pub async fn plugin() -> Plugin {
    let keyring = [OLD, NEW].map(|key| StaticKey::parse(key).unwrap());
    let keyring = keyring
        .into_iter()
        .fold(StaticKeyring::new(), StaticKeyring::key);
    let plugin = Plugin::builder()
        .component(iamseal_component::PLUGIN)
        .keyring(Arc::new(keyring.default_key("new").unwrap()));
    plugin.load().await.unwrap()
}

/// What serves a folder.
pub fn serve(folder: &Arc<DirStore>, plugin: Plugin) -> Served {
    let inner = VersionedStore::new(Arc::clone(folder));
    SealedStore::new(inner, PluginSlot::new(plugin)).policy(Policy::Compatible)
}

pub fn location(number: usize) -> Location {
    Location::parse(path(number)).unwrap()
}

fn path(number: usize) -> String {
    format!("config/documents/{}/{number}.json", number / IN_A_FOLDER)
}

/// The size of a user's document.
pub fn content(number: usize) -> Vec<u8> {
    format!("{{\"number\":{number},\"text\":\"{}\"}}", "x".repeat(400)).into_bytes()
}

/// Puts so many documents there: the first `current` of them under the new key, and of the others every other in plaintext
/// and under the old key.
pub async fn fill(root: &Path, current: usize, count: usize) {
    let plugin = plugin().await;
    for number in 0..count {
        let content = content(number);
        let key = match number {
            number if number < current => Some("new"),
            number if number % 2 == 0 => Some("old"),
            _ => None,
        };
        let stored = match key {
            None => content,
            Some(key) => {
                let options = SealOptions {
                    form: SealedForm::default(),
                    key: Some(key.to_owned()),
                };
                let path = path(number);
                plugin
                    .seal(path.as_bytes(), &content, &options)
                    .await
                    .unwrap()
            }
        };
        let file = root.join(path(number));
        if number % IN_A_FOLDER == 0 {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
        }
        fs::write(file, stored).unwrap();
    }
    // An empty one is a store too.
    fs::create_dir_all(root.join("config")).unwrap();
}
