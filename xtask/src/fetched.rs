//! Everything that set-up fetches, and what pins it. Nothing else is fetched, but for the crates of
//! `Cargo.lock` and, by rustup, the toolchain of `rust-toolchain.toml`.

/// Lists of Python packages, with all that they need, each with its SHA-256.
pub const PYTHON: [&str; 3] = [
    "tests/interop/requirements.txt",
    // The wasmtime CLI.
    "tests/hosts/requirements.txt",
    "embeddings/python/requirements.txt",
];

/// The folder of the Node packages, whose `package-lock.json` has the SHA-512 of each. None of them
/// runs a script when it is installed.
pub const NODE: &str = "embeddings/node";

/// Debian's packages, which Debian signs, by what they are for.
pub mod debian {
    /// A C++ compiler, which builds libFuzzer.
    pub const CXX: [&str; 1] = ["g++"];
    /// Node.js and its package manager.
    pub const NODE: [&str; 2] = ["nodejs", "npm"];
    /// Python, and the part of it that makes environments.
    pub const PYTHON: [&str; 2] = ["python3", "python3-venv"];
    /// etcd, its client, and what signs requests to MinIO that MinIO's client has no command for.
    pub const SERVERS: [&str; 3] = ["curl", "etcd-client", "etcd-server"];
    /// A compiler for WASI with its library's source, where rustup cannot download one.
    pub const WASI: [&str; 2] = ["rustc-web", "rust-web-src"];
}

/// A program of a Go module.
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What to build.
    pub package: &'static str,
    /// The module that has it.
    pub module: &'static str,
    /// The module's version.
    pub version: &'static str,
    /// The module's checksum and that of its `go.mod`, in the form of `go.sum`. Those of the modules
    /// that it needs stand in its own `go.mod` and in Go's checksum database.
    pub sum: &'static str,
    /// See `sum`.
    pub of_go_mod: &'static str,
}

/// What Go builds.
pub const PROGRAMS: [Program; 3] = [
    Program {
        name: "kes",
        package: "github.com/minio/kes/cmd/kes",
        module: "github.com/minio/kes",
        version: "v0.24.0",
        sum: "h1:iRAmVjgZ4vQV+V7wc88kADahGl1tA/USlfQzAAr+qh8=",
        of_go_mod: "h1:rpgBd+s918q6zCclNLkYs//SDccXLCDv/xeM2/POzKk=",
    },
    Program {
        name: "mc",
        package: "github.com/minio/mc",
        module: "github.com/minio/mc",
        version: "v0.0.0-20250313080218-cf909e1063a9",
        sum: "h1:6RyInOHKL6jz8zxcAar/h6rg/aJCxDP/uFuSNvYSuMI=",
        of_go_mod: "h1:h5UQZ+5Qfq6XV81E4iZSgStPZ6Hy+gMuHMkLkjq4Gys=",
    },
    // RELEASE.2025-10-15T17-29-55Z.
    Program {
        name: "minio",
        package: "github.com/minio/minio",
        module: "github.com/minio/minio",
        version: "v0.0.0-20251015172955-9e49d5e7a648",
        sum: "h1:6TdolSCLSs2nwm8i0PpWDqf9iX2Ty9WQK8wmr7dCnUM=",
        of_go_mod: "h1:yCWDkwWO9IWpGsT4mreDDN/B/QVmK2zC666uInRAcqE=",
    },
];
