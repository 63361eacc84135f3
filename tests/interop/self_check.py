"""Checks of this implementation: published vectors, MinIO's vectors, those of the compact form, and round trips.

Every check is a name and a function that returns whether it passed.
"""

import base64
import itertools
import json
import re
from functools import partial

from cryptography.exceptions import InvalidTag

import compact_check
from data_key import ENCODINGS, open_data_key, seal_data_key
from forms import (CIPHERS, CONTEXTS, JSON_STYLES, context_text, open_root_credential, open_sealed, open_stream,
                   seal, seal_fragments, split_sealed)
from hchacha import XChaCha20Poly1305, hchacha20
from minio_forms import answer
from text import FormError, encode

KEY = bytes(range(32))
NAME = "a-key"
# Around the fragment size, and more than two fragments.
SIZES = (0, 1, 16383, 16384, 16385, 32768, 40000)
PATHS = (b"config/config.json", b"config//iam/./x/../format.json", 'config/iam/<"\\\n\u2028é>'.encode(),
         b"bad\xff\xe2\x82")
# Parts of MinIO's errors in the vectors, and the reason given here for the same fault. The first that fits counts.
REASONS = (
    ("config.encryptedObject", "malformed metadata"),
    ("Unmarshal:", "malformed metadata"),
    ("PANIC", "data key is too short"),
    ("failed to decrypt ciphertext", "data key is not authentic"),
    ("sio: data is not authentic", "stream is not authentic"),
    ("sio: invalid algorithm name", "unknown cipher"),
    ("key with given key ID does not exist", "unknown key name"),
    ("metadata is too large", "metadata is too large"),
    ("unknown ciphertext version", "unknown version"),
    ("invalid encryption algorithm ID", "unknown id"),
    ("EOF", "short object"),
)


def run(files):
    """Run every check, print a line for each, and return the exit status."""
    counts = {True: 0, False: 0}
    parts = (draft_checks(), context_checks(), data_key_checks(), sealed_checks(), root_credential_checks(),
             stream_checks(), request_checks(), compact_check.known_checks(), compact_check.round_trip_checks(),
             compact_check.damage_checks(), compact_check.request_checks(), *map(vector_checks, files))
    for name, check in itertools.chain(*parts):
        try:
            passed, why = bool(check()), ""
        except Exception as error:  # a fault of one check must not hide the others
            passed, why = False, f" ({type(error).__name__}: {error})"
        counts[passed] += 1
        print("pass" if passed else "FAIL", name + why)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


def draft_checks():
    """The vectors of draft-irtf-cfrg-xchacha-03, sections 2.2.1 and A.3.1."""
    subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    block = bytes.fromhex("000000090000004a0000000031415927")
    yield "HChaCha20, draft", lambda: hchacha20(KEY, block).hex() == subkey
    aead, nonce = XChaCha20Poly1305(bytes(range(0x80, 0xA0))), bytes(range(0x40, 0x58))
    plaintext = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                 b"sunscreen would be it.")
    associated_data = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = bytes.fromhex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
        "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52e" "c0875924c1c7987947deafd8780acf49")
    yield "XChaCha20-Poly1305, draft, seal", lambda: aead.encrypt(nonce, plaintext, associated_data) == sealed
    yield "XChaCha20-Poly1305, draft, open", lambda: aead.decrypt(nonce, sealed, associated_data) == plaintext


def context_checks():
    """KMS context texts."""
    cases = [
        ("joined", b"config/iam/format.json", b".minio.sys/config/iam/format.json"),
        ("bare", b"config/iam/format.json", b"config/iam/format.json"),
        ("joined", b"/a//./b/../c/", b".minio.sys/a/c"),
        ("joined", b"../../x", b"../x"),
        ("joined", b"..", b"."),
        ("bare", b"/a//./b/../c/", b"/a//./b/../c/"),
        ("bare", b"\"\\/\n\r\t\x08\x1f<>&\x7f", rb"\"\\/\n\r\t\u0008\u001f\u003c\u003e\u0026" + b"\x7f"),
        ("bare", "é\u2028\u2029\ufffd".encode(), "é\\u2028\\u2029\ufffd".encode()),
        # A cut sequence of two bytes, then an encoded surrogate of three: one replacement for each byte.
        ("bare", b"\xe2\x82z\xed\xa0\x80", rb"\ufffd\ufffdz\ufffd\ufffd\ufffd"),
    ]
    for context, path, value in cases:
        text = b'{".minio.sys":"' + value + b'"}'
        yield f"context {context} {path!r}", lambda c=context, p=path, t=text: context_text(p, c) == t


