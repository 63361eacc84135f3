//! That they start, answer, and are gone with the test.

use std::net::TcpListener;

use iamseal_servers::etcd::Etcd;
use iamseal_servers::kes::Kes;
use iamseal_servers::minio::Minio;

#[test]
fn etcd_answers_and_is_gone_with_the_test() {
    for etcd in [Etcd::start(), Etcd::start_tls()] {
        etcd.put("config/a", b"1");
        assert_eq!(etcd.get("config/").len(), 1);
        let address = etcd.addresses().remove(0);
        drop(etcd);
        assert!(TcpListener::bind(address).is_ok());
    }
}

#[test]
fn a_cluster_outlives_its_leader() {
    let mut etcd = Etcd::cluster();
    etcd.put("a", b"1");
    let leader = etcd.leader();
    etcd.kill(leader);
    assert_ne!(etcd.leader(), leader);
    etcd.put("b", b"2");
    etcd.restart(leader);
    assert_eq!(etcd.get("").len(), 2);
}

#[test]
fn minio_uses_kes_and_keeps_its_users_in_etcd() {
    let (etcd, kes) = (Etcd::start(), Kes::start());
    let mut variables = kes.variables("iam-key");
    variables.push(("MINIO_ETCD_ENDPOINTS", etcd.endpoints()));
    let minio = Minio::start(&variables);
    minio.admin(&["admin", "user", "add", "t", "alice", "password-of-alice"]);
    assert_eq!(etcd.get("config/iam/users/alice/").len(), 1);
    assert!(kes.keys().join("iam-key").exists());
}
