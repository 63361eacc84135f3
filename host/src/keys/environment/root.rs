//! The root credential, present and old.

use std::path::Path;

use iamseal_words::keys::rustfs::{
    ACCESS_KEY, MASTER_KEY, OLD_MASTER_KEYS, OfRustfs, SECRET_KEY, of_rustfs,
};
use zeroize::Zeroizing;

use super::super::RootCredential;
use super::super::error::{KeysError, Place};
use super::super::keyring::StaticKeyring;
use super::super::root_credential::RootCredentialError;
use super::Environment;

/// Half a credential: a variable, and the variables that name files with it, the one that counts
/// most first.
struct Half {
    variable: &'static str,
    files: &'static [&'static str],
}

/// The names of a credential from 2021-01 on, and the ones before. The first that is set at all
/// counts; each is set in both halves or not at all.
const PRESENT: [[Half; 2]; 2] = [
    [
        Half {
            variable: "MINIO_ROOT_USER",
            // MinIO takes these files, whatever their name says, for the root user's.
            files: &["MINIO_ROOT_USER_FILE", "MINIO_ACCESS_KEY_FILE"],
        },
        Half {
            variable: "MINIO_ROOT_PASSWORD",
            files: &["MINIO_ROOT_PASSWORD_FILE", "MINIO_SECRET_KEY_FILE"],
        },
    ],
    [
        Half {
            variable: "MINIO_ACCESS_KEY",
            files: &[],
        },
        Half {
            variable: "MINIO_SECRET_KEY",
            files: &[],
        },
    ],
];

/// The credential before the present one, as MinIO took it for its rotation until 2021-04.
const OLD: [[Half; 2]; 2] = [
    [
        Half {
            variable: "MINIO_ROOT_USER_OLD",
            files: &[],
        },
        Half {
            variable: "MINIO_ROOT_PASSWORD_OLD",
            files: &[],
        },
    ],
    [
        Half {
            variable: "MINIO_ACCESS_KEY_OLD",
            files: &[],
        },
        Half {
            variable: "MINIO_SECRET_KEY_OLD",
            files: &[],
        },
    ],
];

/// What MinIO's container image names as files of halves: nobody chose these names.
const OF_IMAGE: [&str; 2] = ["access_key", "secret_key"];

/// RustFS' root credential.
const RUSTFS: [[Half; 2]; 1] = [[
    Half {
        variable: ACCESS_KEY,
        files: &[],
    },
    Half {
        variable: SECRET_KEY,
        files: &[],
    },
]];

/// Adds the present root credential, then the old one, then RustFS' passphrases. MinIO's own `minioadmin` is not among
/// them: MinIO never encrypted anything with it.
pub(super) fn lend(
    environment: &Environment,
    mut keyring: StaticKeyring,
) -> Result<StaticKeyring, KeysError> {
    if let Some((credential, user, password)) = first(environment, &PRESENT)? {
        credential.check_minio().map_err(|cause| {
            let place = match cause {
                RootCredentialError::PasswordTooShort { .. } => password,
                _ => user,
            };
            KeysError::RootCredential { place, cause }
        })?;
        keyring = keyring.root_credential(credential);
    }
    if let Some((credential, _, _)) = first(environment, &OLD)? {
        keyring = keyring.root_credential(credential);
    }
    for credential in rustfs(environment)?.read {
        keyring = keyring.root_credential(credential);
    }
    Ok(keyring)
}

/// Whether the present one is there.
pub(super) fn is_present(environment: &Environment) -> Result<bool, KeysError> {
    Ok(first(environment, &PRESENT)?.is_some())
}

/// The credentials of the RustFS that the environment describes.
pub(super) fn rustfs(environment: &Environment) -> Result<OfRustfs, KeysError> {
    let [master_key, old_keys] = [MASTER_KEY, OLD_MASTER_KEYS].map(|name| environment.get(name));
    let root = first(environment, &RUSTFS)?.map(|(credential, ..)| credential);
    let (master_key, old_keys) = (master_key?, old_keys?);
    let [master_key, old_keys] =
        [&master_key, &old_keys].map(|key| key.as_ref().map(|key| key.as_str()));
    Ok(of_rustfs(master_key, old_keys, root))
}

