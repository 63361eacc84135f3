"""The Python example as a process that answers requests; `tests/src/other_host.rs` describes them.

Usage: python python_host.py EXAMPLE COMPONENT
"""

import json
import sys
from base64 import b64decode, b64encode

from wasmtime.component import Record, ResourceHost, Variant

sys.path.insert(0, sys.argv[1])
import iamseal  # noqa: E402


class Lent:
    """A keyring of what a request lends: the example's own, and what that one has not."""

    def __init__(self, key=None, server=None, credentials=()):
        self.key = iamseal.StaticKey(key) if key is not None else None
        self.server, self.credentials = server, credentials

    def default_key(self):
        return self.key.default_key() if self.key else self.server

    def candidates(self, name):
        if self.key:
            return self.key.candidates(name)
        # The handle of a key that opens nothing.
        handle = ResourceHost.own(0, iamseal.KEY)
        return [Variant("server", handle)] if name == self.server else Variant("not-found")

    def root_credentials(self):
        return [credential(user, password) for user, password in self.credentials]


def credential(user, password):
    made = Record()
    # The package takes a text for `passphrase`.
    made.user, made.key = user, f"{user}:{password}"
    return made


def answer(plugin, request):
    path, store = b64decode(request["path"]), request["store"]
    if request["do"] == "seal":
        stored = plugin.seal(path, b64decode(request["plaintext"]), request["form"], store)
        return {"stored": b64encode(stored).decode()}
    plaintext, found = plugin.unseal(path, b64decode(request["stored"]), request["policy"], store)
    return {"plaintext": b64encode(plaintext).decode(), "found": vars(found)}


def case(error):
    # An error of the keyring or the store has a case of its own inside.
    inner = getattr(error.payload, "error", error.payload)
    return f"{error.tag}: {inner.tag}" if isinstance(inner, Variant) else error.tag


def main():
    # One for each keyring, because a plugin keeps the data keys that it was lent.
    plugins = {}
    for line in sys.stdin:
        request = json.loads(line)
        lend = json.dumps(request["lend"])
        try:
            if lend not in plugins:
                plugins[lend] = iamseal.Plugin(sys.argv[2], Lent(**request["lend"]))
            said = {"ok": True, **answer(plugins[lend], request)}
        except iamseal.Refused as refused:
            said = {"ok": False, "error": case(refused.error)}
        except Exception as error:
            said = {"ok": False, "error": f"trap: {error}"}
        print(json.dumps(said), flush=True)


main()
