//! Credentials that can stand in a request, wherever they come from, since `object_store` takes that for granted;
//! and that do not come from another machine in the open.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::Error;
use object_store::aws::{AwsCredential, AwsCredentialProvider};
use object_store::client::CredentialProvider;
use url::Url;

use super::connect::is_open;

/// Where credentials are asked for.
const ASKED: [&str; 3] = [
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    // Of an instance, and of whoever has a token of another service.
    "AWS_METADATA_ENDPOINT",
    "AWS_ENDPOINT_URL_STS",
];
/// Where they are asked for on the agent of a container: a path of that agent.
const ASKED_OF_AGENT: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
/// The file with the token that a container shows there.
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The variables that name files with secrets.
pub const SECRET_FILES: [&str; 2] = [TOKEN, "AWS_WEB_IDENTITY_TOKEN_FILE"];

/// Where AWS' own agents answer on the machine itself, without TLS: ECS', EKS' by either protocol, and the
/// instance's own.
const AGENTS: [&str; 5] = [
    "169.254.170.2",
    "169.254.170.23",
    "[fd00:ec2::23]",
    "169.254.169.254",
    "[fd00:ec2::254]",
];

/// Credentials of a provider, if a request can carry them.
#[derive(Debug)]
pub struct Sendable(pub AwsCredentialProvider);

#[async_trait]
impl CredentialProvider for Sendable {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credential = self.0.get_credential().await?;
        let sent = [&credential.key_id].into_iter().chain(&credential.token);
        let is_sent = sent.flat_map(|text| text.bytes()).all(is_sendable);
        match is_sent {
            true => Ok(credential),
            false => Err(Error::Generic {
                store: "S3",
                source: "the credentials hold a character that no request can carry".into(),
            }),
        }
    }
}

/// Looks at a variable of this name, whichever it is.
///
/// # Errors
/// Why its value, which is not shown, cannot be used.
pub fn check(name: &str, value: &str) -> Result<(), &'static str> {
    if name.starts_with("AWS_") && !can_stand(name, value) {
        return Err("it holds a character that no request can carry");
    }
    match value {
        "" => Ok(()),
        url if ASKED.contains(&name) => check_url(url),
        // It is put behind the agent's address, and could go on with it: `@another`.
        path if name == ASKED_OF_AGENT && !path.starts_with('/') => {
            Err("no path: it has no / at its beginning")
        }
        file if name == TOKEN => check_token(file.as_ref()),
        _ => Ok(()),
    }
}

/// Whether a value can stand in a request; of paths of files, whether it has no control character.
fn can_stand(name: &str, value: &str) -> bool {
    match name.ends_with("_FILE") || name.ends_with("_CA_BUNDLE") {
        true => !value.chars().any(char::is_control),
        false => value.bytes().all(is_sendable),
    }
}

/// What a header of HTTP can hold (RFC 9110 section 5.5), without what is not ASCII.
fn is_sendable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// # Errors
/// Credentials would come from another machine in the open.
fn check_url(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "not a URL")?;
    let is_agent = url.host_str().is_some_and(|host| AGENTS.contains(&host));
    match is_open(&url) && !is_agent {
        true => Err("it is not encrypted (http://), and not on this machine"),
        false => Ok(()),
    }
}

/// # Errors
/// The token cannot be sent as it stands in its file.
fn check_token(path: &Path) -> Result<(), &'static str> {
    let token = fs::read(path).map_err(|_| "the file cannot be read")?;
    match token.iter().all(|byte| matches!(byte, b'!'..=b'~')) {
        true => Ok(()),
        false => Err("the file holds more than a token, such as a line end"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::from_environment;
    use super::*;

    fn opens(variable: &str, value: &str) -> bool {
        let opened = from_environment([(variable.into(), value.into())]);
        if let Err(error) = &opened {
            assert!(error.to_string().starts_with(variable), "{error}");
        }
        opened.is_ok()
    }

    #[test]
    fn credentials_do_not_come_in_the_open() {
        for variable in ASKED {
            for fine in [
                "https://example.org/c",
                "http://127.0.0.1/c",
                "http://169.254.170.2/c",
                "http://169.254.169.254",
                "http://[fd00:ec2::23]/c",
            ] {
                assert!(opens(variable, fine), "{fine}");
            }
            for unfit in ["http://192.0.2.2/c", "http://example.org", "c"] {
                assert!(!opens(variable, unfit), "{unfit}");
            }
        }
        assert!(opens(ASKED_OF_AGENT, "/v2/credentials"));
        for unfit in ["@192.0.2.2/c", ".example.org/c", "c"] {
            assert!(!opens(ASKED_OF_AGENT, unfit), "{unfit}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        for (token, is_fit) in [("token", true), ("token\n", false), ("to ken", false)] {
            fs::write(&file, token).unwrap();
            let path = file.path().to_str().unwrap();
            assert_eq!(opens(TOKEN, path), is_fit, "{token:?}");
        }
    }
}
