//! Lines of environment files.

/// The name and the value of `[export ]NAME=VALUE` as MinIO reads it: whatever white space follows `export`, none
/// included, and around the value is left out, and all else before the `=` is the name. The value is as it is quoted. None
/// of another line. Seen with RELEASE.2025-10-15.
#[must_use]
pub fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    Some((name.trim_start(), value.trim()))
}

/// Whether the name of an assignment is that of a server's variable but for what stands around it or for the case of its
/// letters, so that the server takes nothing from the line, and says nothing.
#[must_use]
pub fn is_amiss(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let capitals = name.to_ascii_uppercase();
    let is_of_server = ["MINIO_", "RUSTFS_"]
        .iter()
        .any(|begin| capitals.contains(begin));
    is_of_server && !name.bytes().all(is_plain)
}

/// The variables that hold a secret, or the half of one.
const SECRET: [&str; 12] = [
    "MINIO_KMS_SECRET_KEY",
    "MINIO_KMS_MASTER_KEY",
    "MINIO_SSE_MASTER_KEY",
    "MINIO_ROOT_USER",
    "MINIO_ROOT_PASSWORD",
    "MINIO_ACCESS_KEY",
    "MINIO_SECRET_KEY",
    "RUSTFS_ACCESS_KEY",
    "RUSTFS_SECRET_KEY",
    "RUSTFS_IAM_MASTER_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
];

/// Whether a text sets one of a server's variables, however a file of some kind writes that: a shell's
/// `export`, `set` of others, a unit's `Environment=`, a line of YAML, quotes around it. What then looks like the name of
/// a key or a user holds a variable's name, or half of a password.
#[must_use]
pub fn is_assignment(text: &str) -> bool {
    let is_of_variable =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let words = text.split_inclusive(|character: char| {
        !character.is_ascii() || !is_of_variable(character as u8)
    });
    let mut at = 0;
    for word in words {
        let rest = text.get(at..).unwrap_or_default();
        at += word.len();
        let name = rest
            .bytes()
            .take_while(|byte| is_of_variable(*byte))
            .count();
        let (name, after) = rest.split_at(name);
        let after = after.trim_start_matches([' ', '\t', '"', '\'']);
        let is_of_server = name.starts_with("MINIO_") || name.starts_with("RUSTFS_");
        if after.starts_with('=') && is_of_server
            || after.starts_with(':') && SECRET.contains(&name)
        {
            return true;
        }
        // What follows the first colon is a secret, which may hold anything.
        if word.ends_with(':') {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_told_however_they_are_written() {
        for text in [
            "MINIO_KMS_SECRET_KEY=k:x",
            "export MINIO_KMS_SECRET_KEY=k:x",
            "set MINIO_KMS_SECRET_KEY=k:x",
            "Environment=MINIO_ROOT_PASSWORD=x:y",
            "Environment=\"MINIO_ROOT_PASSWORD=x:y\"",
            "- MINIO_ROOT_PASSWORD=x:y",
            "MINIO_ROOT_PASSWORD: x:y",
            "\"MINIO_ROOT_PASSWORD\": \"x:y\"",
            "RUSTFS_IAM_MASTER_KEY = x:y",
        ] {
            assert!(is_assignment(text), "{text}");
        }
        for text in [
            "k:x",
            "MINIO_KEY:x",
            "root:MINIO_ROOT_USER=x",
            ":x",
            "MINIO_ADMIN:pass=word",
            "",
        ] {
            assert!(!is_assignment(text), "{text}");
        }
    }

    #[test]
    fn a_line_is_read_as_minio_reads_it() {
        for line in [
            "export\tA=b",
            "export \t  A= b ",
            "\texport A=b",
            "A=b",
            " A= b",
            "exportA=b",
        ] {
            assert_eq!(assignment(line), Some(("A", "b")), "{line:?}");
        }
        assert_eq!(assignment("export=b"), Some(("", "b")));
        assert_eq!(assignment("A=b=c"), Some(("A", "b=c")));
        assert_eq!(assignment("A =b"), Some(("A ", "b")));
        assert_eq!(assignment("set A=b"), Some(("set A", "b")));
        assert_eq!(assignment("export A"), None);
    }

    #[test]
    fn a_name_that_no_server_knows_is_amiss() {
        for name in [
            "MINIO_ROOT_USER ",
            "set MINIO_ROOT_USER",
            "declare -x MINIO_ROOT_USER",
            "MINIO_KMS_SECRET_KEY: my-key:AAAA",
            "minio_root_user",
            "\"RUSTFS_ACCESS_KEY\"",
        ] {
            assert!(is_amiss(name), "{name}");
        }
        for name in ["MINIO_ROOT_USER", "MINIO_X1", "PATH ", "a.b", ""] {
            assert!(!is_amiss(name), "{name}");
        }
    }
}
