"""Makes tests/vectors/compact.json: the vectors of the compact form, the same bytes at every run.

`python make_compact_vectors.py` writes the file. README.md describes its fields. Keys, salts and seeds
come from SHA-256 of a label and most cases share a salt, which no writer may do.
"""

import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compact import (COMMITMENT_SIZE, FRAGMENT_SIZE, HEAD_START, MARKED, PREFIX, SALT_START, TAG_SIZE, derive,
                     seal_body, seal_compact, seal_fragment, seed_context, varint, write_head)
from text import encode

FILE = Path(__file__).parent.parent / "vectors" / "compact.json"
# A large plaintext is these bytes over and over, and only its size is in the file. Their number does not
# divide the fragment size, so no two fragments are the same.
PATTERN = bytes(range(251))


def fixed(label, size=32):
    """Return up to 32 bytes that only the label decides."""
    return hashlib.sha256(b"iamseal compact vectors: " + label.encode()).digest()[:size]


STORE, PATH, NAME, PLAINTEXT = "site-a", b"config/iam/format.json", "a-key", b'{"version":1}'
KEY, OTHER_KEY, SEED = fixed("key"), fixed("other key"), fixed("seed")
SALT = fixed("salt")


def encrypted_seed(context, key=KEY, seed=SEED):
    """Encrypt a seed as MinIO's static key does; returns iv, nonce, ciphertext with its tag."""
    iv, nonce = fixed("seed iv", 16), fixed("seed nonce", 12)
    return iv, nonce, AESGCM(hmac.digest(key, iv, "sha256")).encrypt(nonce, seed, context)


def sealed_seed(store, seed=SEED):
    """Return an encrypted seed in the binary encoding, of 76 bytes."""
    iv, nonce, ciphertext = encrypted_seed(seed_context(store), seed=seed)
    return ciphertext + iv + nonce


def json_sealed_seed(store):
    """Return the same in the JSON encoding, whose size takes two bytes."""
    parts = encrypted_seed(seed_context(store))
    return (b'{"aead":"AES-256-GCM-HMAC-SHA-256","iv":"%s","nonce":"%s","bytes":"%s"}'
            % tuple(encode(part).encode() for part in parts))


HEAD = write_head(SALT, NAME, sealed_seed(STORE))
# Offsets in an object with this head.
NAME_END, COMMITMENT = HEAD_START + 1 + len(NAME), len(HEAD)
SEED_START = NAME_END + 1
BODY = COMMITMENT + COMMITMENT_SIZE


def sealed(plaintext=PLAINTEXT, store=STORE, path=PATH, name=NAME, seed=SEED, ciphertext=None, salt=SALT):
    """Seal an object; the seed's ciphertext is the one of the store unless it is given."""
    return seal_compact(plaintext, store, path, name, seed, ciphertext or sealed_seed(store, seed), salt)


BASE = sealed()


def cases():
    """Return all cases in the order of the file."""
    return [*sizes(), *bindings(), *seeds(), *wrong_inputs(), *changed_headers(), *forged_headers(), *cuts(),
            *bodies(), *large_bodies()]


def sizes():
    """Plaintexts around the edges of fragments."""
    for size in (0, 1, 100):
        plaintext = fixed("plaintext", size) if size < 32 else pattern(size)
        yield _case(f"size-{size}", f"{size} bytes", sealed(plaintext), plaintext=plaintext)
    yield _case("size-65536", "one full fragment", _large(FRAGMENT_SIZE), plaintext=FRAGMENT_SIZE)
    # A shorter last fragment under the same nonce has the same ciphertext as far as it goes, and another tag.
    shorter = _large(FRAGMENT_SIZE - 1)
    parts = [["size-65536", 0, len(shorter) - TAG_SIZE], shorter[-TAG_SIZE:]]
    yield _case("size-65535", "one byte less than a fragment", parts, plaintext=FRAGMENT_SIZE - 1)
    yield _case("size-131073", "two full fragments and one byte", _large(2 * FRAGMENT_SIZE + 1),
                plaintext=2 * FRAGMENT_SIZE + 1)
    longer = _large(FRAGMENT_SIZE + 1)
    parts = [["size-131073", 0, len(longer) - 1 - TAG_SIZE], longer[-1 - TAG_SIZE:]]
    yield _case("size-65537", "one full fragment and one byte", parts, plaintext=FRAGMENT_SIZE + 1)


