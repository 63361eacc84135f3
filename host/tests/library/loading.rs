//! What is not a component for the world is refused with its own message, and never with a panic.

use std::fs;

use iamseal::contract::SealOptions;
use iamseal::{CompileCache, Error, Limit, Plugin, PluginBuilder};
use tempfile::NamedTempFile;

use iamseal_tests::hostile::Guest;

async fn refused(builder: PluginBuilder) -> Error {
    match builder.cache(CompileCache::Off).load().await {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    }
}

async fn refused_bytes(bytes: impl Into<Vec<u8>>) -> Error {
    refused(Plugin::builder().component(bytes.into())).await
}

#[track_caller]
fn assert_load(error: &Error, says: &str) {
    assert!(matches!(error, Error::Load { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(says), "{text}");
    assert!(!text.contains('\n'), "{text}");
}

#[tokio::test]
async fn what_is_not_a_component() {
    assert_load(&refused_bytes("").await, "the file is empty");
    assert_load(&refused_bytes("(component)").await, "it is text");
    assert_load(&refused_bytes(*b"\0asm").await, "cut short");
    assert_load(
        &refused_bytes(*b"\0asm\x01\0\0\0").await,
        "core WebAssembly module",
    );
    assert_load(&refused_bytes(*b"\0asm\x0d\0\x02\0").await, "cut short");
    assert_load(&refused_bytes(*b"\x7fELF").await, "precompiled code");
    assert_load(
        &refused_bytes(*b"\xff\xd8\xff\xe0").await,
        "not WebAssembly",
    );
}

#[tokio::test]
async fn a_component_that_is_cut_short() {
    let whole = Guest::default().build();
    // Every way of being cut short takes a while; a prime steps through all kinds of places.
    for end in (0..whole.len()).step_by(47) {
        let cut = Plugin::builder()
            .component(whole[..end].to_vec())
            .cache(CompileCache::Off);
        match cut.load().await {
            // Cut between two sections, it is a component, but not one for this world.
            Err(Error::Load { .. } | Error::Incompatible { .. }) => {}
            // Nothing is missing but a custom section, which says who made it.
            Ok(_) => assert_eq!(whole[end], 0, "cut at {end} of {}", whole.len()),
            Err(error) => panic!("cut at {end}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn a_component_with_a_flipped_bit_does_not_hurt() {
    let whole = Guest::default().build();
    for at in (0..whole.len()).step_by(47) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        // It may still be a good component, for example if the bit was in a name.
        let _ = Plugin::builder()
            .component(bytes)
            .cache(CompileCache::Off)
            .load()
            .await;
    }
}

#[tokio::test]
async fn a_component_for_another_world() {
    let bytes = wat::parse_str(
        r#"(component
            (import "wasi:cli/environment@0.2.6" (instance))
            (import "iamseal:plugin/keyring@0.2.0" (instance))
            (instance $nothing)
            (export "iamseal:plugin/sealing@0.2.0" (instance $nothing)))"#,
    );
    let error = refused_bytes(bytes.unwrap()).await;
    let text = error.to_string();
    let Error::Incompatible {
        expected, found, ..
    } = error
    else {
        panic!("{text}");
    };
    assert!(expected.contains(&"import iamseal:plugin/keyring@0.1.0".to_owned()));
    assert!(expected.contains(&"export iamseal:plugin/sealing@0.1.0".to_owned()));
    assert_eq!(
        found,
        [
            "import wasi:cli/environment@0.2.6",
            "import iamseal:plugin/keyring@0.2.0",
            "export iamseal:plugin/sealing@0.2.0"
        ]
    );
    for part in [
        "it imports wasi:cli/environment@0.2.6, which the world plugin does not have",
        "it imports iamseal:plugin/keyring@0.2.0, and this host has iamseal:plugin/keyring@0.1.0",
        "it exports iamseal:plugin/sealing@0.2.0, and this host wants iamseal:plugin/sealing@0.1.0",
        "it does not export iamseal:plugin/migration@0.1.0",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn a_component_with_the_right_names_and_nothing_behind_them() {
    let bytes = wat::parse_str(
        r#"(component
            (instance $nothing)
            (export "iamseal:plugin/opening@0.1.0" (instance $nothing))
            (export "iamseal:plugin/sealing@0.1.0" (instance $nothing))
            (export "iamseal:plugin/auditing@0.1.0" (instance $nothing))
            (export "iamseal:plugin/migration@0.1.0" (instance $nothing)))"#,
    );
    let error = refused_bytes(bytes.unwrap()).await;
    assert!(matches!(error, Error::Incompatible { .. }), "{error:?}");
    assert!(error.to_string().contains("`seal`"), "{error}");
}

#[tokio::test]
async fn a_component_with_the_right_names_and_other_functions() {
    let bytes = wat::parse_str(
        r#"(component
            (core module $module
                (func (export "f"))
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
            (core instance $core (instantiate $module))
            (func $f (canon lift (core func $core "f")))
            (instance $opening (export "unseal" (func $f)) (export "inspect" (func $f)))
            (instance $sealing (export "seal" (func $f)))
            (instance $auditing (export "start" (func $f)))
            (instance $migration (export "start" (func $f)))
            (export "iamseal:plugin/opening@0.1.0" (instance $opening))
            (export "iamseal:plugin/sealing@0.1.0" (instance $sealing))
            (export "iamseal:plugin/auditing@0.1.0" (instance $auditing))
            (export "iamseal:plugin/migration@0.1.0" (instance $migration)))"#,
    );
    let error = refused_bytes(bytes.unwrap()).await;
    assert!(matches!(error, Error::Incompatible { .. }), "{error:?}");
}

#[tokio::test]
async fn no_component_and_two() {
    let error = refused(Plugin::builder()).await;
    assert_load(&error, "no component was given");
    let component = Guest::default().build();
    let two = Plugin::builder().component(component).component_file("a");
    assert_load(&refused(two).await, "more than one component");
}

#[tokio::test]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let of = |path| refused(Plugin::builder().component_file(path));
    assert_load(&of(folder.path().join("none.wasm")).await, "none.wasm");
    assert_load(&of(folder.path().to_owned()).await, "it is not a file");

    let file = folder.path().join("huge.wasm");
    fs::File::create(&file)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    let error = of(file).await;
    assert!(matches!(
        error,
        Error::Limit {
            limit: Limit::Component,
            ..
        }
    ));

    let file = folder.path().join("good.wasm");
    fs::write(&file, Guest::default().build()).unwrap();
    let loaded = Plugin::builder()
        .component_file(file)
        .cache(CompileCache::Off)
        .load()
        .await
        .unwrap();
    assert_eq!(loaded.identity().name(), "good.wasm");
    assert_eq!(loaded.identity().version(), None);
}

#[tokio::test]
async fn compiled_code_is_kept_in_the_folder_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = || {
        Guest::default()
            .plugin()
            .cache(CompileCache::Folder(folder.path().to_owned()))
            .load()
    };
    load().await.unwrap();
    // The compiled code alone: the runtime keeps its own counts and marks beside it whenever it likes.
    let kept = || {
        let mut kept = Vec::new();
        for version in fs::read_dir(folder.path().join("modules")).unwrap() {
            let files = fs::read_dir(version.unwrap().path()).unwrap();
            let files = files.map(|file| file.unwrap().path());
            kept.extend(files.filter(|file| file.extension().is_none()));
        }
        kept
    };
    let first = kept();
    assert!(!first.is_empty());
    load().await.unwrap();
    assert_eq!(kept(), first);
}

#[tokio::test]
async fn native_code_is_loaded_by_those_who_vouch_for_it_alone() {
    let component = || Guest::default().plugin();
    let code = component().precompile().await.unwrap();
    let error = refused_bytes(code.clone()).await;
    assert_load(&error, "precompiled");
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &code).unwrap();
    assert_load(
        &refused(Plugin::builder().component_file(file.path())).await,
        "precompiled",
    );

    #[allow(unsafe_code)]
    // SAFETY: it was compiled a few lines above.
    let vouched = unsafe { Plugin::builder().precompiled(code.clone()) };
    let plugin = vouched.load().await.unwrap();
    let sealed = plugin
        .seal(iamseal_tests::hostile::WELL, b"{}", &SealOptions::default())
        .await;
    assert_eq!(sealed.unwrap(), b"{}");
    assert_eq!(plugin.identity().version(), None);
    assert!(plugin.identity().to_string().contains("precompiled"));

    // A component is no native code, nor is half of some.
    for other in [Guest::default().build(), code[..code.len() / 2].to_vec()] {
        #[allow(unsafe_code)]
        // SAFETY: none of it is run.
        let vouched = unsafe { Plugin::builder().precompiled(other) };
        assert!(matches!(refused(vouched).await, Error::Load { .. }));
    }
}