def data_key_checks():
    """Data key ciphertexts: their shape, and that the associated data and the key count."""
    message_pack = rb"\xd9\x20[0-9a-f]{32}\xc4\x10.{16}\xc4\x0c.{12}\xc4\x30.{48}"
    shapes = {
        "binary": rb".{76}",
        "json-aes": rb'\{"aead":"AES-256-GCM-HMAC-SHA-256","iv":".{24}","nonce":".{16}","bytes":".{64}"\}',
        "json-chacha": rb'\{"aead":"ChaCha20Poly1305","iv":".{24}","nonce":".{16}","bytes":".{64}"\}',
        "message-pack-aes": rb"\x95\xb1AES256-GCM_SHA256" + message_pack,
        "message-pack-chacha": rb"\x95\xb2XCHACHA20-POLY1305" + message_pack,
    }
    for encoding in ENCODINGS:
        sealed = seal_data_key(KEY, KEY, b"{}", encoding)
        yield f"data key {encoding}, shape", partial(re.fullmatch, shapes[encoding], sealed, re.DOTALL)
        yield f"data key {encoding}, context", partial(_not_authentic, sealed, KEY, b"{ }")
        yield f"data key {encoding}, key", partial(_not_authentic, sealed, KEY[::-1], b"{}")
        yield f"data key {encoding}, trailing byte", partial(_not_authentic, sealed + b"\n", KEY, b"{}")
    # The metadata sizes of MinIO's writers, less the size of the key name.
    for cipher, encoding, size in (("AES-256-GCM", "binary", 177), ("ChaCha20-Poly1305", "binary", 183),
                                   ("AES-256-GCM", "json-aes", 301)):
        stored = seal(b"p", b"", NAME, KEY, cipher, encoding, "joined")
        yield (f"metadata size {cipher} {encoding}",
               lambda s=stored, n=size: int.from_bytes(s[1:5], "little") == n + len(NAME))


def sealed_checks():
    """Round trips of every way to write a sealed object."""
    ways = itertools.product(CIPHERS, ENCODINGS, CONTEXTS, JSON_STYLES)
    for (cipher, encoding, context, style), size, path in zip(ways, itertools.cycle(SIZES), itertools.cycle(PATHS)):
        yield (f"sealed {cipher} {encoding} {context} {style} {size} bytes",
               partial(_sealed_round_trip, cipher, encoding, context, style, size, path))


def root_credential_checks():
    """Round trips of every id of the root credential form."""
    for id_, size in itertools.product((0, 1, 2), (0, 20000)):
        yield f"root credential id {id_} {size} bytes", partial(_root_round_trip, id_, size)


def stream_checks():
    """Streams that no writer makes must not open."""
    full, part = bytes(16384), b"part"
    for cipher, (_, key_size, nonce_size) in CIPHERS.items():
        make = partial(seal_fragments, cipher, KEY[:key_size], bytes(nonce_size))
        good = make([full, full, part])
        first, second, last = good[:16400], good[16400:32800], good[32800:]
        bad = {
            "nothing": b"", "part of a tag": good[:15], "cut at a fragment edge": first + second,
            "last fragment alone": last, "swapped": second + first + last, "dropped": first + last,
            "doubled": first + first + second + last, "one byte more": good + b"\0", "one byte less": good[:-1],
            "final fragment twice": good + last,
            "after the final fragment": make([full]) + make([full, part])[16400:],
            "empty last fragment": make([full, b""]), "short first fragment": make([part, part]),
            "long fragment": make([full + part]),
        }
        yield f"stream {cipher}", lambda c=cipher, k=key_size, n=nonce_size, s=good: (
            open_stream(c, KEY[:k], bytes(n), s) == full + full + part)
        for fault, stream in bad.items():
            opening = partial(open_stream, cipher, KEY[:key_size], bytes(nonce_size), stream)
            yield f"stream {cipher}, {fault}", partial(_refused, opening, "stream is not authentic")


def request_checks():
    """Bad requests are answered and do not raise."""
    seal_request = {"do": "seal-minio", "path": "", "plaintext": "", "name": "n", "key": encode(KEY),
                    "cipher": "AES-256-GCM", "data_key_encoding": "binary", "context": "joined"}
    yield "request", lambda: _ask(seal_request)["ok"]
    bad = [b"", b"\n", b"{", b"\xff", b"[]", b"null", b'{"do":1}', b'{"do":["open-minio"]}', b"[" * 100000,
           b'{"do":"open-minio"}', b'{"do":"other"}', b'{"do":' + b"9" * 5000 + b"}"]
    wrong = {"path": "AA", "plaintext": None, "name": "\ud800", "key": encode(b"short"), "cipher": "aes-256-gcm",
             "data_key_encoding": "json", "context": ["joined"], "json_style": {}}
    bad += [json.dumps({**seal_request, field: value}).encode() for field, value in wrong.items()]
    credential = {"do": "seal-root-credential", "plaintext": "", "user": "u", "password": "p"}
    bad += [json.dumps({**credential, "id": id_}).encode() for id_ in (3, -1, True, 1.0, "1")]
    for line in bad:
        yield f"bad request {line[:60]!r}", lambda l=line: answer(l)["ok"] is False