def bindings():
    """Stores, paths and key names of all kinds."""
    for id_, store, note in (("store-empty", "", "empty store name"),
                             ("store-non-ascii", "Zürich \u2028 東京 😀", "non-ASCII store name"),
                             ("store-slash", "eu/west\0", "slash and NUL in the store name"),
                             ("store-escaped", '<"\\&>\n\r\t\x08\x7f/\u2028é', "store name that the context escapes")):
        yield _sealed(id_, note, store=store)
    unclean = b"/config//./iam/users/../format.json/"
    yield _case("path-unclean", "sealed for the clean path, opened by another way to write it", BASE, path=unclean)
    not_cleaned = HEAD + _commitment_and_body(HEAD, path=unclean)
    yield _case("path-not-cleaned", "bound to a path as written, not cleaned", not_cleaned, "header-not-authentic",
                path=unclean)
    yield _sealed("path-not-utf8", "path that is not UTF-8", path=b"config/iam/policies/\xff\xe2\x82/policy.json")
    for id_, name, note in (("name-empty", "", "empty key name"),
                            ("name-128", "n" * 128, "shortest key name whose size takes two bytes"),
                            ("name-200", "k" * 200, "long key name"),
                            ("name-non-ascii", "clé-鍵-😀", "non-ASCII key name")):
        yield _sealed(id_, note, name=name)


def seeds():
    """Seeds that serve several objects, that are written down otherwise, and that belong elsewhere."""
    fail = "header-not-authentic"
    yield _sealed("same-seed", "another object under the seed of `size-100`", path=b"config/config.json",
                  salt=fixed("another salt"))
    yield _sealed("another-seed", "another seed of the same key", seed=fixed("another seed"))
    yield _sealed("json-seed", "seed in the JSON encoding, whose size takes two bytes",
                  ciphertext=json_sealed_seed(STORE))
    yield _case("seed-of-another-store", "sealed for site-b with a seed that is bound to site-a",
                sealed(store="site-b", ciphertext=sealed_seed("site-a")), fail, store="site-b")
    for id_, context, note in (("minio", b'{".minio.sys":".minio.sys/config/iam/format.json"}', "MinIO's context"),
                               ("nothing", b"", "nothing")):
        iv, nonce, ciphertext = encrypted_seed(context)
        yield _case(f"seed-bound-to-{id_}", f"seed that is bound to {note}",
                    sealed(ciphertext=ciphertext + iv + nonce), fail)
    yield _case("seed-is-the-key", "the key itself in the place of the seed", sealed(seed=KEY, ciphertext=sealed_seed(STORE)),
                fail)
    yield _case("seed-empty", "seed of no bytes", HEAD[:NAME_END] + b"\0" + BASE[COMMITMENT:], fail)


def wrong_inputs():
    """Good objects, opened with something else than they were sealed with."""
    fail = "header-not-authentic"
    yield _case("wrong-key", "other key bytes under the same name", BASE, fail, key=OTHER_KEY)
    yield _case("wrong-key-seed", "a key of that name that has the bytes of the seed", BASE, fail, key=SEED)
    yield _case("wrong-name", "no key of that name is lent", BASE, "key-not-found", name="another-key")
    yield _case("wrong-store", "another store: the seed is bound to it as well", BASE, fail, store="site-b")
    yield _case("wrong-path", "another path", BASE, fail, path=b"config/config.json")
    moved = sealed(path=b"bc/d", store="site-a")
    yield _case("boundary-shifted", "sealed for store site-a, path bc/d", moved, fail, store="site-ab", path=b"c/d")


