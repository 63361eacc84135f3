"""Checks of the compact form: known values, round trips, every bit flipped, and the cases of its vectors.

Every check is a name and a function that returns whether it passed.
"""

import base64
import hmac
import json
from functools import partial
from hashlib import sha256
from pathlib import Path

from compact import (HEAD_START, SALT_START, clean_path, derive, open_compact, open_seed, seal_compact,
                     seed_context, split_compact, varint, write_head)
from make_compact_vectors import BASE, KEY, NAME, PATH, PLAINTEXT, SEED, STORE, generate, pattern, sealed_seed
from minio_forms import answer
from text import FormError, encode

# Around the fragment size, and more than two fragments.
SIZES = (0, 1, 65535, 65536, 65537, 131072, 140000)
ERRORS = ("unknown-form", "unsupported", "malformed", "key-not-found", "header-not-authentic", "body-not-authentic",
          "cut-short")


def known_checks():
    """Values known from elsewhere: postcard's varints, HKDF written out, contexts and paths."""
    for number, written in ((0, "00"), (127, "7f"), (128, "8001"), (16383, "ff7f"), (16384, "808001"),
                            (65535, "ffff03")):
        yield f"compact varint {number}", lambda n=number, w=written: varint(n).hex() == w
    yield "compact derivation, written out", _derivation
    escaped = rb"\u003c\"\\\u0026\u003e\n\r\t\u0008" + "\x7f/\\u2028é".encode()
    for store, value in (("", b""), ("site-a", b"site-a"), ('<"\\&>\n\r\t\x08\x7f/\u2028é', escaped)):
        yield f"compact context {store!r}", lambda s=store, v=value: seed_context(s) == b'{"iamseal compact seed":"' + v + b'"}'
    for path, clean in ((b"a", b"a"), (b"/a//./b/../c/", b"a/c"), (b"a/..b/...", b"a/..b/..."), (b"\xff/", b"\xff")):
        yield f"compact path {path!r}", lambda p=path, c=clean: clean_path(p) == c
    for path in (b"", b".", b"/", b"..", b"a/../..", b"../a", b"a/../../b"):
        yield f"compact path {path!r}, refused", lambda p=path: _word(lambda: clean_path(p)) == "refused"


def round_trip_checks():
    """Round trips through requests, under keys and under keys of a server."""
    for size in SIZES:
        for kind in ("key", "server"):
            yield f"compact {kind} {size} bytes", partial(_round_trip, kind, size)
    yield "compact salt, marked", lambda: all(
        write_head(salt, "", b"")[32] == 0x96 for salt in (b"\x96" * 32, b"\x16" * 32))
    fresh = partial(seal_compact, b"", STORE, PATH, NAME, SEED, sealed_seed(STORE))
    yield "compact salt, fresh", lambda: fresh()[SALT_START:HEAD_START] != fresh()[SALT_START:HEAD_START]


def damage_checks():
    """No changed object opens, whatever the change."""
    for stored in (BASE,):
        changed = {
            "a bit flipped": (stored[:at] + bytes([stored[at] ^ 1 << bit]) + stored[at + 1:]
                              for at in range(len(stored)) for bit in range(8)),
            "cut": (stored[:end] for end in range(len(stored))),
            "a byte left out": (stored[:at] + stored[at + 1:] for at in range(len(stored))),
            "bytes added": (stored + bytes(count) for count in range(1, 40)),
        }
        for change, objects in changed.items():
            yield f"compact, {change}", lambda o=objects: all(_word(partial(_open, s)) in ERRORS for s in o)


def request_checks():
    """Bad requests are answered and do not raise."""
    sealing = {"do": "seal-compact", "plaintext": "", "store": "s", "path": encode(b"p"), "name": "n",
               "key": encode(KEY)}
    opening = {"do": "open-compact", "stored": encode(BASE), "store": STORE, "path": encode(PATH),
               "keys": {NAME: encode(KEY)}, "seeds": {}}
    yield "compact requests", lambda: _ask(sealing)["ok"] and _ask(opening)["ok"]
    without_key = {name: value for name, value in sealing.items() if name != "key"}
    bad = [{**sealing, field: value} for field, value in (
        ("plaintext", None), ("store", "\ud800"), ("path", ""), ("path", encode(b"..")), ("name", 1), ("salt", "AAAA"),
        ("key", encode(b"short")), ("seed", encode(SEED)))]
    bad += [without_key, {**without_key, "seed": encode(SEED)}]
    bad += [{**opening, field: value} for field, value in (
        ("stored", ""), ("store", None), ("keys", {NAME: "AAAA"}), ("keys", []), ("seeds", {"AA": encode(SEED)}),
        ("seeds", {"": 1}))]
    for request in bad:
        yield f"compact bad request {json.dumps(request)[-60:]}", lambda r=request: _ask(r)["ok"] is False


