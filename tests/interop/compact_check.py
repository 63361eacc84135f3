"""Checks of the compact form: known values, round trips, every bit flipped, and the cases of its vectors.

Every check is a name and a function that returns whether it passed.
"""

import base64
import hmac
import json
from functools import partial
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag

from compact import (HEAD_START, SALT_START, clean_path, derive, open_compact,
                     seal_compact, seed_context, split_compact, varint, write_head)
from data_key import open_data_key
from make_compact_vectors import (BASE, KEY, NAME, PATH, PLAINTEXT, REMOTE, SEED, STORE, generate, pattern,
                                  sealed_seed)
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
        yield f"compact context {store!r}", lambda s=store, v=value: seed_context(s) == b'{"iamseal":"' + v + b'"}'
    for path, clean in ((b"a", b"a"), (b"/a//./b/../c/", b"a/c"), (b"a/..b/...", b"a/..b/..."), (b"\xff/", b"\xff")):
        yield f"compact path {path!r}", lambda p=path, c=clean: clean_path(p) == c
    for path in (b"", b".", b"/", b"..", b"a/../..", b"../a", b"a/../../b"):
        yield f"compact path {path!r}, refused", lambda p=path: _word(lambda: clean_path(p)) == "refused"


def round_trip_checks():
    """Round trips through requests, under secret and remote keys."""
    for size in SIZES:
        for kind in ("secret", "remote"):
            yield f"compact {kind} {size} bytes", partial(_round_trip, kind, size)
    yield "compact salt, marked", lambda: all(
        write_head(salt, "", None)[32] == 0x96 for salt in (b"\x96" * 32, b"\x16" * 32))
    fresh = partial(seal_compact, b"", STORE, PATH, NAME, KEY)
    yield "compact salt, fresh", lambda: fresh()[SALT_START:HEAD_START] != fresh()[SALT_START:HEAD_START]


def damage_checks():
    """No changed object opens, whatever the change."""
    for kind, stored in (("secret", BASE), ("remote", REMOTE)):
        changed = {
            "a bit flipped": (stored[:at] + bytes([stored[at] ^ 1 << bit]) + stored[at + 1:]
                              for at in range(len(stored)) for bit in range(8)),
            "cut": (stored[:end] for end in range(len(stored))),
            "a byte left out": (stored[:at] + stored[at + 1:] for at in range(len(stored))),
            "bytes added": (stored + bytes(count) for count in range(1, 40)),
        }
        for change, objects in changed.items():
            yield f"compact {kind}, {change}", lambda o=objects: all(_word(partial(_open, s)) in ERRORS for s in o)


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
        yield name, partial(_vector, case, stored[case["id"]], _lent_seed)
        if "seed" in case:
            yield f"{name} [key service]", partial(_vector, case, stored[case["id"]], _served_seed)
        if case["expect"] == "ok":
            yield f"{name} [sealed again]", partial(_sealed_again, case, stored[case["id"]])


def _vector(case, stored, seed_of):
    name, key, path = _inputs(case)
    keys, seeds = {name: encode(key)}, {}
    if "seed" in case:
        # The ciphertext of another object keeps the name lent where this key opens nothing in the object.
        keys, seeds = {}, {encode(b"another"): encode(SEED), **seed_of(case, stored, key)}
    opened = _ask({"do": "open-compact", "stored": encode(stored), "store": case["store"], "path": encode(path),
                   "keys": keys, "seeds": seeds})
    if case["expect"] != "ok":
        return opened == {"ok": False, "error": case["expect"]}
    remote = {"kind": "remote", "context": seed_context(case["store"]).decode()}
    return opened == {"ok": True, "plaintext": encode(_plaintext(case)), "key": name,
                      **(remote if "seed" in case else {"kind": "secret"})}


def _lent_seed(case, stored, key):
    """The seed that the case names, for whatever ciphertext is in the object."""
    sealed = _sealed_seed(stored)
    return {} if sealed is None else {encode(sealed): case["seed"]}


def _served_seed(case, stored, key):
    """What a key service with this key makes of the ciphertext in this store's context."""
    sealed = _sealed_seed(stored)
    try:
        return {} if sealed is None else {
            encode(sealed): encode(open_data_key(sealed, key, seed_context(case["store"]))[0])}
    except (FormError, InvalidTag):
        return {}


def _sealed_again(case, stored):
    name, key, path = _inputs(case)
    head, _, sealed, _, _ = split_compact(stored)
    key = base64.b64decode(case["seed"]) if "seed" in case else key
    again = seal_compact(_plaintext(case), case["store"], path, name, key, sealed, head[SALT_START:HEAD_START])
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
    under, sealed = ({"key": encode(KEY)}, b"") if kind == "secret" else (
        {"seed": encode(SEED), "seed_ciphertext": encode(sealed_seed(STORE))}, sealed_seed(STORE))
    place = {"store": STORE, "path": encode(PATH)}
    stored = _ask({"do": "seal-compact", "plaintext": encode(pattern(size)), "name": NAME, **place, **under})["stored"]
    opening = {"do": "open-compact", "stored": stored, **place, "keys": {NAME: encode(KEY)},
               "seeds": {encode(sealed): encode(SEED)} if sealed else {}}
    # The sizes that the description gives, and 16 bytes for each further fragment.
    overhead = (86 if kind == "secret" else 163) + 16 * max(0, -(-size // 65536) - 1)
    opened = _ask(opening)
    return (opened["plaintext"] == encode(pattern(size)) and opened["kind"] == kind and opened["key"] == NAME
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
    return open_compact(stored, STORE, PATH, dict.fromkeys(names, KEY), {sealed_seed(STORE): SEED})


def _word(action):
    try:
        action()
    except FormError as error:
        return str(error)
    return None


def _ask(request):
    return json.loads(json.dumps(answer(json.dumps(request).encode())))
