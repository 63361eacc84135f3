//! The help text. Help texts, examples and exit codes are those of the native tool.

/// What `--version` prints.
pub const VERSION: &str = concat!("iamseal ", env!("CARGO_PKG_VERSION"), " (component)");

/// What `--help` prints.
pub const HELP: &str = "\
Opens, seals, audits and migrates the IAM and configuration objects of MinIO and of servers that
keep them as MinIO does.

Usage: wasmtime run [--dir FOLDER::/store] [--env VARIABLE] iamseal-command.wasm <COMMAND> [OPTIONS]

Commands:
  seal --path P     Seal standard input to standard output
  unseal --path P   Open an object from standard input to standard output
  inspect [FILE]    Describe an object without any key: form, key name, cipher, sizes
  audit STORE       Say of each object what it is and whether it opens, or why not
  migrate STORE     Bring every object to one form and key; with the same command again if killed

Options of all commands:
  --json                     Print one JSON object per line instead of text
  --keys FILE                Further keys, one NAME:BASE64 per line; may be repeated
  --root-credentials FILE    Further root credentials, one USER:PASSWORD per line; may be repeated
  --store-name NAME          The name that compact objects are bound to

Options of migrate, and but for the first four of seal:
  --to kms|plaintext         Sealed under a key, or not encrypted at all
  --dry-run                  Open everything and say what would be done; write nothing
  --server-is-stopped        Needed to write: no other program writes to the store meanwhile
  --modes-are-lost           Needed to write: new objects get this user's owner and modes
  --key NAME                 The key to seal under, one of those that are given
  --form minio|compact       The sealed form: MinIO's, or iamseal's own
  --cipher aes-256-gcm|chacha20-poly1305
  --data-key binary|json     json is what servers before RELEASE.2024-05-10 read

Other options:
  --prefix PATH              audit, migrate: only objects whose path begins with this
  --require sealed|current   audit, unseal: take what is not sealed, or not sealed under the
                             present key, for a failure
  --try-all-credentials      audit, migrate: try every root credential on every object, however
                             many objects none has opened

Keys come from the variables MINIO_KMS_SECRET_KEY, MINIO_KMS_MASTER_KEY, MINIO_ROOT_USER and
MINIO_ROOT_PASSWORD (and their _OLD forms), from --keys and from --root-credentials. Write
--env MINIO_KMS_SECRET_KEY without a value: the value of a secret does not belong on a command line.

Stores and files are looked for below the folders that --dir names. WASI has no locks, owners, modes
and access control lists, so migrate writes only with --server-is-stopped and --modes-are-lost. New
objects belong to the user who runs this, with the modes that the umask leaves and what the folder's
default access control list gives: run it as the server's user, with umask 077.

Exit codes:
  0 done                             12 refused by its path or the store
  1 any other failure                13 storage failed
  2 wrong usage or configuration     14 changed by somebody else meanwhile
  3 objects failed, several causes   15 a limit was reached
  4 no such key, or no key           17 cut short
  5 key service unreachable          18 not sealed, and --require was given
  6 key service denied               19 other key bytes
  7 header not authentic             20 it belongs at another path
  8 root credential missing or wrong 21 damaged data key
  9 body not authentic (damaged)     22 outdated, and --require current was given
 10 damaged, cut short or empty      27 drafts lie in the store, and --require was given
 11 unknown or unsupported form      28 not tried with every root credential
                                    134 the component trapped
                                    141 nobody reads the output";
