//! What holds of a folder holds of these.

use std::collections::BTreeMap;

use iamseal_servers::etcd::Etcd;
use iamseal_servers::minio::Minio;

use crate::full_rate::{Place, mixture, throughout};
use crate::running::{Files, folder_in_memory};

#[test]
fn in_etcd_no_request_fails_and_no_write_is_lost_while_ten_thousand_are_migrated() {
    let folder = folder_in_memory();
    let etcd = Etcd::start_in(folder.path());
    etcd.put_all(mixture());
    let stored = || {
        let all = etcd.everything("").into_iter();
        all.map(|(path, seen)| (path, seen.value)).collect()
    };
    let place = Place {
        arguments: vec![format!("--store=etcd://{}/", etcd.addresses()[0])],
        variables: Vec::new(),
        stored: &stored,
    };
    throughout(Files::new(), &place);
}

#[test]
fn in_a_bucket_no_request_fails_and_no_write_is_lost_while_ten_thousand_are_migrated() {
    let minio = Minio::start_in(folder_in_memory());
    minio.admin(&["mb", "t/bucket"]);
    minio.upload("bucket/iam", mixture());
    let stored = || -> BTreeMap<_, _> { minio.download("bucket/iam") };
    let place = Place {
        arguments: vec!["--store=s3://bucket/iam".to_owned()],
        variables: minio.aws_variables(),
        stored: &stored,
    };
    throughout(Files::new(), &place);
}
