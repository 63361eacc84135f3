"""Runs the iamseal component in Python: seals and opens single objects under one key.

The host lends keys and random bytes and nothing else: a call that reaches for a store or a key service
traps. The package copies some 2.5 MB in a call and no more, so larger objects are refused. Python cannot
wipe memory, so keys and plaintext stay in it for as long as it pleases.
"""

import base64
import os
import sys
import threading

from wasmtime import Config, Engine, Store, Trap, WasmtimeError
from wasmtime.component import Component, Linker, Record, ResourceType, Variant

INTERFACE = "iamseal:plugin/{}@0.1.0"
# The types of handles, which a keyring of bytes has none of.
KEY, ROOT_KEY = 1, 2
HANDLES = {INTERFACE.format("keyring"): {"key": KEY, "root-key": ROOT_KEY}}
# An object in the root-credential form takes 64 MiB; what is sealed or opened is there a few times over.
MEMORY = 256 << 20
# Argon2id, the slowest that the component does, takes a tenth of one; this package takes 3 for 1 MB.
SECONDS = 30
# More random bytes than the component ever asks for at once.
RANDOM = 64 << 10


class Refused(Exception):
    """The component refused the object. `error` is the `error` of wit/types.wit: `tag` and `payload`."""

    def __init__(self, error):
        self.error = error
        super().__init__(error.tag if error.payload is None else f"{error.tag}: {error.payload}")


class StaticKey:
    """A keyring (wit/keyring.wit), which lends the bytes of one key: `NAME:BASE64`, as in MINIO_KMS_SECRET_KEY."""

    def __init__(self, setting):
        self.name, colon, key = setting.rpartition(":")
        self.key = base64.b64decode(key, validate=True)
        if not colon or len(self.key) != 32:
            raise ValueError("a key is NAME:BASE64, of 32 bytes")

    def default_key(self):
        return self.name

    def candidates(self, name):
        return [Variant("secret", self.key)] if name == self.name else Variant("not-found")

    def root_credentials(self):
        return []


class Plugin:
    """The component, for one thread at a time."""

    def __init__(self, file, keyring):
        config = Config()
        config.epoch_interruption = True
        self._engine = Engine(config)
        self._component = Component.from_file(self._engine, file)
        self._linker = Linker(self._engine)
        self._instance = None
        lent = {
            INTERFACE.format("keyring"): {
                "default-key": keyring.default_key,
                "candidates": keyring.candidates,
                "root-credentials": keyring.root_credentials,
            },
            INTERFACE.format("diagnostics"): {"panicked": panicked},
            "wasi:random/random@0.2.6": {"get-random-bytes": random_bytes},
        }
        with self._linker.root() as root:
            for interface, functions in lent.items():
                with root.add_instance(interface) as instance:
                    for name, kind in HANDLES.get(interface, {}).items():
                        instance.add_resource(name, ResourceType.host(kind), lambda store, number: None)
                    for name, function in functions.items():
                        instance.add_func(name, lambda store, *given, to=function: to(*given))
        self._linker.define_unknown_imports_as_traps(self._component)

    def seal(self, path, plaintext, form="minio", store=""):
        """Seals bytes for a path (bytes) under the keyring's default key; `form` may be `compact`, or
        `rustfs` under its first root credential."""
        options, minio = Record(), Record()
        vars(minio).update({"cipher": None, "data-key-encoding": None})
        # How MinIO's form is written is left open; the others have nothing to choose.
        vars(options).update({"form": Variant(form, minio) if form == "minio" else Variant(form), "key": None})
        return self._call("sealing", "seal", location(store, path), plaintext, options)

    def unseal(self, path, stored, policy="sealed", store=""):
        """Opens an object: its plaintext, and what it was (`found` in wit/types.wit)."""
        opened = self._call("opening", "unseal", location(store, path), stored, policy)
        return opened.plaintext, opened.found

    def _call(self, interface, name, *given):
        timer = threading.Timer(SECONDS, self._engine.increment_epoch)
        timer.start()
        try:
            answer = self._export(interface, name)(self._store, *given)
        except BaseException:
            # After a trap an instance must not be called again; the next call gets a new one.
            self._instance = None
            raise
        finally:
            timer.cancel()
            # One that has just gone off must not end the next call.
            timer.join()
        if isinstance(answer, Variant):
            raise Refused(answer)
        return answer

    def _export(self, interface, name):
        if self._instance is None:
            self._store = Store(self._engine)
            self._store.set_limits(memory_size=MEMORY)
            self._store.set_epoch_deadline(1)
            self._instance = self._linker.instantiate(self._store, self._component)
        self._store.set_epoch_deadline(1)
        exports = self._instance.get_export_index(self._store, INTERFACE.format(interface))
        export = self._instance.get_export_index(self._store, name, exports)
        return self._instance.get_func(self._store, export)


def location(store, path):
    made = Record()
    made.store, made.path = store, path
    return made


def panicked(message):
    raise RuntimeError(f"the component panicked: {message}")


def random_bytes(size):
    if size > RANDOM:
        raise ValueError(f"the component asks for {size} random bytes")
    return os.urandom(size)


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in ("seal", "unseal"):
        sys.exit("usage: python iamseal.py COMPONENT seal|unseal PATH, with MINIO_KMS_SECRET_KEY=NAME:BASE64")
    try:
        plugin = Plugin(sys.argv[1], StaticKey(os.environ.get("MINIO_KMS_SECRET_KEY", "")))
        path, given = os.fsencode(sys.argv[3]), sys.stdin.buffer.read()
        done = plugin.seal(path, given) if sys.argv[2] == "seal" else plugin.unseal(path, given)[0]
    except (Refused, Trap, ValueError, WasmtimeError) as error:
        sys.exit(f"iamseal: {error}")
    sys.stdout.buffer.write(done)


if __name__ == "__main__":
    main()
