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

from data_key import open_data_key
from forms import join_path
from text import FormError, escape

PREFIX = b"\xf9\x69\x73"
VERSION = 1
SALT_START, SALT_SIZE = 4, 32
HEAD_START = SALT_START + SALT_SIZE
# The byte of the salt whose top bit is set: offset 32 of the object.
MARKED = 28
COMMITMENT_SIZE = 32
KEY_SIZE = 32
FRAGMENT_SIZE = 65536
TAG_SIZE = 16
# More groups of 7 bits than any object's size needs: what is longer cannot be the shortest.
SIZE_GROUPS = 5


def open_compact(stored, store, path, keys, seeds):
    """Open an object; returns `plaintext` as bytes, `key` and `context`, the text that its seed is bound to.

    `keys` are keys by name that open seeds as MinIO's static key does. `seeds` are plaintexts by seed
    ciphertext; if there are any, every name is also lent as a key in a server, which opens these
    ciphertexts and no others.
    """
    path = clean_path(path)
    head, name, sealed_seed, commitment, body = split_compact(stored)
    if name not in keys and not seeds:
        raise FormError("key-not-found")
    for seed in filter(None, (open_seed(sealed_seed, keys.get(name), store), seeds.get(sealed_seed))):
        if len(seed) != KEY_SIZE:
            continue
        expected, body_key = derive(seed, head, store, path)
        if hmac.compare_digest(expected, commitment):
            return {"plaintext": open_body(body_key, body), "key": name, "context": seed_context(store).decode()}
    raise FormError("header-not-authentic")


def open_seed(sealed_seed, key, store):
    """Open a seed as MinIO's static key opens data keys; None if it does not open."""
    if key is None:
        return None
    try:
        return open_data_key(sealed_seed, key, seed_context(store))[0]
    except (FormError, InvalidTag):
        return None


def seal_compact(plaintext, store, path, name, seed, sealed_seed, salt=None):
    """Seal an object under a seed, whose ciphertext is given."""
    head = write_head(os.urandom(SALT_SIZE) if salt is None else salt, name, sealed_seed)
    commitment, body_key = derive(seed, head, store, clean_path(path))
    return head + commitment + seal_body(body_key, plaintext)


def split_compact(stored):
    """Split an object in head, key name, seed ciphertext, commitment and body."""
    if not stored.startswith(PREFIX):
        raise FormError("unknown-form")
    if len(stored) < SALT_START:
        raise FormError("malformed")
    if stored[len(PREFIX)] != VERSION:
        raise FormError("unsupported")
    if len(stored) < HEAD_START or not stored[SALT_START + MARKED] & 0x80:
        raise FormError("malformed")
    name, at = _sized(stored, HEAD_START)
    sealed_seed, at = _sized(stored, at)
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
    return PREFIX + bytes([VERSION]) + salt + varint(len(name)) + name + varint(len(sealed_seed)) + sealed_seed


def derive(seed, head, store, path):
    """Return the commitment and the body key; `path` is clean."""
    store = store.encode()
    transcript = Hash(SHA256())
    transcript.update(head + len(store).to_bytes(8, "little") + store + path)
    okm = HKDFExpand(SHA256(), COMMITMENT_SIZE + KEY_SIZE, transcript.finalize()).derive(seed)
    return okm[:COMMITMENT_SIZE], okm[COMMITMENT_SIZE:]


def clean_path(path):
    """Clean a path; the root itself and what lies outside it name no object."""
    path = join_path(b"", path)
    if path in (b".", b"..") or path.startswith(b"../"):
        raise FormError("refused")
    return path


def seed_context(store):
    """Return what a seed is bound to."""
    return b'{"iamseal compact seed":"%s"}' % escape(store.encode())


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
