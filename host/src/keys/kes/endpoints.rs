//! Where KES listens: lists of endpoints, with the ellipsis patterns of MinIO.

use url::Url;

use super::error::{EndpointError, KesError};

/// The most endpoints of a list. No KES has as many; a pattern of a few characters could ask for
/// billions.
pub const MAX_ENDPOINTS: usize = 1024;

/// The endpoints of one KES, at least one, in the order of the list.
#[derive(Clone)]
pub struct Endpoints(Vec<Url>);

impl Endpoints {
    /// Reads a list as MinIO reads `MINIO_KMS_KES_ENDPOINT`: items with commas between them, each an
    /// `https://` URL, or a pattern: `kes{1...3}` stands for `kes1`, `kes2` and `kes3`, `{01...10}` keeps
    /// the width, bounds that are no decimal numbers are hexadecimal, and of several patterns in an item
    /// the last one varies slowest.
    ///
    /// # Errors
    /// [`KesError::Endpoint`], [`KesError::TooManyEndpoints`], [`KesError::NoEndpoint`].
    pub fn parse(text: &str) -> Result<Self, KesError> {
        let items = text.split(',').map(str::trim);
        let mut all = Vec::new();
        for (number, item) in (1..).zip(items.filter(|item| !item.is_empty())) {
            let wrong = |cause| KesError::Endpoint { number, cause };
            for endpoint in expand(item).map_err(wrong)? {
                if all.len() == MAX_ENDPOINTS {
                    return Err(KesError::TooManyEndpoints);
                }
                all.push(url(&endpoint).map_err(wrong)?);
            }
        }
        match all.is_empty() {
            true => Err(KesError::NoEndpoint),
            false => Ok(Self(all)),
        }
    }

    pub(super) fn urls(&self) -> &[Url] {
        &self.0
    }
}

fn url(text: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::NotUrl)?;
    if url.scheme() != "https" {
        return Err(EndpointError::NotHttps);
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(EndpointError::TooMuch);
    }
    Ok(url)
}

/// What an item stands for: itself, or what its patterns expand to, one more than are allowed at most.
fn expand(item: &str) -> Result<impl Iterator<Item = String>, EndpointError> {
    let is_pattern = item.contains("...") || item.contains('{') && item.contains('}');
    let mut expanded = vec![String::new()];
    let mut rest = item;
    let mut is_expanded = false;
    while is_pattern && let Some((before, range, after)) = last_pattern(rest) {
        let after = literal(after)?;
        let range = Range::parse(range).ok_or(EndpointError::Pattern)?;
        let room = MAX_ENDPOINTS + 1;
        expanded = expanded
            .iter()
            .flat_map(|end| {
                range
                    .values()
                    .map(move |value| format!("{value}{after}{end}"))
            })
            .take(room)
            .collect();
        rest = before;
        is_expanded = true;
    }
    if is_pattern && !is_expanded {
        return Err(EndpointError::Pattern);
    }
    let begin = match is_pattern {
        true => literal(rest)?,
        false => rest,
    }
    .to_owned();
    Ok(expanded.into_iter().map(move |end| format!("{begin}{end}")))
}

/// A text between patterns, in which braces are left over from what was to be one.
fn literal(text: &str) -> Result<&str, EndpointError> {
    match text.contains(['{', '}']) {
        true => Err(EndpointError::Pattern),
        false => Ok(text),
    }
}

/// The last `{a...b}` of a text, without its braces, and what stands before and after it.
fn last_pattern(text: &str) -> Option<(&str, &str, &str)> {
    text.rmatch_indices('{').find_map(|(at, _)| {
        let (before, from) = text.split_at(at);
        let (range, after) = from.strip_prefix('{')?.split_once('}')?;
        let (first, last) = range.split_once("...")?;
        let is_bound = |text: &str| {
            let mut bytes = text.bytes();
            bytes.all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        };
        (is_bound(first) && is_bound(last)).then_some((before, range, after))
    })
}

