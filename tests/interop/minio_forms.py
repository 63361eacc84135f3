"""A second implementation of MinIO's IAM and config forms and of the compact form, driven over pipes by the tests.

README.md describes the requests. Not for use outside tests: Python cannot wipe keys, and
requests carry them.
"""

import json
import os
import sys

from compact import open_compact, seal_compact, seed_context
from data_key import ENCODINGS, seal_data_key
from forms import (CIPHERS, CONTEXTS, JSON_STYLES, ROOT_CIPHERS, open_root_credential, open_sealed, seal,
                   seal_root_credential)
from text import FormError, decode, encode

# The size of a KMS key.
KEY_SIZE = 32


def answer(line):
    """Answer one request line; returns the answer as a dict and raises nothing."""
    try:
        request = json.loads(line.decode())
        if not isinstance(request, dict) or not isinstance(request.get("do"), str):
            raise FormError("a request is an object with a text field: do")
        if request["do"] not in REQUESTS:
            raise FormError("unknown request")
        return {"ok": True, **REQUESTS[request["do"]](request)}
    except FormError as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:  # the process must outlive any request; a message could hold request data
        return {"ok": False, "error": f"bad request: {type(error).__name__}"}


def _open_minio(request):
    keys = _field(request, "keys", dict)
    keys = {name: _key(keys, name) for name in keys}
    opened = open_sealed(_bytes(request, "stored"), _bytes(request, "path"), keys)
    return {**opened, "plaintext": encode(opened["plaintext"])}


def _seal_minio(request):
    style = _choice(request, "json_style", JSON_STYLES) if "json_style" in request else "plain"
    stored = seal(_bytes(request, "path"), _bytes(request, "plaintext"), _field(request, "name", str),
                  _key(request, "key"), _choice(request, "cipher", CIPHERS),
                  _choice(request, "data_key_encoding", ENCODINGS), _choice(request, "context", CONTEXTS), style)
    return {"stored": encode(stored)}


def _open_root_credential(request):
    plaintext, id_ = open_root_credential(_bytes(request, "stored"), _field(request, "user", str),
                                          _field(request, "password", str))
    return {"plaintext": encode(plaintext), "id": id_}


def _seal_root_credential(request):
    id_ = _field(request, "id", int)
    if id_ not in ROOT_CIPHERS:
        raise FormError("unknown id")
    return {"stored": encode(seal_root_credential(_bytes(request, "plaintext"), _field(request, "user", str),
                                                  _field(request, "password", str), id_))}


def _open_compact(request):
    keys, seeds = _field(request, "keys", dict), _field(request, "seeds", dict) if "seeds" in request else {}
    # A key server may answer with a seed of any size.
    seeds = {_decoded(ciphertext, "seeds"): _bytes(seeds, ciphertext) for ciphertext in seeds}
    opened = open_compact(_bytes(request, "stored"), _field(request, "store", str), _bytes(request, "path"),
                          {name: _key(keys, name) for name in keys}, seeds)
    return {**opened, "plaintext": encode(opened["plaintext"])}


def _seal_compact(request):
    if ("key" in request) == ("seed" in request):
        raise FormError("either a key or a seed")
    store = _field(request, "store", str)
    if "seed" in request:
        seed, sealed_seed = _key(request, "seed"), _bytes(request, "seed_ciphertext")
    else:
        seed = os.urandom(KEY_SIZE)
        sealed_seed = seal_data_key(seed, _key(request, "key"), seed_context(store), "binary")
    stored = seal_compact(_bytes(request, "plaintext"), store, _bytes(request, "path"), _field(request, "name", str),
                          seed, sealed_seed, _bytes(request, "salt") if "salt" in request else None)
    return {"stored": encode(stored)}


REQUESTS = {
    "open-minio": _open_minio,
    "seal-minio": _seal_minio,
    "open-root-credential": _open_root_credential,
    "seal-root-credential": _seal_root_credential,
    "open-compact": _open_compact,
    "seal-compact": _seal_compact,
}


def _field(request, name, kind):
    # type() and not isinstance(), which takes true and false for integers.
    if type(request.get(name)) is not kind:
        raise FormError(f"missing or mistyped field: {name}")
    return request[name]


def _choice(request, name, choices):
    if _field(request, name, str) not in choices:
        raise FormError(f"unknown value of field: {name}")
    return request[name]


def _bytes(request, name):
    return _decoded(_field(request, name, str), name)


def _decoded(text, name):
    try:
        return decode(text)
    except ValueError:
        raise FormError(f"malformed base64 in field: {name}") from None


def _key(request, name):
    key = _bytes(request, name)
    if len(key) != KEY_SIZE:
        raise FormError("a key has 32 bytes")
    return key


def main(arguments):
    """Serve requests from standard input, or check this implementation with `--self-check FILE...`."""
    if arguments[:1] == ["--self-check"]:
        import self_check
        return self_check.run(arguments[1:])
    if arguments:
        print("usage: minio_forms.py [--self-check VECTORS.json ...]", file=sys.stderr)
        return 2
    for line in sys.stdin.buffer:
        print(json.dumps(answer(line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