/// The first credential that is set, and where its halves stand.
fn first(
    environment: &Environment,
    names: &[[Half; 2]],
) -> Result<Option<(RootCredential, Place, Place)>, KeysError> {
    for [user, password] in names {
        match (half(environment, user)?, half(environment, password)?) {
            (None, None) => {}
            (Some((user, place)), Some((password, its_place))) => {
                let credential = RootCredential {
                    user: user.as_str().into(),
                    password,
                };
                return Ok(Some((credential, place, its_place)));
            }
            (Some((_, set)), None) => {
                let missing = password.variable;
                return Err(KeysError::HalfRootCredential { set, missing });
            }
            (None, Some((_, set))) => {
                let missing = user.variable;
                return Err(KeysError::HalfRootCredential { set, missing });
            }
        }
    }
    Ok(None)
}

/// Half a credential, from the first place that has it. As with MinIO a file counts more than a
/// variable, is looked for among the container's secrets first, and need not be there.
fn half(
    environment: &Environment,
    half: &Half,
) -> Result<Option<(Zeroizing<String>, Place)>, KeysError> {
    for variable in half.files {
        let Some(path) = environment.get(variable)? else {
            continue;
        };
        let path = Path::new(path.as_str());
        let found = environment.first_of([environment.secrets.join(path), path.into()])?;
        if found.is_none() && !OF_IMAGE.iter().any(|name| path == Path::new(name)) {
            environment.absent.borrow_mut().insert(variable);
        }
        if let Some((path, text)) = found
            && !text.trim().is_empty()
        {
            let text = Zeroizing::new(text.trim().to_owned());
            environment.saw_value(variable, &text);
            return Ok(Some((text, Place::File(path))));
        }
    }
    let place = Place::Variable(half.variable);
    Ok(environment.get(half.variable)?.map(|text| (text, place)))
}

#[cfg(test)]
mod tests {
    use super::super::super::error::KeysError;
    use super::super::testing::Setting;
    use crate::keys::Keyring as _;

    fn lent(setting: &Setting) -> Vec<String> {
        let keyring = setting.keyring().unwrap();
        keyring
            .root_credentials()
            .iter()
            .map(|credential| format!("{}:{}", credential.user, *credential.password))
            .collect()
    }

    const ROOT: [(&str, &str); 2] = [
        ("MINIO_ROOT_USER", "root"),
        ("MINIO_ROOT_PASSWORD", "root-password"),
    ];
    const ACCESS: [(&str, &str); 2] = [
        ("MINIO_ACCESS_KEY", "access"),
        ("MINIO_SECRET_KEY", "secret-key"),
    ];

    #[test]
    fn the_new_names_count_more_than_the_old() {
        assert_eq!(lent(&Setting::new(&ACCESS)), ["access:secret-key"]);
        assert_eq!(
            lent(&Setting::new(&ACCESS).with(&ROOT)),
            ["root:root-password"]
        );
        let spaced = Setting::new(&[
            ("MINIO_ROOT_USER", " root\n"),
            ("MINIO_ROOT_PASSWORD", "root:password "),
        ]);
        assert_eq!(lent(&spaced), ["root:root:password"]);
    }

