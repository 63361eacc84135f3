//! The pages about etcd, KES and buckets, with the servers themselves. The name of this module tells
//! `cargo xtask test` which tests need them.

use std::os::unix::fs::symlink;

use iamseal_servers::etcd::Etcd;
use iamseal_servers::kes::Kes;
use iamseal_servers::minio::{Minio, ROOT};

use super::stage::{JOURNALS, Stage, my_key};
use super::{names_of_text, old_store, plain_store};
use crate::kit::migration::{NAMES, content};
use crate::kit::{KEY, tool, with};

#[test]
fn the_page_of_etcd_runs() {
    let stage = Stage::of("docs/etcd.md");
    stage.file("my-key.secret", &my_key());
    let etcd = Etcd::start();
    etcd.put_all(NAMES.map(|name| ([b"minio/", name].concat(), content(name))));
    stage.run(&[("http://127.0.0.1:2379", &etcd.endpoints())]);
}

#[test]
fn the_page_of_kes_runs() {
    let stage = Stage::of("docs/kes.md");
    let kes = Kes::start();
    kes.create_key("my-key");
    stage.file("kes-api-key", &kes.admin().api_key);
    old_store(&stage, "data/.minio.sys");
    // A store of a static key that KES does not have yet.
    let key = KEY.replace(crate::kit::KEY_NAME, "old-key");
    stage.file("old-key.secret", &format!("{key}\n"));
    plain_store(&stage, "data/old");
    let migrate = tool(with("migrate --to kms", stage.path("data/old")));
    let migrate = migrate.args(["--journal".as_ref(), stage.path("journals").as_os_str()]);
    migrate.key(&key).ok();
    symlink(kes.keys(), stage.path("data/kes-keys")).unwrap();
    let authority = kes.authority().certificate();
    stage.run(&[
        ("https://127.0.0.1:7373", &kes.endpoint()),
        ("=kes.crt", &format!("={}", authority.display())),
        ("/data/", "data/"),
    ]);
}

#[test]
fn the_page_of_buckets_runs() {
    let stage = Stage::of("docs/buckets.md");
    stage.file("my-key.secret", &my_key());
    let minio = Minio::start_tls();
    minio.admin(&["mb", "t/control"]);
    let objects = names_of_text().map(|name| (name, content(name)));
    minio.upload("control/plane", objects);
    let (user, password) = ROOT;
    let credentials = format!("AWS_ACCESS_KEY_ID={user} AWS_SECRET_ACCESS_KEY={password}");
    let authority = minio.authority().certificate().display().to_string();
    let last_run = format!(
        "$(cd {} && ls | tail -n 1 | cut -d . -f 1)",
        stage.path(JOURNALS).display()
    );
    stage.run(&[
        ("https://minio.example.org:9000", &minio.endpoint()),
        (
            "AWS_ACCESS_KEY_ID=ID AWS_SECRET_ACCESS_KEY=SECRET",
            &credentials,
        ),
        // As a path of its own, which is not below the stage.
        (
            "AWS_CA_BUNDLE=/etc/ssl/our-authority.pem",
            &format!("AWS_CA_BUNDLE={authority}"),
        ),
        ("20261124T010203Z", &last_run),
    ]);
}