struct Range {
    first: u64,
    last: u64,
    is_hex: bool,
    width: usize,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once("...")?;
        let pads = first.len() > 1 && first.starts_with('0') || last.starts_with('0');
        let width = if pads { last.len() } else { 0 };
        let (first, first_is_hex) = bound(first)?;
        let (last, last_is_hex) = bound(last)?;
        (first <= last).then_some(Self {
            first,
            last,
            is_hex: first_is_hex || last_is_hex,
            width,
        })
    }

    fn values(&self) -> impl Iterator<Item = String> {
        (self.first..=self.last).map(|value| match self.is_hex {
            true => format!("{value:0width$x}", width = self.width),
            false => format!("{value:0width$}", width = self.width),
        })
    }
}

fn bound(text: &str) -> Option<(u64, bool)> {
    match text.parse() {
        Ok(value) => Some((value, false)),
        Err(_) => Some((u64::from_str_radix(text, 16).ok()?, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: &str) -> Vec<String> {
        expand(item).ok().unwrap().collect()
    }

    fn error(text: &str) -> String {
        Endpoints::parse(text).err().unwrap().to_string()
    }

    #[test]
    fn patterns_expand_as_minios_do() {
        let last_varies_slowest = ["a1b1c", "a2b1c", "a1b2c", "a2b2c"];
        assert_eq!(expanded("a{1...2}b{1...2}c"), last_varies_slowest);
        assert_eq!(expanded("a"), ["a"]);
        assert_eq!(expanded("{9...11}"), ["9", "10", "11"]);
        assert_eq!(expanded("{09...11}"), ["09", "10", "11"]);
        assert_eq!(expanded("{8...011}"), ["008", "009", "010", "011"]);
        assert_eq!(expanded("{0...1}"), ["0", "1"]);
        assert_eq!(expanded("{9...b}"), ["9", "a", "b"]);
        assert_eq!(expanded("{0a...0b}x"), ["0ax", "0bx"]);
        assert_eq!(expanded("{a...c}"), ["a", "b", "c"]);
        assert_eq!(expanded("{3...3}"), ["3"]);
    }

    #[test]
    fn a_list_is_cut_at_its_commas() {
        let text = " https://kes{1...2}.example.net:7373 ,, https://[::1]:7373/kes/,";
        let all = Endpoints::parse(text).ok().unwrap();
        let all: Vec<_> = all.urls().iter().map(Url::as_str).collect();
        let expected = [
            "https://kes1.example.net:7373/",
            "https://kes2.example.net:7373/",
            "https://[::1]:7373/kes/",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_no_pattern_is_an_error() {
        for item in [
            "https://kes{0..3}",
            "https://kes{1...2",
            "https://kes...",
            "https://kes{...2}",
            "https://kes{1...}",
            "https://kes{2...1}",
            "https://kes{a...z}",
            "https://kes{A...B}",
            "https://kes{1...2}{}",
            "https://kes}{1...2}",
            "https://kes{{1...2}}",
            "https://kes{1...99999999999999999999}",
        ] {
            assert!(expand(item).is_err(), "{item}");
            assert!(error(item).starts_with("endpoint 1 has dots or braces"));
        }
    }

    #[test]
    fn an_endpoint_is_an_https_url_and_no_more() {
        for (text, says) in [
            ("kes:7373", "endpoint 1 does not begin with https://"),
            ("https://a,hunter2", "endpoint 2 is no URL"),
            ("http://kes:7373", "endpoint 1 does not begin with https://"),
            ("https://", "endpoint 1 is no URL"),
            ("https://u:hunter2@kes", "endpoint 1 has more in it"),
            ("https://kes?hunter2", "endpoint 1 has more in it"),
            (" , ", "there is no endpoint"),
        ] {
            assert!(error(text).starts_with(says), "{text}: {}", error(text));
            assert!(!error(text).contains("hunter2"));
        }
    }

    #[test]
    fn there_are_at_most_so_many() {
        let all = format!("https://kes{{1...{MAX_ENDPOINTS}}}");
        assert_eq!(
            Endpoints::parse(&all).ok().unwrap().urls().len(),
            MAX_ENDPOINTS
        );
        let too_many = "there are more than 1024 endpoints";
        assert_eq!(error(&format!("{all},https://kes")), too_many);
        for text in [
            "https://kes{0...18446744073709551615}",
            "https://kes{0...999999999}{0...999999999}{0...999999999}",
        ] {
            assert_eq!(error(text), too_many);
        }
    }
}
