//! The conditions of a request, from its headers (RFC 9110, section 13).

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use object_store::GetOptions;

use crate::answer::Failure;

/// What has to hold for a write to be made.
pub enum Condition {
    None,
    /// `If-None-Match: *`: nothing is there.
    Absent,
    /// `If-Match`: one of these entity tags is there, or with `*` anything.
    Matches(String),
}

impl Condition {
    /// Of a request that writes.
    ///
    /// # Errors
    /// 400 for what makes no sense of a write.
    pub fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        match (text(headers, &IF_MATCH)?, text(headers, &IF_NONE_MATCH)?) {
            (None, None) => Ok(Self::None),
            (None, Some(tags)) if tags == "*" => Ok(Self::Absent),
            (Some(tags), None) => Ok(Self::Matches(tags)),
            _ => Err(Failure::bad_request(
                "a write takes If-Match, or If-None-Match: *, not both",
            )),
        }
    }
}

/// Of a request that deletes: the entity tags of which one has to be there.
///
/// # Errors
/// 400 for what makes no sense of a deletion. That nothing is there does not: it would have nothing
/// to delete.
pub fn of_deleting(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    match Condition::of(headers)? {
        Condition::None => Ok(None),
        Condition::Matches(tags) => Ok(Some(tags)),
        Condition::Absent => Err(Failure::bad_request("a deletion takes If-Match alone")),
    }
}

/// Of a request that reads.
///
/// # Errors
/// 400 for a header that is not text.
pub fn of_reading(headers: &HeaderMap) -> Result<GetOptions, Failure> {
    Ok(GetOptions::new()
        .with_if_match(text(headers, &IF_MATCH)?)
        .with_if_none_match(text(headers, &IF_NONE_MATCH)?))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Failure> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    let value = value.map_err(|_| Failure::bad_request("a condition is not text"))?;
    Ok(value.map(str::to_owned))
}
