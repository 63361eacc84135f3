//! Lines of environment files.

/// The name and the value of `[export ]NAME=VALUE`, without the space around them, the value as it is quoted. Any
/// white space may follow `export`, as MinIO has it. None of another line.
#[must_use]
pub fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let exported = line.strip_prefix("export");
    let exported = exported.filter(|rest| rest.starts_with(char::is_whitespace));
    let (name, value) = exported.unwrap_or(line).split_once('=')?;
    Some((name.trim(), value.trim()))
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
    fn any_white_space_may_follow_export() {
        for line in [
            "export\tA=b",
            "export \t  A = b ",
            "\texport A=b",
            "A=b",
            " A =b",
        ] {
            assert_eq!(assignment(line), Some(("A", "b")), "{line:?}");
        }
        assert_eq!(assignment("exportA=b"), Some(("exportA", "b")));
        assert_eq!(assignment("export=b"), Some(("export", "b")));
        assert_eq!(assignment("A=b=c"), Some(("A", "b=c")));
        assert_eq!(assignment("export A"), None);
    }
}
