//! The same troubles as other people have them: three variations of each case.

use super::{lines, run};
use crate::kit::{Ended, KEY, OTHER_KEY};

/// Runs commands in a case's folder, with `$KEY` and `$OTHER`, and whatever else is set for them.
#[track_caller]
fn vary(name: &str, commands: &str) -> Ended {
    run(
        name,
        &format!(
            "KEY='{KEY}' OTHER='{OTHER_KEY}' BOB=store/config/iam/users/bob/identity.json; {commands}"
        ),
    )
}

#[test]
fn bad_json_group() {
    let json = r#"{"version":1,"status":"enabled","members":["al"#;
    let command = format!(
        "printf '%s' '{json}' > store/config/iam/groups/team/members.json; $IAMSEAL audit store"
    );
    let ended = vary("bad-json", &command).exits(31);
    assert_eq!(lines(&ended, "fails          not-loadable"), 3, "{ended}");
    ended.prints("config/iam/groups/team/members.json");
}

#[test]
fn bad_json_with_a_byte_order_mark() {
    let command = r#"printf '\xef\xbb\xbf' | cat - $BOB > new; mv new $BOB; $IAMSEAL audit store"#;
    vary("bad-json", command)
        .exits(31)
        .prints("config/iam/users/bob/identity.json")
        .prints("it begins with a byte-order mark");
}

#[test]
fn bad_json_that_was_sealed() {
    let command = r#"export MINIO_KMS_SECRET_KEY=$KEY; printf '{"version":1,' |
        $IAMSEAL seal --path config/iam/users/bob/identity.json > new; mv new $BOB;
        $IAMSEAL audit store --prefix config/iam/users/"#;
    let ended = vary("bad-json", command).exits(31);
    ended.prints("for it a server loads no identity at all");
}

#[test]
fn config_env_with_space_before_the_sign() {
    let command =
        "sed -i 's/KEY=/KEY = /' config.env; MINIO_CONFIG_ENV_FILE=config.env $IAMSEAL audit store";
    vary("config-env-tab", command)
        .fails(2)
        .says("config.env, line ")
        .says("MinIO takes nothing from this line");
}

