//! What RustFS opens its objects with and writes them under (docs/formats/minio.md section 12).

use zeroize::Zeroizing;

use super::RootCredential;

/// The passphrase of RustFS' objects.
pub const MASTER_KEY: &str = "RUSTFS_IAM_MASTER_KEY";
/// Those before it, between commas.
pub const OLD_MASTER_KEYS: &str = "RUSTFS_IAM_MASTER_KEY_OLD_KEYS";
/// The halves of its root credential.
pub const ACCESS_KEY: &str = "RUSTFS_ACCESS_KEY";
#[allow(missing_docs)]
pub const SECRET_KEY: &str = "RUSTFS_SECRET_KEY";

/// The credentials of a RustFS.
pub struct OfRustfs {
    /// What is to be written for it is under this: its master key or, if it has none, its root credential.
    pub written: Option<RootCredential>,
    /// What it reads with, in its order: its master key, those before it, its root secret alone and its root
    /// credential.
    pub read: Vec<RootCredential>,
}

/// The credentials of a RustFS that has these.
pub fn of_rustfs(
    master_key: Option<&str>,
    old_keys: Option<&str>,
    root: Option<RootCredential>,
) -> OfRustfs {
    let without_user = |password: &str| RootCredential {
        user: String::new(),
        password: Zeroizing::new(password.into()),
    };
    let master_key = master_key.map(without_user);
    let old_keys = old_keys.unwrap_or_default().split(',').map(str::trim);
    let mut read: Vec<_> = master_key.iter().cloned().collect();
    read.extend(old_keys.filter(|key| !key.is_empty()).map(without_user));
    if let Some(root) = &root {
        read.push(without_user(&root.password));
        read.push(root.clone());
    }
    OfRustfs {
        written: master_key.or(root),
        read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(credential: &RootCredential) -> String {
        format!("{}:{}", credential.user, *credential.password)
    }

    #[test]
    fn a_master_key_is_written_under_before_the_root_credential() {
        let root = || RootCredential {
            user: "admin".into(),
            password: Zeroizing::new("secret".into()),
        };
        for (master_key, root, written) in [
            (Some("master"), Some(root()), Some(":master")),
            (Some("master"), None, Some(":master")),
            (None, Some(root()), Some("admin:secret")),
            // What was a master key once is read with alone.
            (None, None, None),
        ] {
            let credentials = of_rustfs(master_key, Some("older, oldest,,"), root);
            let shown = credentials.written.as_ref().map(shown);
            assert_eq!(shown.as_deref(), written);
        }
    }

    #[test]
    fn it_reads_in_its_own_order() {
        let root = RootCredential {
            user: "admin".into(),
            password: Zeroizing::new("secret".into()),
        };
        let read = of_rustfs(Some("master"), Some("older, oldest,,"), Some(root)).read;
        let expected = [":master", ":older", ":oldest", ":secret", "admin:secret"];
        assert_eq!(read.iter().map(shown).collect::<Vec<_>>(), expected);
    }
}
