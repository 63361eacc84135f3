//! MinIO and its client.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::process::Running;
use crate::{port, program, succeed};

/// The root credential unless other variables say otherwise.
pub const ROOT: (&str, &str) = ("root-user", "root-password-1");

/// A MinIO server with one drive.
pub struct Minio {
    running: Option<Running>,
    port: u16,
    folder: TempDir,
    variables: Vec<(String, String)>,
    root: (String, String),
}

/// Temporary credentials.
pub struct Session {
    /// The access key.
    pub user: String,
    /// The secret key.
    pub password: String,
    /// The session token. [`Minio::mc`] takes it behind the password and a colon.
    pub token: String,
}

impl Minio {
    /// A server with these variables beside those of [`ROOT`].
    pub fn start(variables: &[(&str, String)]) -> Self {
        let mut minio = Self {
            running: None,
            port: port::free(),
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            root: (ROOT.0.to_owned(), ROOT.1.to_owned()),
        };
        minio.restart(variables);
        minio
    }

    /// Starts it again with other variables, on the same port and with the same drive.
    pub fn restart(&mut self, variables: &[(&str, String)]) {
        self.stop();
        let variables = variables.iter();
        self.variables = variables
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let mut command = program("minio");
        let quiet = [
            ("MINIO_ROOT_USER", &*self.root.0),
            ("MINIO_ROOT_PASSWORD", &*self.root.1),
            ("MINIO_BROWSER", "off"),
            ("MINIO_UPDATE", "off"),
            ("MINIO_CI_CD", "on"),
        ];
        command
            .envs(quiet)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .arg("server")
            .args(["--address", &self.address()])
            .arg("--certs-dir")
            .arg(self.folder.path().join("certificates"))
            .arg(self.drive());
        let log = self.folder.path().join("minio.log");
        let mut running = Running::begin(&mut command, &log);
        let address = self.address();
        running.wait_until(|| TcpStream::connect(&address).is_ok());
        let credential = self.root.clone();
        running.wait_until(|| {
            let ready = self.mc(&credential.0, &credential.1, &["admin", "info", "t"]);
            ready.status.success()
        });
        self.running = Some(running);
    }

    /// Sets the root credential that the next start has.
    pub fn set_root(&mut self, user: &str, password: &str) {
        self.root = (user.to_owned(), password.to_owned());
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }

    /// Its address, `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The folder of its drive.
    pub fn drive(&self) -> PathBuf {
        self.folder.path().join("drive")
    }

    /// What it has written so far.
    ///
    /// # Panics
    /// If it is not running.
    pub fn said(&self) -> String {
        self.running.as_ref().unwrap().said()
    }

    /// Runs MinIO's client as the root user, for whom the server is `t`.
    ///
    /// # Panics
    /// If it does not succeed.
    pub fn admin(&self, arguments: &[&str]) -> Output {
        succeed(&mut self.client(&self.root.0, &self.root.1, arguments))
    }

    /// Runs MinIO's client as this user, for whom the server is `t`.
    pub fn mc(&self, user: &str, password: &str, arguments: &[&str]) -> Output {
        let mut client = self.client(user, password, arguments);
        client.stdin(Stdio::null()).output().unwrap()
    }

    /// Temporary credentials of this user for an hour, as its security token service gives them.
    ///
    /// # Panics
    /// If it does not.
    pub fn assume_role(&self, user: &str, password: &str) -> Session {
        let output = succeed(
            Command::new("curl")
                .args(["--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:sts"])
                .args(["--user", &format!("{user}:{password}")])
                .args([
                    "--data",
                    "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600",
                ])
                .arg(format!("http://{}/", self.address())),
        );
        let answer = String::from_utf8(output.stdout).unwrap();
        let field = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        Session {
            user: field("AccessKeyId"),
            password: field("SecretAccessKey"),
            token: field("SessionToken"),
        }
    }

    fn client(&self, user: &str, password: &str, arguments: &[&str]) -> Command {
        let mut command = program("mc");
        let host = format!("http://{user}:{password}@{}", self.address());
        command
            .env("MC_HOST_t", host)
            .arg("--config-dir")
            .arg(self.folder.path().join("mc"))
            .args(["--quiet", "--no-color", "--json"])
            .args(arguments);
        command
    }
}
