//! Patterns of names, as shells have them.

/// A pattern: `*` stands for any text, `?` for one character.
#[derive(Clone)]
pub struct Pattern(Vec<char>);

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self(text.chars().collect())
    }
}

impl Pattern {
    /// Whether a name is one of these. It takes as many steps as both are long, multiplied, at the most.
    pub fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut of) = (0, 0);
        // Where the last star stands, and how much of the name it took.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(of) {
                Some('*') => {
                    star = Some((of, at));
                    of += 1;
                }
                Some(wanted) if *wanted == '?' || name.get(at) == Some(wanted) => {
                    at += 1;
                    of += 1;
                }
                _ => match star {
                    None => return false,
                    Some((place, took)) => {
                        star = Some((place, took + 1));
                        at = took + 1;
                        of = place + 1;
                    }
                },
            }
        }
        self.0.iter().skip(of).all(|left| *left == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_in_a_shell() {
        for (pattern, fits, fits_not) in [
            ("alice", &["alice"][..], &["alic", "alice2", ""][..]),
            ("*", &["", "a", "dev/carol"], &[]),
            ("a*e", &["ae", "alice", "aee"], &["a", "alic", "xae"]),
            ("?lic?", &["alice", "\u{eb}lic\u{eb}"], &["lice", "aalice"]),
            ("*a*b*", &["ab", "xaxbx", "aab"], &["ba", "a"]),
            ("", &[""], &["a"]),
        ] {
            let pattern = Pattern::from(pattern);
            assert!(fits.iter().all(|name| pattern.fits(name)));
            assert!(!fits_not.iter().any(|name| pattern.fits(name)));
        }
    }

    #[test]
    fn a_bad_pattern_takes_no_time() {
        let pattern = Pattern::from(&*"*a".repeat(50));
        assert!(!pattern.fits(&"a".repeat(5000).replace("aaaaa", "aaaab")));
    }
}
