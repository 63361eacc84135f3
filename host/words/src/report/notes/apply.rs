//! What is said where runs on copies of drives are done to the drives of a host.

/// What has to be known before.
pub const NO_SERVER_UNTIL_ALL: &str = "\
start no server of the deployment, on no host, before this is done for all of its drives: until then they do not agree";

/// What to do where a drive or a copy is not what it should be.
pub const COPY_AGAIN: &str = "\
with every server stopped, copy the drives of all hosts anew, and run it on these; what other hosts have got stays";

/// What to do where drives have no copies among those that were given.
pub const GIVE_COPIES: &str = "\
give the copies of these drives with --from, as they are after the run; each is found by its format.json";

/// What to do where other drives were given.
pub const GIVE_OWN_DRIVES: &str = "\
give with --to the drives of this host whose copies the run wrote, as /mnt/disk{1...4}, and no others";

/// That somebody else wrote to a drive.
pub fn drive_changed(drive: &str) -> String {
    format!(
        "{drive} has neither what its copy had before the run nor what it has now, and is left as it is"
    )
}

/// That a copy was written by others than the runs.
pub fn copy_changed(copy: &str) -> String {
    format!("{copy} does not have what the run left there")
}

/// What to do then.
pub const GIVE_ALL_RUNS: &str = "\
give the copies as they were after the run, and all runs that wrote them";

/// That a run wrote an object to some drives only.
pub const COPIES_DIFFER: &str = "the run failed at it, so its copies may be of several versions";

/// Which drives are done, which are not, and which are on other hosts.
pub fn applied(done: &[String], not: &[String], elsewhere: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if !done.is_empty() {
        notes.push(format!("done: {}", done.join(", ")));
    }
    if !not.is_empty() {
        notes.push(format!("not done: {}: start no server", not.join(", ")));
    }
    match (elsewhere.is_empty(), not.is_empty()) {
        (false, _) => notes.push(format!(
            "not among these drives: {}: start no server before it is done for them too, on their hosts",
            elsewhere.join(", ")
        )),
        (true, true) => notes.push("all drives of the run are done: servers may be started".into()),
        (true, false) => {}
    }
    notes
}