#[test]
fn config_env_from_windows() {
    let command = r#"sed -i 's/$/\r/; s/KEY=\(.*\)\r/KEY="\1"\r/' config.env; MINIO_CONFIG_ENV_FILE=config.env $IAMSEAL audit store"#;
    let ended = vary("config-env-tab", command).exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn config_env_of_a_command_shell() {
    let command = "sed -i 's/^export./set /' config.env; MINIO_CONFIG_ENV_FILE=config.env $IAMSEAL audit store";
    vary("config-env-tab", command)
        .fails(2)
        .says("nothing before the name but `export`");
}

const EDIT: &str = "export MINIO_KMS_SECRET_KEY=$KEY; ";

#[test]
fn an_edit_that_is_no_json_is_kept() {
    let command = format!("{EDIT} EDITOR='sed -i s/}}//' $IAMSEAL edit store config/config.json");
    let ended = vary("config-etcd", &command).exits(10);
    ended
        .says("the new text is not valid JSON")
        .says("when it is right: iamseal edit");
}

#[test]
fn an_edit_of_what_is_not_there_any_more() {
    let command = format!(
        "{EDIT} EDITOR='rm store/config/config.json; sed -i s/name/name2/' $IAMSEAL edit store config/config.json"
    );
    vary("config-etcd", &command)
        .exits(14)
        .prints("removed by somebody else");
}

#[test]
fn an_edit_by_a_pipe_is_taken_back() {
    let command = format!(
        "{EDIT} cp store/config/config.json before; $IAMSEAL cat store config/config.json | sed s/name/name2/ > new;
        $IAMSEAL edit store config/config.json --from new && ! cmp -s store/config/config.json before &&
        $IAMSEAL undo store $($IAMSEAL runs | grep -o '20[0-9TZ]*' | head -1) && cmp store/config/config.json before"
    );
    vary("config-etcd", &command).exits(0);
}

#[test]
fn zeros_where_a_loss_of_power_left_them() {
    let command = "head -c 300 /dev/zero > $BOB; $IAMSEAL audit store";
    vary("bad-json", command)
        .exits(3)
        .prints("damaged: all 300 bytes are zero, as a loss of power leaves a file");
}

#[test]
fn a_sealed_object_that_was_cut() {
    let command = "head -c 150 store/config/config.json > new; mv new store/config/config.json;
        MINIO_KMS_SECRET_KEY=$KEY $IAMSEAL audit store";
    let ended = vary("config-env-tab", command).exits(10);
    assert_eq!(lines(&ended, "opens  "), 6, "{ended}");
}

#[test]
fn an_empty_mapping_that_is_set_aside() {
    let command =
        ": > store/config/iam/policydb/users/alice.json; export MINIO_KMS_SECRET_KEY=$KEY;
        $IAMSEAL set-aside store --failing malformed && $IAMSEAL audit store";
    let ended = vary("bad-json", command).exits(31);
    ended.prints("lost: which policies the user alice has");
}

const IMAGE: &str = "export MINIO_ACCESS_KEY_FILE=access_key MINIO_SECRET_KEY_FILE=secret_key \
    MINIO_ROOT_USER_FILE=access_key MINIO_ROOT_PASSWORD_FILE=secret_key \
    MINIO_KMS_SECRET_KEY_FILE=kms_master_key MINIO_CONFIG_ENV_FILE=config.env; ";

#[test]
fn the_image_with_one_of_two_files() {
    let command = format!(
        "{IMAGE} echo rootadmin > access_key; MINIO_KMS_SECRET_KEY=$KEY $IAMSEAL audit store"
    );
    vary("docker-env", &command).fails(2).says(
        "access_key holds one half of the root credential, but MINIO_ROOT_PASSWORD is not set",
    );
}

#[test]
fn the_image_with_a_key_that_is_set_to_nothing() {
    let command = format!("{IMAGE} MINIO_KMS_SECRET_KEY= $IAMSEAL audit store");
    vary("docker-env", &command)
        .exits(4)
        .says("MINIO_KMS_SECRET_KEY: set to nothing, which MinIO takes for not set");
}

#[test]
fn the_image_with_quotes_that_docker_kept() {
    let command = format!("{IMAGE} MINIO_KMS_SECRET_KEY=\"\\\"$KEY\\\"\" $IAMSEAL audit store");
    vary("docker-env", &command).fails(2).says("quotes");
}

#[test]
fn an_export_of_users_alone() {
    let ended = vary(
        "iam-export",
        "$IAMSEAL export store --root-credentials old.credentials --only users",
    );
    let archive = crate::kit::identities::archive(&ended.exits(0).stdout);
    let sizes = archive.iter().map(|(kind, entries)| {
        (
            &**kind,
            entries.as_object().map_or(0, |entries| entries.len()),
        )
    });
    let some = sizes.filter(|(_, size)| *size > 0).collect::<Vec<_>>();
    assert_eq!(some, [("users", 2)]);
}

#[test]
fn an_export_without_the_credential() {
    let ended = vary("iam-export", "$IAMSEAL export store").exits(8);
    ended.says("left-out").says("--root-credentials");
}

#[test]
fn an_export_whose_import_would_end_midway() {
    let command = "rm -r store/config/iam/policies/dataread;
        $IAMSEAL export store --root-credentials old.credentials";
    let ended = vary("iam-export", command).exits(0);
    ended
        .says("mc admin cluster iam import ends there")
        .says(": alice");
}

const NEW_KEY: &str =
    "export MINIO_KMS_SECRET_KEY=my-minio-key:tIny+MN5oEmcqEU8GssPUvSYK5a2+9cQHqX2GE0pyzk=; ";

#[test]
fn a_key_made_anew_whose_old_bytes_are_found() {
    let command = format!(
        "{NEW_KEY} echo $KEY > old.keys; $IAMSEAL audit store --keys old.keys &&
        $IAMSEAL migrate store --to kms --keys old.keys && $IAMSEAL audit store --require current"
    );
    vary("kes-recreated", &command).exits(0);
}

#[test]
fn a_key_made_anew_before_anything_else() {
    let command = format!(
        "{NEW_KEY} rm -r store/config/iam/groups store/config/iam/policies store/config/iam/format.json; $IAMSEAL audit store"
    );
    let ended = vary("kes-recreated", &command);
    ended.prints("my-minio-key").prints("--keys");
}

#[test]
fn a_key_whose_name_nobody_gave() {
    let ended = vary(
        "kes-recreated",
        "MINIO_KMS_SECRET_KEY=$OTHER $IAMSEAL audit store",
    )
    .exits(4);
    ended.prints("give the key \"my-minio-key\"");
}

#[test]
fn a_line_of_yaml_among_keys() {
    let command = "sed -i 's/=/: /' keys; $IAMSEAL audit store --keys keys";
    vary("key-envline", command)
        .fails(2)
        .says("keys, line 1: it is NAME=VALUE");
}

#[test]
fn a_file_of_keys_without_a_key() {
    let command = "echo '# old keys' > keys; $IAMSEAL audit store --keys keys";
    vary("key-envline", command)
        .fails(2)
        .says("keys: there is nothing in it");
}

#[test]
fn credentials_in_quotes() {
    let command = "echo '\"rootadmin:rootsecret1\"' > roots; chmod 600 roots;
        MINIO_KMS_SECRET_KEY=$KEY $IAMSEAL audit store --root-credentials roots";
    vary("key-envline", command)
        .exits(0)
        .says("roots, line 1: it is in quotes, which is taken for a part of the credential");
}

#[test]
fn what_a_rustfs_sealed_under_its_secret_alone() {
    let command = "echo :rootsecret1 > roots; chmod 600 roots; $IAMSEAL audit secret-only --root-credentials roots";
    let ended = vary("rustfs-form", command).exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn what_a_rustfs_sealed_under_another_secret() {
    let command =
        "RUSTFS_ACCESS_KEY=rootadmin RUSTFS_SECRET_KEY=wrong-secret $IAMSEAL audit user-and-secret";
    let ended = vary("rustfs-form", command).exits(8);
    ended.prints("none of RustFS' secrets alone");
}

#[test]
fn what_a_rustfs_sealed_with_its_own_variables() {
    let command = "export RUSTFS_ACCESS_KEY=rootadmin RUSTFS_SECRET_KEY=rootsecret1;
        $IAMSEAL audit secret-only && $IAMSEAL audit user-and-secret && $IAMSEAL audit user-and-secret --require rustfs";
    let ended = vary("rustfs-form", command).exits(0);
    // RustFS reads nothing but what is below config/iam/.
    assert_eq!(lines(&ended, "opens  "), 20, "{ended}");
}

const SIGNATURE: &str = "export MINIO_ROOT_USER=rootadmin MINIO_KMS_SECRET_KEY=$KEY; ";

#[test]
fn an_account_of_the_present_root() {
    let command = format!("{SIGNATURE} MINIO_ROOT_PASSWORD=oldsecret1 $IAMSEAL audit store");
    let ended = vary("signature", &command).exits(0);
    assert!(!ended.text().contains("its session token"), "{ended}");
}

#[test]
fn an_account_whose_root_is_not_known() {
    let command = format!("{SIGNATURE} MINIO_ROOT_PASSWORD=newsecret1 $IAMSEAL audit store");
    vary("signature", &command).prints("warning: its session token is signed");
}

#[test]
fn an_account_is_freed_from_the_old_root() {
    let command = format!(
        "{SIGNATURE} export MINIO_ROOT_PASSWORD=newsecret1; $IAMSEAL sign-tokens store --root-credentials old.credentials &&
        $IAMSEAL audit store"
    );
    let ended = vary("signature", &command).exits(0);
    assert!(!ended.text().contains("its session token"), "{ended}");
}

const TIERS: &str =
    "export MINIO_KMS_SECRET_KEY=new-key:X1pMu2TZRbpL2uKzCWQgwAcELFO0LpVQ7AUPcWGw258=; ";

/// Whether the old key of the tiers is needed, by an audit.
#[track_caller]
fn needs_old(commands: &str) -> serde_json::Value {
    let ended = vary(
        "tier-config",
        &format!("{TIERS} {commands} $IAMSEAL audit store --keys old.keys --json"),
    );
    let summary = ended.exits(0).json().pop().unwrap();
    let keys = summary["summary"]["keys"].as_array().unwrap();
    let old = keys.iter().find(|key| key["key"] == "my-minio-key");
    old.unwrap()["needed"].clone()
}

#[test]
fn a_key_that_nothing_needs() {
    let needed = needs_old("rm store/config/tier-config.bin;");
    assert_eq!(needed, false);
}

#[test]
fn a_key_that_buckets_may_need() {
    let needed = needs_old(
        "rm store/config/tier-config.bin; mkdir -p store/buckets/data; echo garbage > store/buckets/data/.metadata.bin;",
    );
    assert!(needed.is_null(), "{needed}");
}

#[test]
fn a_key_that_an_unopened_object_may_need() {
    let ended = vary(
        "tier-config",
        &format!(
            "{TIERS} head -c 100 /dev/zero > $BOB; $IAMSEAL audit store --keys old.keys --json"
        ),
    );
    let lines = ended.exits(10).json();
    let summary = lines
        .iter()
        .find(|line| line["summary"].is_object())
        .unwrap();
    let needed = summary["summary"]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .any(|key| key["needed"] == false);
    assert!(!needed, "{summary}");
}

const DRIVE: &str = "export MINIO_KMS_SECRET_KEY=$KEY; ";

#[test]
fn a_drive_by_its_system_folder_within_the_drive() {
    let command = format!("{DRIVE} mkdir disk1; mv store disk1/.minio.sys; $IAMSEAL audit disk1");
    let ended = vary("xl-drive", &command).exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn a_drive_whose_format_is_gone() {
    let command = format!(
        "{DRIVE} mkdir disk1; mv store disk1/.minio.sys; : > disk1/.minio.sys/format.json; $IAMSEAL audit disk1; test $? = 2;
        rm disk1/.minio.sys/format.json; cure=$($IAMSEAL audit disk1 2>&1 | sed -n 's/.*copy of the drive: //p');
        sh -c \"$cure\" && $IAMSEAL audit disk1"
    );
    let ended = vary("xl-drive", &command).exits(0);
    assert_eq!(lines(&ended, "opens  "), 7, "{ended}");
}

#[test]
fn a_drive_with_a_cut_object() {
    let command = format!(
        "{DRIVE} meta=store/config/iam/groups/team/members.json/xl.meta; head -c 100 $meta > new; mv new $meta;
        $IAMSEAL audit store"
    );
    let ended = vary("xl-drive", &command).exits(13);
    assert_eq!(lines(&ended, "opens  "), 6, "{ended}");
}
