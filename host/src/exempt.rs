//! The files that MinIO reads without its IAM encryption. The plugin refuses to seal them, and no
//! plugin is let near them: sealed or swapped they would stop the parts of the server that read them,
//! and what stands in them are credentials of other kinds.

/// MinIO encrypts it as an S3 object, not as configuration.
const TIERS: [&[u8]; 2] = [b"config", b"tier-config.bin"];
/// MinIO never encrypts what stands here, and does not decrypt it.
const SITES: [&[u8]; 2] = [b"config", b"site-replication"];

/// Whether the object at this path is none to seal, however the path is written: `config/tier-config.bin`, which MinIO
/// encrypts as an S3 object, and what is below `config/site-replication/`, which it never encrypts. The plugin's own list is
/// the same; were it longer, the plugin would refuse to seal what is missing here.
pub fn is_exempt(path: &[u8]) -> bool {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts == TIERS || (parts.starts_with(&SITES) && parts.len() > SITES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exempt_files_are_known_however_their_paths_are_written() {
        for path in [
            "config/tier-config.bin",
            "config//tier-config.bin",
            "/config/./tier-config.bin",
            "config/iam/../tier-config.bin",
            "config/site-replication/state.json",
            "config/site-replication//a/b",
        ] {
            assert!(is_exempt(path.as_bytes()), "{path}");
        }
        for path in [
            "config/tier-config.bin.json",
            "config/tier-config.bin/below",
            "config/iam/tier-config.bin",
            "tier-config.bin",
            "config/site-replication",
            "config/site-replication-2/a",
        ] {
            assert!(!is_exempt(path.as_bytes()), "{path}");
        }
    }
}