def changed_headers():
    """Good objects with one byte of the header changed."""
    fail = "header-not-authentic"
    yield _case("flip-prefix-0", "first byte of the prefix", _flip(BASE, 0), "unknown-form")
    yield _case("flip-salt-first", "first byte of the salt", _flip(BASE, SALT_START), fail)
    yield _case("flip-name", "last byte of the name; the other name is lent with the key", _flip(BASE, NAME_END - 1),
                fail, name="a-kex")
    yield _case("flip-name-not-lent", "last byte of the name; the other name is not lent", _flip(BASE, NAME_END - 1),
                "key-not-found")
    yield _case("flip-seed-size", "size of the seed 76 to 77, so it takes in a byte of the commitment",
                _flip(BASE, NAME_END), fail)
    yield _case("flip-seed-first", "first byte of the seed", _flip(BASE, SEED_START), fail)
    yield _case("flip-seed-last", "last byte of the seed", _flip(BASE, COMMITMENT - 1), fail)
    yield _case("flip-commitment-first", "first byte of the commitment", _flip(BASE, COMMITMENT), fail)


def forged_headers():
    """Headers that no writer makes, with the commitment and body that a lenient reader would expect."""
    def forged(salt=HEAD[:HEAD_START], size=varint(len(NAME)), name=NAME.encode(), seed_size=varint(76)):
        head = salt + size + name + seed_size + sealed_seed(STORE)
        return head + _commitment_and_body(head)

    yield _case("version-2", "version 2", forged(PREFIX + b"\x02" + HEAD[SALT_START:HEAD_START]), "unsupported")
    marked = SALT_START + MARKED
    unmarked = HEAD[:marked] + bytes([HEAD[marked] & 0x7F]) + HEAD[marked + 1:HEAD_START]
    yield _case("unmarked", "marked bit cleared", forged(unmarked), "malformed")
    yield _case("name-not-utf8", "ff in the name", forged(name=b"a-\xffxy"), "malformed", name="a-\ufffdxy")
    yield _case("name-surrogate", "encoded surrogate in the name", forged(name=b"a\xed\xa0\x80y"), "malformed",
                name="a\ufffd\ufffd\ufffdy")
    yield _case("name-size-long", "size of the name in one byte more than needed", forged(size=b"\x85\x00"),
                "malformed")
    yield _case("name-size-rewritten", "the same with a commitment to the shorter way to write it",
                HEAD[:HEAD_START] + b"\x85\x00" + BASE[HEAD_START + 1:], "malformed")
    yield _case("name-size-6", "size of the name in six bytes", forged(size=b"\x85\x80\x80\x80\x80\x00"), "malformed")
    yield _case("name-size-over", "size of the name over the object's", forged(size=b"\xff\xff\xff\xff\x0f"),
                "malformed")
    yield _case("seed-size-long", "size of the seed in two bytes more than needed", forged(seed_size=b"\xcc\x80\x00"),
                "malformed")
    yield _case("seed-size-over", "size of the seed over the object's", forged(seed_size=b"\xff\xff\xff\xff\x0f"),
                "malformed")


def cuts():
    """Objects cut at every boundary."""
    for id_, end, note in (("prefix", SALT_START, "after the prefix"), ("salt", HEAD_START, "after the salt"),
                           ("name", NAME_END, "after the name"), ("seed-size", SEED_START, "after the seed's size"),
                           ("seed", COMMITMENT, "after the seed"), ("commitment", BODY, "after the commitment"),
                           ("in-tag", BODY + TAG_SIZE - 1, "body of 15 bytes")):
        yield _case(f"cut-{id_}", note, BASE[:end], "malformed")
    yield _case("cut-to-a-tag", "body of 16 bytes, the size of an empty plaintext", BASE[:BODY + TAG_SIZE],
                "body-not-authentic")
    yield _case("cut-last-byte", "last byte", BASE[:-1], "body-not-authentic")


