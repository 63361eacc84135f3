//! What the command line takes: the commands and options of the native tool that make sense here.

use getargs::{Arg, Options};
use iamseal_words::contract::{
    MinioOptions, Policy, SealOptions, SealedForm, WrittenCipher, WrittenEncoding,
};
use iamseal_words::report::notes;

use crate::command::failure::Failure;

/// A command line.
pub struct Arguments {
    pub json: bool,
    pub keys: Vec<String>,
    pub root_credentials: Vec<String>,
    pub store_name: String,
    pub command: Command,
}

/// What is to be done.
pub enum Command {
    Help,
    Version,
    Seal(Seal),
    Unseal(Unseal),
    Inspect(Inspect),
    Audit(Audit),
    Migrate(Migrate),
}

pub struct Seal {
    pub path: Vec<u8>,
    pub options: SealOptions,
}

pub struct Unseal {
    pub path: Vec<u8>,
    pub policy: Policy,
}

pub struct Inspect {
    /// Standard input if it is missing.
    pub file: Option<String>,
}

pub struct Audit {
    pub place: Where,
    pub policy: Policy,
    pub try_all_credentials: bool,
}

pub struct Migrate {
    pub place: Where,
    pub to: To,
    pub dry_run: bool,
    pub try_all_credentials: bool,
}

/// Which objects.
pub struct Where {
    pub store: String,
    pub prefix: Vec<u8>,
}

pub enum To {
    Sealed(SealOptions),
    Plaintext,
}

