//! What is counted: calls by outcome, the key service apart, and no test of a plugin.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use iamseal::contract::{KeyError, Policy, SealOptions};
use iamseal::keys::{DataKey, Key, Keyring, RootCredential, ServerKey};
use iamseal::{Plugin, PluginSlot};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use zeroize::Zeroizing;

const PATH: &[u8] = b"config/iam/users/alice/identity.json";

/// A key service that encrypts nothing: its data keys stand for themselves.
#[derive(Default)]
struct Service {
    unreachable: AtomicBool,
    hangs: AtomicBool,
}

impl Service {
    async fn reached(&self) -> Result<(), KeyError> {
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        match self.unreachable.load(Ordering::Relaxed) {
            true => Err(KeyError::Unavailable("no route".to_owned())),
            false => Ok(()),
        }
    }
}

/// Lends this key under every name.
struct Lent(Key);

impl Keyring for Lent {
    fn default_key(&self) -> Option<String> {
        Some("remote".to_owned())
    }

    fn candidates(&self, _: &str) -> Result<Vec<Key>, KeyError> {
        Ok(vec![self.0.clone()])
    }

    fn root_credentials(&self) -> Vec<RootCredential> {
        Vec::new()
    }
}

/// The same service for the test to play with.
#[derive(Clone)]
struct Shared(Arc<Service>);

#[async_trait]
impl ServerKey for Shared {
    async fn open(&self, ciphertext: &[u8], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.0.reached().await?;
        Ok(Zeroizing::new(ciphertext.to_vec()))
    }

    async fn make(&self, _: &[u8]) -> Result<DataKey, KeyError> {
        self.0.reached().await?;
        Ok(DataKey {
            plaintext: Zeroizing::new(vec![7; 32]),
            ciphertext: vec![7; 32],
        })
    }
}

/// All counters and the numbers of durations, in order.
fn counted(metrics: &PrometheusHandle) -> Vec<String> {
    let text = metrics.render();
    let lines = text.lines().filter(|line| {
        let name = line.split('{').next().unwrap();
        name.ends_with("_total") || name.ends_with("_count")
    });
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn calls_and_the_key_service_are_counted_by_outcome() {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let service = Arc::new(Service::default());
    let plugin = Plugin::builder()
        .component(iamseal_component::PLUGIN)
        .keyring(Arc::new(Lent(Key::server(Shared(service.clone())))))
        .load()
        .await
        .unwrap();
    let options = SealOptions::default();
    let sealed = plugin.seal(PATH, b"{}", &options).await.unwrap();
    for _ in 0..3 {
        plugin.unseal(PATH, &sealed, Policy::Sealed).await.unwrap();
    }
    let refused = plugin.unseal(PATH, b"{}", Policy::Sealed).await;
    assert_eq!(refused.err().unwrap().cause(), "form-refused");
    plugin.inspect(&sealed).await.unwrap();
    service.unreachable.store(true, Ordering::Relaxed);
    let unavailable = plugin.seal(PATH, b"{}", &options).await;
    assert_eq!(unavailable.err().unwrap().cause(), "key-unavailable");
    service.unreachable.store(false, Ordering::Relaxed);
    // A call that is not waited for is counted too, and so is what it asked of the key service.
    service.hangs.store(true, Ordering::Relaxed);
    tokio::select! {
        biased;
        _ = plugin.unseal(PATH, &sealed, Policy::Sealed) => panic!("the key service answered"),
        () = tokio::task::yield_now() => {}
    }
    service.hangs.store(false, Ordering::Relaxed);
    let expected = [
        r#"iamseal_call_duration_seconds_count{call="inspect"} 1"#,
        r#"iamseal_call_duration_seconds_count{call="seal"} 2"#,
        r#"iamseal_call_duration_seconds_count{call="unseal"} 5"#,
        r#"iamseal_calls_total{call="inspect",outcome="ok"} 1"#,
        r#"iamseal_calls_total{call="seal",outcome="key-unavailable"} 1"#,
        r#"iamseal_calls_total{call="seal",outcome="ok"} 1"#,
        r#"iamseal_calls_total{call="unseal",outcome="cancelled"} 1"#,
        r#"iamseal_calls_total{call="unseal",outcome="form-refused"} 1"#,
        r#"iamseal_calls_total{call="unseal",outcome="ok"} 3"#,
        r#"iamseal_key_service_calls_total{call="decrypt",outcome="cancelled"} 1"#,
        r#"iamseal_key_service_calls_total{call="decrypt",outcome="ok"} 3"#,
        r#"iamseal_key_service_calls_total{call="generate",outcome="key-unavailable"} 1"#,
        r#"iamseal_key_service_calls_total{call="generate",outcome="ok"} 1"#,
        r#"iamseal_key_service_duration_seconds_count{call="decrypt"} 4"#,
        r#"iamseal_key_service_duration_seconds_count{call="generate"} 2"#,
    ];
    assert_eq!(counted(&metrics), expected);

    // What a test of the plugin asks, nobody asked for.
    plugin.self_test().await.unwrap();
    assert_eq!(counted(&metrics), expected);
    let slot = PluginSlot::new(plugin.clone());
    let same = plugin.successor().component(iamseal_component::PLUGIN);
    slot.swap(same).await.unwrap();
    let calls = |lines: Vec<String>| {
        let is_call = |line: &String| line.starts_with("iamseal_call");
        lines.into_iter().filter(is_call).collect::<Vec<_>>()
    };
    assert_eq!(calls(counted(&metrics)), expected[..9]);
}
