//! What is said of a migration in two parts, one of which prepares and one finishes.

use super::count;

/// Why what becomes plaintext is not prepared, and what to do about it.
pub const PREPARE_TO_PLAINTEXT: (&str, &str) = (
    "what becomes plaintext is not prepared: a journal is to hold no plaintext",
    "leave out --prepare: stop every server of the deployment, then run it again",
);

/// Why a store is not prepared that is not in drives, and what to do about it.
pub const PREPARE_DRIVES: (&str, &str) = (
    "only MinIO's drives are prepared and finished: other stores are written to while a server runs",
    "leave out --prepare or --finish",
);

/// Why an archive is not prepared, and what to do about it.
pub const PREPARE_ARCHIVE: (&str, &str) = (
    "an archive is only read: what is prepared of it could not be finished",
    "unpack it (tar -xf FILE, unzip FILE) and give the folders that were in it",
);

/// Why nothing can be prepared without a key, and what to do about it.
pub const PREPARE_NEEDS_KEY: (&str, &str) = (
    "without a key nothing would tell later who has written what is prepared",
    "give the key to seal under, in MINIO_KMS_SECRET_KEY_FILE or with --keys and --key",
);

/// How to write what was prepared.
pub fn to_finish(command: Option<&str>, run: &str) -> String {
    match command {
        Some(command) => format!(
            "nothing is changed yet. To write it, stop every server of the deployment, then: {command} (before the \
             stop, with --after-pid PID, it waits for the server's end)"
        ),
        None => format!(
            "nothing is changed yet. To write it, stop every server of the deployment, then type the same with \
             --finish {run} in place of --prepare"
        ),
    }
}

/// How much was prepared, before anything is written.
pub fn to_be_written(prepared: u64, run: &str) -> String {
    format!("the run {run} has prepared {}", count(prepared, "object"))
}

/// How much of it was not, or is not as it was then.
pub fn done_anew(objects: u64) -> String {
    format!(
        "changed since, or not prepared at all: {}, which {} read and sealed now",
        count(objects, "object"),
        if objects == 1 { "is" } else { "are" },
    )
}

/// That nothing is written to drives any more.
pub const SERVER_MAY_START: &str =
    "every object is written: a server may be started. What follows reads them again for the proof";

/// Why the run that is to be finished is not, and what to do about it.
pub fn not_prepared(run: &str) -> (String, &'static str) {
    (
        format!("the run \"{run}\" has prepared nothing"),
        "give the run of a command with --prepare, as iamseal runs names it",
    )
}

/// Why the run that is to be finished is not, and what to do about it.
pub fn prepared_otherwise(run: &str, how: &str) -> (String, String) {
    (
        format!("the run \"{run}\" has prepared something else than this command asks for"),
        format!("give the same options as for --prepare, which were: {how}"),
    )
}

/// Why a run is not taken back that has only prepared.
pub fn only_prepared(run: &str, finished_by: &[String]) -> (String, String) {
    let cure = match finished_by {
        [] => "there is nothing to take back".to_owned(),
        runs => format!("give the run that has written it: {}", runs.join(", ")),
    };
    (
        format!("the run \"{run}\" has only prepared, and changed nothing"),
        cure,
    )
}

/// That nothing is done before the end of a process.
pub fn waiting_for(pid: u32) -> String {
    format!("waiting for the end of the process {pid}: stop the server")
}

/// Why it is not waited for a process, and what to do about it.
pub fn no_process(pid: u32) -> (String, &'static str) {
    (
        format!("there is no process {pid} to wait for"),
        "give the server's, as pgrep minio prints it; if it has ended already, leave out --after-pid, and the drives are \
         watched for 35 s",
    )
}
