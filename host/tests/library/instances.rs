//! Instances are used again after calls that ended well, and never after others; and a component
//! that lies gets no further than the call it was asked to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use iamseal::contract::{ObjectError, Policy, SealOptions, StorageError, Verdict};
use iamseal::{AuditScope, Error, Limits, Plugin};

use iamseal_tests::hostile::{Asked, Guest, Hanging, store};

/// Seals to as many bytes as the instance has served calls. Traps at a path of 4 bytes, loops for
/// ever at one of 5.
fn counting() -> Guest {
    Guest {
        items: "(global $calls (mut i32) (i32.const 0))",
        seal: "(if (i32.eq (local.get 3) (i32.const 4)) (then unreachable))
               (if (i32.eq (local.get 3) (i32.const 5)) (then (loop (br 0))))
               (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
               (call $ok (i32.const 0) (global.get $calls))",
        ..Guest::default()
    }
}

async fn served(plugin: &Plugin) -> usize {
    let sealed = plugin.seal(b"cnt", b"", &SealOptions::default()).await;
    sealed.unwrap().len()
}

#[tokio::test]
async fn an_instance_is_used_again() {
    let plugin = counting().plugin().load().await.unwrap();
    for count in 1..10 {
        assert_eq!(served(&plugin).await, count);
    }
}

#[tokio::test]
async fn an_instance_serves_a_bounded_number_of_calls() {
    let plugin = counting().plugin().load().await.unwrap();
    for count in 1..=4096 {
        assert_eq!(served(&plugin).await, count);
    }
    assert_eq!(served(&plugin).await, 1);
}

#[tokio::test]
async fn idle_instances_hold_no_more_memory_than_one_may() {
    let guest = Guest {
        audit_next: "(call $ok (i32.const 0) (i32.const 0))",
        ..counting()
    };
    let mut limits = Limits::default();
    limits.memory_bytes = 6 << 20; // and each instance has 4 MiB
    let plugin = guest.plugin().limits(limits).load().await.unwrap();
    assert_eq!(served(&plugin).await, 1);
    assert_eq!(served(&plugin).await, 2);
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    assert_eq!(served(&plugin).await, 3); // it is none of the audit's
    assert!(audit.next(1).await.unwrap().is_empty()); // comes back and takes its place
    assert_eq!(served(&plugin).await, 1);
}

#[tokio::test]
async fn an_instance_is_used_again_only_for_what_is_lent_the_same() {
    let plugin = counting().plugin().load().await.unwrap();
    let served = async |key: Option<&str>| {
        let options = SealOptions {
            key: key.map(str::to_owned),
            ..SealOptions::default()
        };
        plugin.seal(b"cnt", b"", &options).await.unwrap().len()
    };
    for count in 1..4 {
        assert_eq!(served(None).await, count);
        assert_eq!(served(Some("a")).await, count);
        assert_eq!(served(Some("b")).await, count);
    }
}

#[tokio::test]
async fn a_trap_retires_its_instance() {
    let plugin = counting().plugin().load().await.unwrap();
    assert_eq!(served(&plugin).await, 1);
    let trapped = plugin.seal(b"trap", b"", &SealOptions::default()).await;
    let Err(Error::Trap {
        component,
        message,
        panic,
    }) = trapped
    else {
        panic!("it did not trap");
    };
    assert_eq!(component, plugin.identity().to_string());
    assert!(message.contains("unreachable"), "{message}");
    assert_eq!(panic, None);
    assert_eq!(served(&plugin).await, 1);
}

#[tokio::test]
async fn a_call_that_is_dropped_half_way_retires_its_instance() {
    let plugin = counting().plugin().load().await.unwrap();
    assert_eq!(served(&plugin).await, 1);
    {
        let options = SealOptions::default();
        let endless = std::pin::pin!(plugin.seal(b"loops", b"", &options));
        // It yields, so it is polled more than once and is under way when it is dropped.
        tokio::select! {
            biased;
            _ = endless => panic!("an endless loop ended"),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(served(&plugin).await, 1);
}

#[tokio::test]
async fn a_panic_is_told() {
    let guest = Guest {
        imports: iamseal_tests::hostile::IMPORT_PANICKED,
        items: r#"(data (i32.const 100) "at the\ndisco")"#,
        seal: "(call $panicked (i32.const 100) (i32.const 12)) unreachable",
        ..Guest::default()
    };
    let plugin = guest.plugin().load().await.unwrap();
    let error = plugin
        .seal(iamseal_tests::hostile::ILL, b"", &SealOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Trap { panic: Some(text), .. } if text == "at the disco"));
    assert!(error.to_string().ends_with("it panicked: at the disco"));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_run_side_by_side() {
    let plugin = counting().plugin().load().await.unwrap();
    let calls: Vec<_> = (0..64)
        .map(|byte| {
            let plugin = plugin.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    let sealed = plugin
                        .seal(
                            iamseal_tests::hostile::WELL,
                            &[byte; 500],
                            &SealOptions::default(),
                        )
                        .await;
                    assert_eq!(sealed.unwrap(), [byte; 500]);
                }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn an_audit_that_reports_a_path_twice_is_ended() {
    // One finding, again and again: path at 200, no size, no key, exempt for no reason.
    let guest = Guest {
        items: r#"(data (i32.const 200) "config/a")
                  (data (i32.const 304) "\c8\00\00\00\08\00\00\00")"#,
        audit_next: "(i32.store8 (i32.const 344) (i32.const 1))
                     (call $ok (i32.const 304) (i32.const 1))",
        ..Guest::default()
    };
    let plugin = guest.plugin().storage(store()).load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    let findings = audit.next(10).await.unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].path, b"config/a");
    assert_eq!(findings[0].size, None);
    assert_eq!(findings[0].verdict, Verdict::Exempt(String::new()));
    assert!(matches!(audit.next(10).await, Err(Error::Contract { .. })));
    assert!(matches!(audit.next(10).await, Err(Error::Ended)));

    let elsewhere = AuditScope {
        prefix: b"elsewhere/".to_vec(),
        ..AuditScope::default()
    };
    let mut audit = plugin.audit(&elsewhere).await.unwrap();
    assert!(matches!(audit.next(10).await, Err(Error::Contract { .. })));
}

#[tokio::test]
async fn the_end_of_an_audit_stays_the_end_and_its_instance_is_used_again() {
    // Traps if it is asked twice.
    let guest = Guest {
        items: "(global $asked (mut i32) (i32.const 0))",
        audit_next: "(if (global.get $asked) (then unreachable))
                     (global.set $asked (i32.const 1))
                     (call $ok (i32.const 0) (i32.const 0))",
        ..Guest::default()
    };
    let plugin = guest.plugin().load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    for _ in 0..3 {
        assert!(audit.next(10).await.unwrap().is_empty());
    }
    let mut again = plugin.audit(&AuditScope::default()).await.unwrap();
    assert!(matches!(again.next(10).await, Err(Error::Trap { .. })));
}

#[tokio::test]
async fn a_report_that_is_too_long_or_out_of_order_is_refused() {
    // Two findings: of nothing, and of nothing again.
    let guest = Guest {
        audit_next: "(call $ok (i32.const 304) (i32.const 2))",
        ..Guest::default()
    };
    let plugin = guest.plugin().storage(store()).load().await.unwrap();
    for (limit, says) in [(1, "2 objects of 1 asked for"), (2, "not in order")] {
        let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
        let error = audit.next(limit).await.unwrap_err();
        assert!(matches!(error, Error::Contract { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(matches!(audit.next(limit).await, Err(Error::Ended)));
    }
}

#[tokio::test]
async fn a_step_that_is_dropped_half_way_is_not_taken_for_the_end() {
    let guest = Guest {
        audit_next: "(loop (br 0)) unreachable",
        ..Guest::default()
    };
    let plugin = guest.plugin().load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    tokio::select! {
        biased;
        _ = audit.next(1) => panic!("an endless loop ended"),
        () = tokio::task::yield_now() => {}
    }
    assert!(matches!(audit.next(1).await, Err(Error::Ended)));
}

#[tokio::test]
async fn a_listing_that_fails_ends_the_audit() {
    // The error `storage.not-found`: case 16 of `error` holding case 0 of `storage-error`.
    let guest = Guest {
        audit_next: "(i32.store8 (i32.const 16) (i32.const 1))
                     (i32.store8 (i32.const 24) (i32.const 16))
                     (i32.store8 (i32.const 32) (i32.const 0))
                     (i32.const 16)",
        ..Guest::default()
    };
    let plugin = guest.plugin().load().await.unwrap();
    let mut audit = plugin.audit(&AuditScope::default()).await.unwrap();
    let Err(Error::Object(error)) = audit.next(1).await else {
        panic!("the listing did not fail");
    };
    assert_eq!(error, ObjectError::Storage(StorageError::NotFound));
    assert!(matches!(audit.next(1).await, Err(Error::Ended)));
}

/// Reads `config/a`, whatever it was asked for.
fn nosy() -> Guest {
    Guest {
        imports: iamseal_tests::hostile::IMPORT_READ,
        items: r#"(data (i32.const 200) "config/a")"#,
        seal: "(call $read (i32.const 200) (i32.const 8) (i32.const 16))
               (call $ok (i32.const 0) (i32.const 0))",
        ..Guest::default()
    }
}

#[tokio::test]
async fn sealing_reads_no_store() {
    let asked = Arc::new(Asked::default());
    let plugin = nosy().plugin().storage(asked.clone()).load().await.unwrap();
    let options = SealOptions::default();
    plugin
        .seal(iamseal_tests::hostile::ILL, b"", &options)
        .await
        .unwrap();
    assert!(asked.paths.lock().unwrap().is_empty());
}

#[tokio::test]
async fn credentials_are_lent_for_opening_alone() {
    // Traps after it asked, in every call.
    let guest = Guest {
        imports: iamseal_tests::hostile::IMPORT_CREDENTIALS,
        seal: "(call $root_credentials (i32.const 16)) unreachable",
        unseal: "(call $root_credentials (i32.const 16)) unreachable",
        ..Guest::default()
    };
    let keyring = Arc::new(Hanging::default());
    let plugin = guest
        .plugin()
        .keyring(keyring.clone())
        .load()
        .await
        .unwrap();
    let lent = || keyring.lent.load(Ordering::Relaxed);
    let options = SealOptions::default();
    assert!(
        plugin
            .seal(iamseal_tests::hostile::ILL, b"", &options)
            .await
            .is_err()
    );
    assert!(plugin.unseal(b"a", b"b", Policy::Sealed).await.is_err());
    assert_eq!(lent(), 0);
    assert!(plugin.unseal(b"a", b"b", Policy::Compatible).await.is_err());
    assert_eq!(lent(), 1);
}