    #[test]
    fn half_a_credential_is_an_error() {
        for (set, missing) in [
            ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
            ("MINIO_ROOT_PASSWORD", "MINIO_ROOT_USER"),
            ("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
            ("MINIO_ROOT_PASSWORD_OLD", "MINIO_ROOT_USER_OLD"),
            ("MINIO_ACCESS_KEY_OLD", "MINIO_SECRET_KEY_OLD"),
        ] {
            let error = Setting::new(&[(set, "something"), (missing, "")]).error();
            assert_eq!(
                error.to_string(),
                format!("{set} is set, but {missing} is not")
            );
            assert_eq!(error.cure(), format!("set {missing} too, or unset {set}"));
        }
    }

    #[test]
    fn half_a_credential_may_stand_in_a_file() {
        let error = Setting::new(&[("MINIO_ROOT_PASSWORD_FILE", "secret_key")])
            .with_file("MINIO_ROOT_USER_FILE", "root")
            .error();
        let says = "MINIO_ROOT_USER_FILE holds one half of the root credential, but MINIO_ROOT_PASSWORD is not set";
        assert!(error.to_string().contains(says), "{error}");
        let cure = "write the other half into the file that MINIO_ROOT_PASSWORD_FILE names";
        assert!(error.cure().ends_with(cure), "{}", error.cure());
    }

    #[test]
    fn a_present_credential_obeys_minios_lengths_and_an_old_one_need_not() {
        let error = Setting::new(&ROOT)
            .with(&[("MINIO_ROOT_PASSWORD", "short")])
            .error();
        assert_eq!(
            error.to_string(),
            "MINIO_ROOT_PASSWORD: the password has 5 bytes; at least 8 are needed"
        );
        let error = Setting::new(&ROOT)
            .with(&[("MINIO_ROOT_USER", "ab")])
            .error();
        assert_eq!(
            error.to_string(),
            "MINIO_ROOT_USER: the user name has 2 bytes; at least 3 are needed"
        );
        let old = [("MINIO_ACCESS_KEY_OLD", "a"), ("MINIO_SECRET_KEY_OLD", "b")];
        assert_eq!(
            lent(&Setting::new(&old).with(&ROOT)),
            ["root:root-password", "a:b"]
        );
    }

    #[test]
    fn the_new_old_names_count_more_than_the_old_old_ones() {
        let setting = Setting::new(&[
            ("MINIO_ACCESS_KEY_OLD", "a"),
            ("MINIO_SECRET_KEY_OLD", "b"),
            ("MINIO_ROOT_USER_OLD", "c"),
            ("MINIO_ROOT_PASSWORD_OLD", "d"),
        ]);
        assert_eq!(lent(&setting), ["c:d"]);
    }

    #[test]
    fn files_count_more_than_variables_and_the_new_names_of_files_most() {
        let setting = Setting::new(&ROOT)
            .with_file("MINIO_ACCESS_KEY_FILE", "from-access-file\n")
            .with_file("MINIO_SECRET_KEY_FILE", " from-secret-file ");
        assert_eq!(lent(&setting), ["from-access-file:from-secret-file"]);
        let setting = setting.with_file("MINIO_ROOT_USER_FILE", "from-user-file");
        assert_eq!(lent(&setting), ["from-user-file:from-secret-file"]);
    }

    #[test]
    fn rustfs_has_passphrases_of_its_own() {
        let setting = Setting::new(&ROOT).with(&[
            ("RUSTFS_IAM_MASTER_KEY", " correct horse "),
            ("RUSTFS_IAM_MASTER_KEY_OLD_KEYS", "old one,, older "),
            ("RUSTFS_ACCESS_KEY", "admin"),
            ("RUSTFS_SECRET_KEY", "secret"),
        ]);
        let expected = [
            "root:root-password",
            ":correct horse",
            ":old one",
            ":older",
            ":secret",
            "admin:secret",
        ];
        assert_eq!(lent(&setting), expected);
        let half = Setting::new(&[("RUSTFS_SECRET_KEY", "secret")]);
        assert!(matches!(half.error(), KeysError::HalfRootCredential { .. }));
    }

    #[test]
    fn a_file_is_looked_for_among_the_secrets_and_need_not_be_there() {
        let setting = Setting::new(&ROOT).with(&[("MINIO_ROOT_USER_FILE", "user")]);
        assert_eq!(lent(&setting), ["root:root-password"]);
        let setting = setting.with_secret("user", "secret-user");
        assert_eq!(lent(&setting), ["secret-user:root-password"]);
    }
}
