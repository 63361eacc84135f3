//! MinIO and its client.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::authority::Authority;
use crate::process::Running;
use crate::{port, program, succeed};

/// The root credential unless other variables say otherwise.
pub const ROOT: (&str, &str) = ("root-user", "root-password-1");

const CERTIFICATES: &str = "certificates";

/// A MinIO server with one drive, or with several.
pub struct Minio {
    running: Option<Running>,
    drives: usize,
    port: u16,
    folder: TempDir,
    variables: Vec<(String, String)>,
    root: (String, String),
    authority: Option<Authority>,
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
        Self::with(tempfile::tempdir().unwrap(), 1, None, variables)
    }

    /// The same, once it listens; or what it said at its end if it does not start with them.
    ///
    /// # Errors
    /// That.
    pub fn try_start(variables: &[(&str, String)]) -> Result<Self, String> {
        let mut minio = Self::new(tempfile::tempdir().unwrap(), 1, None);
        let mut running = minio.launch(variables);
        let address = minio.address();
        match running.listens_or_ends(|| TcpStream::connect(&address).is_ok()) {
            false => Err(running.said()),
            true => {
                minio.running = Some(running);
                Ok(minio)
            }
        }
    }

    /// The same with so many drives in one set.
    pub fn start_on(drives: usize, variables: &[(&str, String)]) -> Self {
        Self::with(tempfile::tempdir().unwrap(), drives, None, variables)
    }

    /// A server that talks TLS with a certificate of an authority of its own.
    pub fn start_tls() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let server = authority.certify("minio");
        let certificates = folder.path().join(CERTIFICATES);
        fs::create_dir(&certificates).unwrap();
        fs::copy(server.certificate, certificates.join("public.crt")).unwrap();
        fs::copy(server.key, certificates.join("private.key")).unwrap();
        Self::with(folder, 1, Some(authority), &[])
    }

    /// A server whose drive is in this folder.
    pub fn start_in(folder: TempDir) -> Self {
        Self::with(folder, 1, None, &[])
    }

    fn with(
        folder: TempDir,
        drives: usize,
        authority: Option<Authority>,
        variables: &[(&str, String)],
    ) -> Self {
        let mut minio = Self::new(folder, drives, authority);
        minio.restart(variables);
        minio
    }

    fn new(folder: TempDir, drives: usize, authority: Option<Authority>) -> Self {
        Self {
            running: None,
            drives,
            port: port::free(),
            folder,
            variables: Vec::new(),
            root: (ROOT.0.to_owned(), ROOT.1.to_owned()),
            authority,
        }
    }

    /// Starts it again with other variables, on the same port and with the same drive.
    pub fn restart(&mut self, variables: &[(&str, String)]) {
        let mut running = self.begin(variables);
        let credential = self.root.clone();
        running.wait_until(|| {
            let ready = self.mc(&credential.0, &credential.1, &["admin", "info", "t"]);
            ready.status.success()
        });
        self.running = Some(running);
    }

    /// The same where it does not get ready, until it says so.
    pub fn restart_in_vain(&mut self, variables: &[(&str, String)], says: &str) {
        let mut running = self.begin(variables);
        let log = self.log();
        running.wait_until(|| fs::read_to_string(&log).is_ok_and(|said| said.contains(says)));
        self.running = Some(running);
    }

    /// Starts it and waits until it listens.
    fn begin(&mut self, variables: &[(&str, String)]) -> Running {
        let mut running = self.launch(variables);
        let address = self.address();
        running.wait_until(|| TcpStream::connect(&address).is_ok());
        running
    }

    fn launch(&mut self, variables: &[(&str, String)]) -> Running {
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
            .arg(self.folder.path().join(CERTIFICATES))
            .arg(match self.drives {
                1 => self.drive().into_os_string(),
                _ => self.drives().into(),
            });
        Running::begin(&mut command, &self.log())
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("minio.log")
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

    /// The process that it is.
    pub fn id(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// Its address, `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The folder of its drive.
    pub fn drive(&self) -> PathBuf {
        self.folder.path().join("drive")
    }

    /// Its drives in MinIO's pattern.
    pub fn drives(&self) -> String {
        let folder = self.folder.path().display();
        format!("{folder}/drive{{1...{}}}", self.drives)
    }

    /// Its address as `AWS_ENDPOINT_URL` takes it.
    pub fn endpoint(&self) -> String {
        let scheme = match self.authority {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.address())
    }

    /// The authority of its certificate, if it talks TLS.
    ///
    /// # Panics
    /// If it does not.
    pub fn authority(&self) -> &Authority {
        self.authority.as_ref().unwrap()
    }

    /// What the clients of S3 read to use this server as its root user.
    pub fn aws_variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ALLOW_HTTP", self.authority.is_none().to_string()),
            ("AWS_ACCESS_KEY_ID", self.root.0.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.root.1.clone()),
        ]
    }

    /// Puts files into a bucket, by their paths below this place, such as `bucket/prefix`.
    ///
    /// # Panics
    /// If it refuses one.
    pub fn upload<P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &self,
        place: &str,
        files: impl IntoIterator<Item = (P, B)>,
    ) {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let file = folder.path().join(name(path.as_ref()));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        let from = folder.path().to_str().unwrap();
        self.admin(&["mirror", "--overwrite", from, &format!("t/{place}")]);
    }

    /// All that is in a bucket below this place, by paths.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn download(&self, place: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().to_str().unwrap();
        self.admin(&["mirror", &format!("t/{place}"), to]);
        let mut files = BTreeMap::new();
        collect(folder.path(), folder.path(), &mut files);
        files
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
        let endpoint = self.endpoint();
        let (scheme, address) = endpoint.split_once("://").unwrap();
        let host = format!("{scheme}://{user}:{password}@{address}");
        if self.authority.is_some() {
            command.arg("--insecure");
        }
        command
            .env("MC_HOST_t", host)
            .arg("--config-dir")
            .arg(self.folder.path().join("mc"))
            .args(["--quiet", "--no-color", "--json"])
            .args(arguments);
        command
    }
}

fn name(path: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(path)
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
            continue;
        }
        let relative = path.strip_prefix(root).unwrap();
        let relative = relative.as_os_str().as_encoded_bytes().to_vec();
        files.insert(relative, fs::read(path).unwrap());
    }
}