def vector_checks(file):
    """The cases of a vector file: of the compact form, or made with MinIO's code.

    MinIO's are checked each in its named form and over the whole read path.
    """
    with open(file, encoding="utf-8") as vectors:
        cases = json.load(vectors)
    # Only the compact form is bound to a store.
    if cases and "store" in cases[0]:
        yield from compact_check.vector_checks(file, cases)
        return
    for case in cases:
        name = f"{case['id']} {case['kind']}: {case['note']}"
        if case["kind"] in ("dare-wire-2018", "masterkey-dek-2018"):
            print("skip", name, "(never at rest)")
            continue
        if case["kind"] != "auto":
            yield name, partial(_vector, case)
        yield f"{name} [read path]", partial(_read_path_vector, case)


def _vector(case):
    stored, path, keys = _inputs(case)
    if case["kind"] == "kms":
        opening = lambda: open_sealed(stored, path, keys, (case["context_variant"],))["plaintext"]
    elif case["kind"] == "legacy":
        opening = lambda: open_root_credential(stored, case["root_user"], case["root_password"])[0]
    else:
        raise ValueError("unknown kind")
    if case["expect"] == "ok":
        return opening() == base64.b64decode(case["plaintext_b64"])
    return _refused(opening, next(reason for part, reason in REASONS if part in case["minio_error"]))


def _read_path_vector(case):
    opening = partial(_read_path, *_inputs(case), case["root_user"], case["root_password"])
    if case["auto_result"].startswith("error: "):
        return _refused(opening)
    form, plaintext = opening()
    # A case that expects an error names no plaintext, even where the read path finds one.
    same = case["expect"] == "error" or plaintext == base64.b64decode(case["plaintext_b64"])
    return same and case["auto_result"] == ("plaintext-passthrough" if form == "plaintext" else "ok")


def _read_path(stored, path, keys, user, password):
    try:
        stored.decode()
        is_text = True
    except UnicodeDecodeError:
        is_text = False
    if len(stored) >= 57 and stored[32] <= 2 and not is_text:
        return "root credential", open_root_credential(stored, user, password)[0]
    try:
        split_sealed(stored)
    except FormError as error:
        if is_text:
            return "plaintext", stored
        raise FormError("unknown form") from error
    return "sealed", open_sealed(stored, path, keys)["plaintext"]


def _inputs(case):
    path = base64.b64decode(case["path_b64"]) if "path_b64" in case else case["path"].encode()
    name, _, key = case["key"].partition(":")
    return base64.b64decode(case["ciphertext_b64"]), path, {name: base64.b64decode(key)} if name else {}


def _sealed_round_trip(cipher, encoding, context, style, size, path):
    plaintext = encode(bytes(size))
    sealed = _ask({"do": "seal-minio", "path": encode(path), "plaintext": plaintext, "name": NAME, "key": encode(KEY),
                   "cipher": cipher, "data_key_encoding": encoding, "context": context, "json_style": style})
    stored = base64.b64decode(sealed["stored"])
    opening = {"do": "open-minio", "stored": sealed["stored"], "path": encode(path),
               "keys": {"other": encode(KEY[::-1]), NAME: encode(KEY)}}
    reported = re.sub("-(aes|chacha)$", "", encoding)
    flipped = encode(stored[:-1] + bytes([stored[-1] ^ 1]))
    fragments = max(1, -(-size // 16384))
    return (_ask(opening) == {"ok": True, "plaintext": plaintext, "key": NAME, "cipher": cipher,
                              "data_key_encoding": reported, "context": context}
            and len(stored) == 5 + int.from_bytes(stored[1:5], "little") + size + 16 * fragments
            and _ask({**opening, "stored": flipped})["error"] == "stream is not authentic"
            and _ask({**opening, "path": encode(path + b"x")})["error"] == "data key is not authentic"
            and _ask({**opening, "keys": {NAME: encode(KEY[::-1])}})["error"] == "data key is not authentic"
            and _ask({**opening, "keys": {"other": encode(KEY)}})["error"] == "unknown key name")


def _root_round_trip(id_, size):
    credential = {"user": "user", "password": "pass:word"}
    sealed = _ask({"do": "seal-root-credential", "plaintext": encode(bytes(size)), "id": id_, **credential})
    opening = {"do": "open-root-credential", "stored": sealed["stored"], **credential}
    return (_ask(opening) == {"ok": True, "plaintext": encode(bytes(size)), "id": id_}
            and _ask({**opening, "password": "password"})["error"] == "stream is not authentic"
            # Only the joined text counts, so a colon can move.
            and _ask({**opening, "user": "user:pass", "password": "word"})["ok"])


def _ask(request):
    return json.loads(json.dumps(answer(json.dumps(request).encode())))


def _refused(opening, reason=None):
    try:
        opening()
    except FormError as error:
        return reason in (None, str(error))
    return False


def _not_authentic(sealed, key, associated_data):
    try:
        open_data_key(sealed, key, associated_data)
    except InvalidTag:
        return True
    return False
