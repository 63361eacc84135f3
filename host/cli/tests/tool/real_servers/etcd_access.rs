//! Who gets into etcd: TLS, certificates and users.

use iamseal::keys::Environment;
use iamseal::storage::etcd::Address;
use iamseal::storage::{EtcdStore, Storage as _};
use iamseal_servers::authority::Authority;
use iamseal_servers::etcd::Etcd;
use tokio::runtime::Runtime;

use super::etcd_sample::{PREFIX, address, fill, on};
use crate::kit::migration::{NAMES, all, outcomes};
use crate::kit::{KEY, Tool, tool, with};

fn audit(etcd: &Etcd, scheme: &str) -> Tool {
    let node = etcd.addresses().remove(0);
    tool(with("audit", format!("{scheme}://{node}/{PREFIX}"))).key(KEY)
}

fn put_one(etcd: &Etcd) {
    etcd.put(&format!("{PREFIX}config/iam/format.json"), b"{}");
}

#[test]
fn tls_with_a_certificate_of_the_clients() {
    let etcd = Etcd::start_tls();
    put_one(&etcd);
    let authority = etcd.authority();
    let client = authority.certify("client");
    let ca = [("ETCDCTL_CACERT", authority.certificate())];
    let certificate = [
        ("MINIO_ETCD_CLIENT_CERT", client.certificate),
        ("MINIO_ETCD_CLIENT_CERT_KEY", client.key),
    ];
    audit(&etcd, "etcds")
        .env(ca.clone())
        .env(certificate.clone())
        .ok();
    // The same by MinIO's own variables.
    tool(with("audit", "etcd://"))
        .env(ca.clone())
        .env(certificate.clone())
        .env([
            ("MINIO_ETCD_ENDPOINTS", etcd.endpoints()),
            ("MINIO_ETCD_PATH_PREFIX", PREFIX.to_owned()),
        ])
        .ok();

    let refused = "etcd's certificate or ours is refused";
    audit(&etcd, "etcds")
        .env(ca.clone())
        .run()
        .fails(13)
        .says(refused);
    audit(&etcd, "etcds")
        .env(certificate.clone())
        .run()
        .fails(13)
        .says(refused)
        .says(" cure: name the authority of etcd's certificate in ETCDCTL_CACERT");
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::new(folder.path());
    audit(&etcd, "etcds")
        .env([("ETCDCTL_CACERT", other.certificate())])
        .env(certificate.clone())
        .run()
        .fails(13)
        .says(refused);
    let stranger = other.certify("stranger");
    audit(&etcd, "etcds")
        .env(ca)
        .env([
            ("MINIO_ETCD_CLIENT_CERT", stranger.certificate),
            ("MINIO_ETCD_CLIENT_CERT_KEY", stranger.key),
        ])
        .run()
        .fails(13)
        .says(refused);
    audit(&etcd, "etcd")
        .env(certificate)
        .run()
        .fails(2)
        .says("a client certificate is given, but the address is without TLS")
        .says(" cure: write etcds://");
    audit(&etcd, "etcd")
        .run()
        .fails(13)
        .says(" cure: see that most nodes of etcd run and that the address is theirs; etcds://");
}

#[test]
fn tls_without_a_certificate_of_the_clients() {
    let etcd = Etcd::start_tls_for_all();
    put_one(&etcd);
    let ca = etcd.authority().certificate();
    audit(&etcd, "etcds").env([("ETCDCTL_CACERT", &ca)]).ok();
    audit(&etcd, "etcds")
        .env([("ETCDCTL_CACERT", "/dev/null")])
        .run()
        .fails(13);
    audit(&etcd, "etcds")
        .env([("ETCDCTL_CACERT", "/not/there")])
        .run()
        .fails(2)
        .says("ETCDCTL_CACERT names /not/there")
        .says(" cure: correct ETCDCTL_CACERT");
}

#[test]
fn only_users_who_may_get_in() {
    let mut etcd = Etcd::start();
    fill(&etcd);
    etcd.let_only_users_in("secret of root");
    for user in ["reader", "writer", "half", "stranger"] {
        etcd.ctl(&["user", "add", &format!("{user}:pass:word")]);
        etcd.ctl(&["role", "add", user]);
        etcd.ctl(&["user", "grant-role", user, user]);
    }
    let allow = |role: &str, kind: &str, below: &str| {
        let below = format!("{PREFIX}{below}");
        etcd.ctl(&[
            "role",
            "grant-permission",
            role,
            "--prefix=true",
            kind,
            &below,
        ]);
    };
    allow("reader", "read", "config/");
    allow("half", "readwrite", "config/");
    allow("writer", "readwrite", "");
    let as_user = |user: &str, line: &str| {
        on(&etcd, line).env([("ETCDCTL_USER", format!("{user}:pass:word"))])
    };

    as_user("reader", "audit").ok();
    let ended = as_user("reader", "migrate --json --to kms").run().exits(13);
    assert_eq!(outcomes(&ended)["failed"], NAMES.len() as u64);
    let ended = as_user("half", "migrate --json --to kms").run().exits(13);
    assert!(
        ended
            .text()
            .contains(&format!("begins with {PREFIX}iamseal-draft/")),
        "{ended}"
    );
    for line in ended.json().iter().filter(|line| line["error"].is_object()) {
        let cure = line["error"]["cure"].as_str().unwrap();
        assert!(cure.contains("allow them to list, read, write"), "{line}");
    }
    all(
        &as_user("writer", "migrate --json --to kms").ok(),
        "migrated",
    );

    let denied = "etcd lets nobody in";
    on(&etcd, "audit")
        .run()
        .fails(13)
        .says(denied)
        .says("as NAME:PASSWORD in ETCDCTL_USER");
    as_user("stranger", "audit").run().fails(13).says(denied);
    let wrong = on(&etcd, "audit").env([("ETCDCTL_USER", "reader:wrong-password")]);
    let ended = wrong.run().fails(13).says(denied);
    assert!(!ended.stderr.contains("wrong-password"), "{ended}");
    let node = etcd.addresses().remove(0);
    let ended = tool(with(
        "audit",
        format!("etcd://reader:pass:word@{node}/{PREFIX}"),
    ))
    .run()
    .fails(2)
    .says(" cure: give the user as NAME:PASSWORD in ETCDCTL_USER");
    assert!(!ended.stderr.contains("pass:word"), "{ended}");
}

#[test]
fn a_token_that_is_no_longer_valid_is_renewed() {
    let mut etcd = Etcd::start();
    fill(&etcd);
    etcd.let_only_users_in("secret of root");
    let runtime = Runtime::new().unwrap();
    let environment =
        Environment::new(|name| (name == "ETCDCTL_USER").then(|| "root:secret of root".into()));
    let address = Address::parse(&address(&etcd), &environment.unwrap()).unwrap();
    runtime.block_on(async {
        let store = EtcdStore::open(address).await.unwrap();
        let read = || async { store.read(b"config/iam/format.json").await.unwrap().bytes };
        let before = read().await;
        // Whatever changes the users makes older tokens useless; so does a start, which forgets them.
        etcd.ctl(&["user", "add", "another:password"]);
        assert_eq!(read().await, before);
        etcd.kill(0);
        etcd.restart(0);
        assert_eq!(read().await, before);
    });
}
