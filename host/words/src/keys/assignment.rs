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

#[cfg(test)]
mod tests {
    use super::*;

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
