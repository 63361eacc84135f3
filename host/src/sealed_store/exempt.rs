//! The files that MinIO reads without its IAM encryption. The plugin refuses to seal them, and
//! without a key of another kind cannot tell whether what stands in them is right.

use object_store::path::Path;

/// MinIO encrypts it as an S3 object, not as configuration.
const TIERS: &str = "config/tier-config.bin";
/// MinIO never encrypts what stands here, and does not decrypt it.
const SITES: &str = "config/site-replication/";

/// Whether the object at `location` is none to seal. The plugin's own list is the same; were it longer,
/// the plugin would refuse to seal what is missing here.
pub(super) fn is_exempt(location: &Path) -> bool {
    let path = location.as_ref();
    path == TIERS || path.starts_with(SITES)
}