def bodies():
    """Small bodies that no writer makes."""
    fail = "body-not-authentic"
    yield _case("flip-body", "first byte of the body", _flip(BASE, BODY), fail)
    yield _case("flip-tag", "last byte of the tag", _flip(BASE, len(BASE) - 1), fail)
    yield _case("trailing-byte", "one byte more", BASE + b"\0", fail)
    empty = sealed(b"")
    yield _case("trailing-byte-empty", "one byte after an empty plaintext", empty + b"\0", fail)
    body_key = derive(SEED, HEAD, STORE, PATH)[1]
    unfinished = seal_fragment(body_key, 0, False, PLAINTEXT)
    yield _case("not-last", "only fragment not marked as the last", BASE[:BODY] + unfinished, fail)
    other = sealed(salt=fixed("another salt"))
    yield _case("body-of-another", "body of an object with another salt", BASE[:BODY] + other[BODY:], fail)


def large_bodies():
    """Fragments of the large cases, moved about."""
    fail, full = "body-not-authentic", FRAGMENT_SIZE + TAG_SIZE
    body_key = derive(SEED, HEAD, STORE, PATH)[1]
    start, first, second, last = (["size-131073", *span] for span in (
        (0, BODY), (BODY, BODY + full), (BODY + full, BODY + 2 * full), (BODY + 2 * full, BODY + 2 * full + 17)))
    only = ["size-65536", 0, BODY + full]
    byte = pattern(FRAGMENT_SIZE + 1)[FRAGMENT_SIZE:]
    for id_, note, expect, parts in (
            ("fragments-swapped", "second fragment before the first", fail, [start, second, first, last]),
            ("fragment-dropped", "first fragment left out", fail, [start, second, last]),
            ("fragment-doubled", "first fragment twice", fail, [start, first, first, second, last]),
            ("last-dropped", "cut at the edge of a fragment", "cut-short", [start, first, second]),
            ("last-not-marked", "no fragment is marked as the last", fail,
             [start, first, seal_fragment(body_key, 1, False, byte)]),
            ("after-the-last", "a fragment after one that is marked as the last", fail,
             [only, seal_fragment(body_key, 1, True, byte)]),
            ("last-empty", "full fragment and an empty last one", "malformed",
             [start, first, seal_fragment(body_key, 1, True, b"")]),
            ("impossible-size-1", "full fragment and 1 byte", "malformed", [only, b"\0"]),
            ("impossible-size-16", "full fragment and 16 bytes of the next", "malformed",
             [start, first, ["size-131073", BODY + full, BODY + full + TAG_SIZE]])):
        yield _case(id_, note, parts, expect)


def generate():
    """Return the bytes of the file."""
    # ASCII alone, so that line separators and such in names stay visible.
    return (json.dumps(cases(), indent=1) + "\n").encode()


def pattern(size):
    """Return the large plaintext of a size."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def _sealed(id_, note, store=STORE, path=PATH, name=NAME, **how):
    stored = sealed(store=store, path=path, name=name, **how)
    return _case(id_, note, stored, store=store, path=path, name=name)


def _case(id_, note, stored, expect="ok", store=STORE, path=PATH, name=NAME, key=KEY, plaintext=PLAINTEXT):
    case = {"id": id_, "store": store}
    try:
        case["path"] = path.decode()
    except UnicodeDecodeError:
        case["path_b64"] = encode(path)
    case["key"] = f"{name}:{encode(key)}"
    if isinstance(plaintext, int):
        case["plaintext_size"] = plaintext
    else:
        # There is no plaintext to compare where none comes back.
        case["plaintext_b64"] = encode(plaintext if expect == "ok" else b"")
    if isinstance(stored, bytes):
        case["stored_b64"] = encode(stored)
    else:
        case["stored_parts"] = [encode(part) if isinstance(part, bytes) else part for part in stored]
    return {**case, "expect": expect, "note": note}


def _large(size):
    return sealed(pattern(size))


def _commitment_and_body(head, path=PATH):
    commitment, body_key = derive(SEED, head, STORE, path)
    return commitment + seal_body(body_key, PLAINTEXT)


def _flip(stored, at):
    return stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1:]


if __name__ == "__main__":
    FILE.write_bytes(generate())
