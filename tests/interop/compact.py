"""The compact form, version 1: a second implementation, written from docs/formats/compact.md alone.

An error is one word, so that the tests can compare it with the reader's: `unknown-form`,
`unsupported`, `malformed`, `key-not-found`, `header-not-authentic`, `body-not-authentic`,
`cut-short`, `refused`.
"""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from forms import join_path
from text import FormError, escape

PREFIX = b"\xf9\x69\x73"
VERSION = 1
SALT_START, SALT_SIZE = 4, 32
HEAD_START = SALT_START + SALT_SIZE
# The byte of the salt whose top bit is set: offset 32 of the object.
MARKED = 28
UNDER_SECRET, UNDER_REMOTE = b"\x00", b"\x01"
COMMITMENT_SIZE = 32
KEY_SIZE = 32
FRAGMENT_SIZE = 65536
TAG_SIZE = 16
# More groups of 7 bits than any object's size needs: what is longer cannot be the shortest.
SIZE_GROUPS = 5


def open_compact(stored, store, path, keys, seeds):
    """Open an object; returns `plaintext` as bytes, `key`, `kind` and, for a remote key, the `context`.

    `keys` are secret keys by name. `seeds` are plaintexts by seed ciphertext; if there are any, every
    name is also lent as a remote key, which opens these ciphertexts and no others.
    """
    path = clean_path(path)
    head, name, sealed_seed, commitment, body = split_compact(stored)
    if name not in keys and not seeds:
        raise FormError("key-not-found")
    key = keys.get(name) if sealed_seed is None else seeds.get(sealed_seed)
    if key is None or len(key) != KEY_SIZE:
        raise FormError("header-not-authentic")
    expected, body_key = derive(key, head, store, path)
    if not hmac.compare_digest(expected, commitment):
        raise FormError("header-not-authentic")
    opened = {"plaintext": open_body(body_key, body), "key": name}
    if sealed_seed is None:
        return {**opened, "kind": "secret"}
    return {**opened, "kind": "remote", "context": seed_context(store).decode()}


def seal_compact(plaintext, store, path, name, key, sealed_seed=None, salt=None):
    """Seal an object under a secret key, or under a seed if its ciphertext is given."""
    head = write_head(os.urandom(SALT_SIZE) if salt is None else salt, name, sealed_seed)
    commitment, body_key = derive(key, head, store, clean_path(path))
    return head + commitment + seal_body(body_key, plaintext)


def split_compact(stored):
    """Split an object in head, key name, seed ciphertext (None under a secret key), commitment and body."""
    if not stored.startswith(PREFIX):
        raise FormError("unknown-form")
    if len(stored) < SALT_START:
        raise FormError("malformed")
    if stored[len(PREFIX)] != VERSION:
        raise FormError("unsupported")
    if len(stored) < HEAD_START or not stored[SALT_START + MARKED] & 0x80:
        raise FormError("malformed")
    name, at = _sized(stored, HEAD_START)
    kind, at = stored[at:at + 1], at + 1
    sealed_seed = None
    if kind == UNDER_REMOTE:
        sealed_seed, at = _sized(stored, at)
    elif kind != UNDER_SECRET:
        raise FormError("malformed")
    body = stored[at + COMMITMENT_SIZE:]
    if not _is_body_size(len(body)):
        raise FormError("malformed")
    try:
        name = name.decode()
    except UnicodeDecodeError:
        raise FormError("malformed") from None
    return stored[:at], name, sealed_seed, stored[at:at + COMMITMENT_SIZE], body


def write_head(salt, name, sealed_seed):
    """Write everything before the commitment; the mark is set in whatever salt is given."""
    if len(salt) != SALT_SIZE:
        raise FormError("a salt has 32 bytes")
    salt = salt[:MARKED] + bytes([salt[MARKED] | 0x80]) + salt[MARKED + 1:]
    name = name.encode()
    kind = UNDER_SECRET if sealed_seed is None else UNDER_REMOTE + varint(len(sealed_seed)) + sealed_seed
    return PREFIX + bytes([VERSION]) + salt + varint(len(name)) + name + kind


def derive(key, head, store, path):
    """Return the commitment and the body key; `path` is clean."""
    store = store.encode()
    transcript = Hash(SHA256())
    transcript.update(head + len(store).to_bytes(8, "little") + store + path)
    okm = HKDFExpand(SHA256(), COMMITMENT_SIZE + KEY_SIZE, transcript.finalize()).derive(key)
    return okm[:COMMITMENT_SIZE], okm[COMMITMENT_SIZE:]


def clean_path(path):
    """Clean a path; the root itself and what lies outside it name no object."""
    path = join_path(b"", path)
    if path in (b".", b"..") or path.startswith(b"../"):
        raise FormError("refused")
    return path


def seed_context(store):
    """Return the context of a seed as text: the associated data of a remote KMS."""
    return b'{"iamseal":"%s"}' % escape(store.encode())


def seal_body(body_key, plaintext):
    """Seal a plaintext as a body."""
    fragments = _split(plaintext, FRAGMENT_SIZE)
    return b"".join(seal_fragment(body_key, index, index == len(fragments) - 1, fragment)
                    for index, fragment in enumerate(fragments))


def seal_fragment(body_key, index, is_last, fragment):
    """Seal one fragment at any place; a body of fragments in wrong places is a bad one."""
    return ChaCha20Poly1305(body_key).encrypt(_nonce(index, is_last), fragment, None)


def open_body(body_key, body):
    """Open a body whole; nothing is returned unless every fragment is authentic."""
    fragments = _split(body, FRAGMENT_SIZE + TAG_SIZE)
    *before, last = fragments
    plaintext = [_open_fragment(body_key, index, False, fragment) for index, fragment in enumerate(before)]
    plaintext.append(_open_fragment(body_key, len(before), True, last))
    if None not in plaintext:
        return b"".join(plaintext)
    came_before_others = _open_fragment(body_key, len(before), False, last)
    if None not in plaintext[:-1] and came_before_others is not None and len(last) == FRAGMENT_SIZE + TAG_SIZE:
        raise FormError("cut-short")
    raise FormError("body-not-authentic")


def _open_fragment(body_key, index, is_last, fragment):
    """None if it is not authentic."""
    try:
        return ChaCha20Poly1305(body_key).decrypt(_nonce(index, is_last), fragment, None)
    except InvalidTag:
        return None


def varint(number):
    """Write a number as a varint, in as few bytes as it needs."""
    groups = []
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def _sized(stored, at):
    number = 0
    for shift, group in enumerate(stored[at:at + SIZE_GROUPS]):
        number |= (group & 0x7F) << 7 * shift
        if group < 0x80:
            start = at + shift + 1
            if varint(number) != stored[at:start] or number > len(stored) - start:
                break
            return stored[start:start + number], start + number
    raise FormError("malformed")


def _is_body_size(size):
    rest = size % (FRAGMENT_SIZE + TAG_SIZE)
    # A last fragment of no bytes stands for an empty plaintext and never ends another body.
    return size == TAG_SIZE or rest > TAG_SIZE or (rest == 0 and size > 0)


def _nonce(index, is_last):
    return index.to_bytes(11, "big") + bytes([is_last])


def _split(data, size):
    return [data[start:start + size] for start in range(0, len(data), size)] or [b""]
