//! Reading what objects hold, with the types that a server wants each field to have: of another type, the
//! server loads nothing at all. Fields that it does not know are skipped. The case of the
//! letters in a field's name does not count.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use iamseal_data_key::json::{JsonError, Reader};

use super::{NAMES, or_null};

type Result<T> = core::result::Result<T, JsonError>;

/// A user, service account or temporary credential. It borrows what it can, so that few copies of the
/// secret are made.
#[derive(Default)]
pub(crate) struct Identity<'a> {
    pub access_key: Cow<'a, [u8]>,
    pub secret_key: Cow<'a, [u8]>,
    pub session_token: Cow<'a, [u8]>,
}

impl<'a> Identity<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut identity = Self::default();
        if reader.null()? {
            return Ok(identity);
        }
        reader.members(|reader, name| match &*name.to_ascii_lowercase() {
            b"version" => or_null(reader, Reader::integer).map(drop),
            b"credentials" => or_null(reader, |reader| identity.credentials(reader)),
            b"updatedat" => time(reader),
            _ => reader.skip(),
        })?;
        Ok(identity)
    }

    fn credentials(&mut self, reader: &mut Reader<'a>) -> Result<()> {
        reader.members(|reader, name| {
            let text = match &*name.to_ascii_lowercase() {
                b"accesskey" => &mut self.access_key,
                b"secretkey" => &mut self.secret_key,
                b"sessiontoken" => &mut self.session_token,
                b"status" | b"parentuser" | b"name" | b"description" => {
                    return reader.string_or_null().map(drop);
                }
                b"expiration" => return time(reader),
                b"groups" => return or_null(reader, |reader| reader.items(text_of_any)),
                _ => return reader.skip(),
            };
            *text = reader.string_or_null()?;
            Ok(())
        })
    }
}

fn text_of_any(reader: &mut Reader<'_>) -> Result<()> {
    reader.string_or_null().map(drop)
}

/// A time as RFC 3339 writes it.
fn time(reader: &mut Reader<'_>) -> Result<()> {
    or_null(reader, |reader| match is_time(&reader.string_or_null()?) {
        true => Ok(()),
        false => Err(reader.error("no time as RFC 3339 writes it, ending")),
    })
}

fn is_time(text: &[u8]) -> bool {
    let like = |pattern: &[u8], text: &[u8]| {
        pattern.len() == text.len()
            && pattern.iter().zip(text).all(|(wanted, byte)| match wanted {
                b'0' => byte.is_ascii_digit(),
                wanted => wanted == byte,
            })
    };
    let Some((until_seconds, rest)) = text.split_at_checked(19) else {
        return false;
    };
    let fraction = match rest.split_first() {
        Some((b'.', rest)) => rest.iter().take_while(|byte| byte.is_ascii_digit()).count() + 1,
        _ => 0,
    };
    let zone = rest.get(fraction..).unwrap_or_default();
    fraction != 1
        && like(b"0000-00-00T00:00:00", until_seconds)
        && (zone == b"Z" || like(b"+00:00", zone) || like(b"-00:00", zone))
}

/// An object of which only the version is looked at.
pub(super) fn version(reader: &mut Reader<'_>) -> Result<()> {
    or_null(reader, |reader| {
        reader.members(|reader, name| match &*name.to_ascii_lowercase() {
            b"version" => or_null(reader, Reader::integer).map(drop),
            _ => reader.skip(),
        })
    })
}

/// A group's members.
pub(super) fn group(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>> {
    let mut members = Vec::new();
    or_null(reader, |reader| {
        reader.members(|reader, name| match &*name.to_ascii_lowercase() {
            b"version" => or_null(reader, Reader::integer).map(drop),
            b"status" => reader.string_or_null().map(drop),
            b"updatedat" => time(reader),
            b"members" => or_null(reader, |reader| {
                reader.items(|reader| {
                    let member = reader.string_or_null()?;
                    // One more tells that there are more.
                    if members.len() <= NAMES {
                        members.push(member.into_owned());
                    }
                    Ok(())
                })
            }),
            _ => reader.skip(),
        })
    })?;
    Ok(members)
}

/// The policies of a mapping, separated by commas.
pub(super) fn mapping(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let mut policies = Vec::new();
    or_null(reader, |reader| {
        reader.members(|reader, name| match &*name.to_ascii_lowercase() {
            b"version" => or_null(reader, Reader::integer).map(drop),
            b"policy" => {
                policies = reader.string_or_null()?.into_owned();
                Ok(())
            }
            b"updatedat" => time(reader),
            _ => reader.skip(),
        })
    })?;
    Ok(policies)
}

/// A policy: with a version and times around it, or, as older servers wrote it, alone. Says whether it has
/// a statement.
pub(super) fn policy(reader: &mut Reader<'_>) -> Result<bool> {
    let mut has_statements = false;
    or_null(reader, |reader| {
        reader.members(|reader, name| match &*name.to_ascii_lowercase() {
            b"policy" => or_null(reader, |reader| {
                reader.members(|reader, name| statement(reader, name, &mut has_statements))
            }),
            b"createdate" | b"updatedate" => time(reader),
            // A number around a policy, a text in one.
            b"version" if reader.next_byte() != Some(b'"') => {
                or_null(reader, Reader::integer).map(drop)
            }
            _ => statement(reader, name, &mut has_statements),
        })
    })?;
    Ok(has_statements)
}

fn statement(reader: &mut Reader<'_>, name: &[u8], has_any: &mut bool) -> Result<()> {
    match &*name.to_ascii_lowercase() {
        b"version" | b"id" => reader.string_or_null().map(drop),
        b"statement" => or_null(reader, |reader| {
            reader.items(|reader| {
                *has_any = true;
                reader.members(|reader, name| match &*name.to_ascii_lowercase() {
                    b"effect" | b"sid" => reader.string_or_null().map(drop),
                    _ => reader.skip(),
                })
            })
        }),
        _ => reader.skip(),
    }
}

/// The server's configuration.
#[derive(Default)]
pub(super) struct Config {
    /// Whether it names an etcd.
    pub names_etcd: bool,
}

impl Config {
    /// `{subsystem: {target: [{"key": …, "value": …}]}}`.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut config = Self::default();
        or_null(reader, |reader| {
            reader.members(|reader, subsystem| {
                let is_etcd = subsystem == b"etcd";
                // Servers before 2019-10 wrote other fields, which later ones bring to this shape.
                if reader.next_byte() != Some(b'{') {
                    return reader.skip();
                }
                reader.members(|reader, _target| {
                    if reader.next_byte() != Some(b'[') {
                        return reader.skip();
                    }
                    reader.items(|reader| {
                        if reader.next_byte() != Some(b'{') {
                            return reader.skip();
                        }
                        let (mut is_endpoints, mut has_value) = (false, false);
                        reader.members(|reader, name| match &*name.to_ascii_lowercase() {
                            b"key" if reader.next_byte() == Some(b'"') => {
                                is_endpoints = *reader.string_or_null()? == *b"endpoints";
                                Ok(())
                            }
                            b"value" if reader.next_byte() == Some(b'"') => {
                                has_value = !reader.string_or_null()?.is_empty();
                                Ok(())
                            }
                            _ => reader.skip(),
                        })?;
                        config.names_etcd |= is_etcd && is_endpoints && has_value;
                        Ok(())
                    })
                })
            })
        })?;
        Ok(config)
    }
}