def vector_checks(file, cases):
    """The cases of the vectors, and that the file is what the generator makes."""
    yield "compact vectors, made again", lambda: generate() == Path(file).read_bytes()
    stored = {}
    for case in cases:
        # Parts come from cases that stand before and hold their bytes themselves.
        stored[case["id"]] = base64.b64decode(case["stored_b64"]) if "stored_b64" in case else b"".join(
            base64.b64decode(part) if isinstance(part, str) else stored[part[0]][part[1]:part[2]]
            for part in case["stored_parts"])
        name = f"compact {case['id']}: {case['note']}"
        yield name, partial(_vector, case, stored[case["id"]])
        yield f"{name} [key server]", partial(_vector, case, stored[case["id"]], in_server=True)
        if case["expect"] == "ok":
            yield f"{name} [sealed again]", partial(_sealed_again, case, stored[case["id"]])


def _vector(case, stored, in_server=False):
    name, key, path = _inputs(case)
    keys, seeds = {name: encode(key)}, {}
    if in_server:
        if case["expect"] == "key-not-found":
            return True  # a server is asked under every name
        # The ciphertext of another object keeps the name lent where this key opens nothing in the object.
        keys, seeds = {}, {encode(b"another"): encode(SEED), **_served_seed(case, stored, key)}
    opened = _ask({"do": "open-compact", "stored": encode(stored), "store": case["store"], "path": encode(path),
                   "keys": keys, "seeds": seeds})
    if case["expect"] != "ok":
        return opened == {"ok": False, "error": case["expect"]}
    return opened == {"ok": True, "plaintext": encode(_plaintext(case)), "key": name,
                      "context": seed_context(case["store"]).decode()}


def _served_seed(case, stored, key):
    """What a key server with this key makes of the ciphertext in this store's context."""
    sealed = _sealed_seed(stored)
    seed = None if sealed is None else open_seed(sealed, key, case["store"])
    return {} if seed is None else {encode(sealed): encode(seed)}


def _sealed_again(case, stored):
    name, key, path = _inputs(case)
    head, _, sealed, _, _ = split_compact(stored)
    seed = open_seed(sealed, key, case["store"])
    again = seal_compact(_plaintext(case), case["store"], path, name, seed, sealed, head[SALT_START:HEAD_START])
    return again == stored


def _inputs(case):
    name, _, key = case["key"].rpartition(":")  # a name may hold colons, base64 does not
    path = base64.b64decode(case["path_b64"]) if "path_b64" in case else case["path"].encode()
    return name, base64.b64decode(key), path


def _plaintext(case):
    return pattern(case["plaintext_size"]) if "plaintext_size" in case else base64.b64decode(case["plaintext_b64"])


def _sealed_seed(stored):
    try:
        return split_compact(stored)[2]
    except FormError:
        return None


def _derivation():
    store, path = "é".encode(), b"p"
    info = sha256(b"head" + b"\2" + bytes(7) + store + path).digest()
    first = hmac.digest(KEY, info + b"\1", "sha256")
    return derive(KEY, b"head", "é", path) == (first, hmac.digest(KEY, first + info + b"\2", "sha256"))


def _round_trip(kind, size):
    under = {"key": encode(KEY)} if kind == "key" else {
        "seed": encode(SEED), "seed_ciphertext": encode(sealed_seed(STORE))}
    place = {"store": STORE, "path": encode(PATH)}
    stored = _ask({"do": "seal-compact", "plaintext": encode(pattern(size)), "name": NAME, **place, **under})["stored"]
    opening = {"do": "open-compact", "stored": stored, **place, "keys": {NAME: encode(KEY)} if kind == "key" else {},
               "seeds": {} if kind == "key" else {encode(sealed_seed(STORE)): encode(SEED)}}
    # The size that the description gives, and 16 bytes for each further fragment.
    overhead = 162 + 16 * max(0, -(-size // 65536) - 1)
    opened = _ask(opening)
    return (opened["plaintext"] == encode(pattern(size)) and opened["key"] == NAME
            and len(base64.b64decode(stored)) == size + len(NAME) + overhead
            and _ask({**opening, "store": "other"})["error"] == "header-not-authentic"
            and _ask({**opening, "path": encode(PATH + b"x")})["error"] == "header-not-authentic"
            and _ask({**opening, "keys": {}, "seeds": {}})["error"] == "key-not-found")


def _open(stored):
    # Whatever name the damage makes is lent too, so that it is not the name alone that refuses.
    names = {NAME}
    try:
        names.add(split_compact(stored)[1])
    except FormError:
        pass
    return open_compact(stored, STORE, PATH, dict.fromkeys(names, KEY), {})


def _word(action):
    try:
        action()
    except FormError as error:
        return str(error)
    return None


def _ask(request):
    return json.loads(json.dumps(answer(json.dumps(request).encode())))