/// An option: its name, whether it takes a value, and the commands that take it; none: all.
struct Known(&'static str, bool, &'static [&'static str]);

const KNOWN: [Known; 16] = [
    Known("json", false, &[]),
    Known(KEYS, true, &[]),
    Known(ROOT_CREDENTIALS, true, &[]),
    Known("store-name", true, &[]),
    Known("path", true, &["seal", "unseal"]),
    Known("key", true, &["seal", "migrate"]),
    Known("form", true, &["seal", "migrate"]),
    Known("cipher", true, &["seal", "migrate"]),
    Known("data-key", true, &["seal", "migrate"]),
    Known("prefix", true, &["audit", "migrate"]),
    Known("require", true, &["unseal", "audit"]),
    Known("to", true, &["migrate"]),
    Known("try-all-credentials", false, &["audit", "migrate"]),
    Known(DRY_RUN, false, &["migrate"]),
    Known(SERVER_IS_STOPPED, false, &["migrate"]),
    Known(MODES_ARE_LOST, false, &["migrate"]),
];

const DRY_RUN: &str = "dry-run";
/// What an operator has to say before a folder is written to, since WASI has neither locks nor modes.
const SERVER_IS_STOPPED: &str = "server-is-stopped";
const MODES_ARE_LOST: &str = "modes-are-lost";

/// The options that may be repeated.
const KEYS: &str = "keys";
const ROOT_CREDENTIALS: &str = "root-credentials";

impl Arguments {
    /// Reads a command line, whose first word is the program's own name.
    ///
    /// # Errors
    /// A wrong usage, in words.
    pub fn parse(line: &[String]) -> Result<Self, Failure> {
        let given = Given::read(line)?;
        if given.help || given.words.first() == Some(&"help") {
            return Ok(given.arguments(Command::Help));
        }
        if given.version {
            return Ok(given.arguments(Command::Version));
        }
        let Some((name, words)) = given.words.split_first() else {
            return Err(wrong("the command is missing"));
        };
        let command = match *name {
            "seal" => Command::Seal(Seal {
                path: given.required("path")?.into(),
                options: given.seal_options()?,
            }),
            "unseal" => Command::Unseal(Unseal {
                path: given.required("path")?.into(),
                policy: given.policy()?,
            }),
            "inspect" => Command::Inspect(Inspect {
                file: words.first().map(|file| (*file).to_owned()),
            }),
            "audit" => Command::Audit(Audit {
                place: given.place(words)?,
                policy: given.policy()?,
                try_all_credentials: given.has("try-all-credentials"),
            }),
            "migrate" => Command::Migrate(Migrate {
                place: given.place(words)?,
                to: given.target()?,
                try_all_credentials: given.has("try-all-credentials"),
                dry_run: given.dry_run()?,
            }),
            "demo" | "keygen" | "manifest" | "plugin" | "runs" | "undo" => {
                return Err(wrong(format!(
                    "only the native tool has the command {name}"
                )));
            }
            _ => return Err(wrong(format!("there is no command {name}"))),
        };
        let takes = match command {
            Command::Inspect(_) | Command::Audit(_) | Command::Migrate(_) => 1,
            _ => 0,
        };
        if words.len() > takes {
            return Err(wrong(format!("{name} takes fewer words")));
        }
        for (option, _) in &given.options {
            let fits = |known: &Known| {
                known.0 == *option && (known.2.is_empty() || known.2.contains(name))
            };
            if !KNOWN.iter().any(fits) {
                return Err(wrong(format!("{name} takes no --{option}")));
            }
        }
        Ok(given.arguments(command))
    }
}

/// A command line, taken apart but not understood yet.
struct Given<'a> {
    help: bool,
    version: bool,
    /// The options and their values; of those without one the value is empty.
    options: Vec<(&'static str, &'a str)>,
    words: Vec<&'a str>,
}

impl<'a> Given<'a> {
    fn read(line: &'a [String]) -> Result<Self, Failure> {
        let mut given = Self {
            help: false,
            version: false,
            options: Vec::new(),
            words: Vec::new(),
        };
        let mut arguments = Options::new(line.iter().skip(1).map(String::as_str));
        while let Some(argument) = arguments
            .next_arg()
            .map_err(|error| wrong(format!("{error}")))?
        {
            match argument {
                Arg::Positional(word) => given.words.push(word),
                Arg::Short('h') | Arg::Long("help") => given.help = true,
                Arg::Short('V') | Arg::Long("version") => given.version = true,
                Arg::Short(letter) => return Err(wrong(format!("there is no option -{letter}"))),
                Arg::Long(name) => {
                    let Some(Known(name, takes_value, _)) =
                        KNOWN.iter().find(|known| known.0 == name)
                    else {
                        return Err(wrong(format!("there is no option --{name}")));
                    };
                    let value = if *takes_value {
                        arguments
                            .value()
                            .map_err(|_| wrong(format!("--{name} needs a value")))?
                    } else if arguments.value_opt().is_some() {
                        return Err(wrong(format!("--{name} takes no value")));
                    } else {
                        ""
                    };
                    if given.has(name) && ![KEYS, ROOT_CREDENTIALS].contains(name) {
                        return Err(wrong(format!("--{name} is given twice")));
                    }
                    given.options.push((name, value));
                }
            }
        }
        Ok(given)
    }

    fn arguments(&self, command: Command) -> Arguments {
        Arguments {
            json: self.has("json"),
            keys: self.values(KEYS),
            root_credentials: self.values(ROOT_CREDENTIALS),
            store_name: self.value("store-name").unwrap_or_default().to_owned(),
            command,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let mut all = self.options.iter().filter(|(known, _)| *known == name);
        all.next().map(|(_, value)| *value)
    }

    fn values(&self, name: &str) -> Vec<String> {
        let all = self.options.iter().filter(|(known, _)| *known == name);
        all.map(|(_, value)| (*value).to_owned()).collect()
    }

    fn required(&self, name: &str) -> Result<&'a str, Failure> {
        self.value(name)
            .ok_or_else(|| wrong(format!("--{name} is missing")))
    }

    /// The meaning of an option's value.
    fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Failure> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let found = choices.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            wrong(format!("--{name} is one of: {}", words.join(", ")))
        })
    }

    fn policy(&self) -> Result<Policy, Failure> {
        let choices = [("sealed", Policy::Sealed), ("current", Policy::Current)];
        let choice = self.choice("require", &choices)?;
        Ok(choice.unwrap_or(Policy::Compatible))
    }

    fn place(&self, words: &[&str]) -> Result<Where, Failure> {
        let Some(store) = words.first() else {
            return Err(wrong("the store is missing: the folder that holds config/"));
        };
        let prefix = self.value("prefix").map(str::as_bytes);
        Ok(Where {
            store: (*store).to_owned(),
            prefix: prefix.unwrap_or(notes::CONFIG).to_vec(),
        })
    }

    /// # Errors
    /// It is to be written, and the operator has not said what that takes.
    fn dry_run(&self) -> Result<bool, Failure> {
        let is_dry = self.has(DRY_RUN);
        let is_told = self.has(SERVER_IS_STOPPED) && self.has(MODES_ARE_LOST);
        if !is_dry && !is_told {
            return Err(Failure::usage(
                "through WASI other writers cannot be kept out, and no owner, mode or access control \
                 list can be kept",
            )
            .with_cure(
                "stop the server and add --server-is-stopped --modes-are-lost, or take the native tool",
            ));
        }
        Ok(is_dry)
    }

    fn target(&self) -> Result<To, Failure> {
        self.required("to")?;
        match self.choice("to", &[("kms", true), ("plaintext", false)])? {
            Some(true) => self.seal_options().map(To::Sealed),
            _ if ["key", "form", "cipher", "data-key"]
                .iter()
                .any(|name| self.has(name)) =>
            {
                let (message, cure) = notes::PLAINTEXT_OPTIONS;
                Err(Failure::usage(message).with_cure(cure))
            }
            _ => Ok(To::Plaintext),
        }
    }

    fn seal_options(&self) -> Result<SealOptions, Failure> {
        let is_compact = self.choice("form", &[("minio", false), ("compact", true)])?;
        let cipher = self.choice(
            "cipher",
            &[
                ("aes-256-gcm", WrittenCipher::Aes256Gcm),
                ("chacha20-poly1305", WrittenCipher::Chacha20Poly1305),
            ],
        )?;
        let data_key_encoding = self.choice(
            "data-key",
            &[
                ("binary", WrittenEncoding::Binary),
                ("json", WrittenEncoding::Json),
            ],
        )?;
        let form = match is_compact {
            Some(true)
                if data_key_encoding.is_some() || cipher == Some(WrittenCipher::Aes256Gcm) =>
            {
                let (message, cure) = notes::COMPACT_OPTIONS;
                return Err(Failure::usage(message).with_cure(cure));
            }
            Some(true) => SealedForm::Compact,
            _ => SealedForm::Minio(MinioOptions {
                cipher,
                data_key_encoding,
            }),
        };
        let key = self.value("key").map(str::to_owned);
        Ok(SealOptions { form, key })
    }
}

fn wrong(message: impl Into<String>) -> Failure {
    Failure::usage(message).with_cure("see `help`")
}
