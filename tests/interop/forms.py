"""The two encrypted forms of MinIO's IAM and config objects, and the stream inside both.

Written from the description of the formats alone, so that the tests can compare two
implementations that share no code.
"""

import hashlib
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from data_key import open_data_key, seal_data_key
from hchacha import XChaCha20Poly1305
from text import FormError, base64_field, encode, escape, json_object, text_field

TAG_SIZE = 16
FRAGMENT_SIZE = 16384
METADATA_LIMIT = 1 << 20
# Version byte and little-endian length of the metadata.
SEALED_HEADER_SIZE = 5
# Salt, id and stream nonce of the root credential form.
ROOT_HEADER_SIZE = 32 + 1 + 8
CONTEXTS = ("joined", "bare")

# Stream cipher name: AEAD, data key size, stream nonce size (AEAD nonce less the 4 counter bytes).
CIPHERS = {
    "AES-256-GCM": (AESGCM, 32, 8),
    "AES-128-GCM": (AESGCM, 16, 8),
    "ChaCha20-Poly1305": (ChaCha20Poly1305, 32, 8),
    "XChaCha20-Poly1305": (XChaCha20Poly1305, 32, 20),
}
JSON_STYLES = ("plain", "reordered", "uppercase", "spaced", "unknown-field", "duplicate")
ROOT_CIPHERS = {0: "AES-256-GCM", 1: "ChaCha20-Poly1305", 2: "AES-256-GCM"}


def open_sealed(stored, path, keys, contexts=CONTEXTS):
    """Open a sealed object with one of the named keys; returns a dict with `plaintext` as bytes."""
    name, sealed_key, cipher, nonce, stream = split_sealed(stored)
    if name not in keys:
        raise FormError("unknown key name")
    for context in contexts:
        try:
            data_key, encoding = open_data_key(sealed_key, keys[name], context_text(path, context))
        except InvalidTag:
            continue
        plaintext = open_stream(cipher, data_key, nonce, stream)
        return {"plaintext": plaintext, "key": name, "cipher": cipher,
                "data_key_encoding": encoding, "context": context}
    raise FormError("data key is not authentic")


def seal(path, plaintext, name, key, cipher, encoding, context, style="plain"):
    """Seal an object under a fresh data key and stream nonce."""
    _, data_key_size, nonce_size = CIPHERS[cipher]
    data_key, nonce = os.urandom(data_key_size), os.urandom(nonce_size)
    sealed_key = seal_data_key(data_key, key, context_text(path, context), encoding)
    metadata = write_metadata(name, sealed_key, cipher, nonce, style)
    if len(metadata) > METADATA_LIMIT:
        raise FormError("metadata is too large")
    return struct.pack("<BL", 1, len(metadata)) + metadata + seal_stream(cipher, data_key, nonce, plaintext)


def split_sealed(stored):
    """Split a sealed object in key name, data key ciphertext, cipher, stream nonce and stream."""
    if len(stored) < SEALED_HEADER_SIZE:
        raise FormError("short object")
    version, size = struct.unpack_from("<BL", stored)
    if version != 1:
        raise FormError("unknown version")
    if size > METADATA_LIMIT:
        raise FormError("metadata is too large")
    if len(stored) < SEALED_HEADER_SIZE + size:
        raise FormError("short object")
    try:
        fields = json_object(stored[SEALED_HEADER_SIZE:SEALED_HEADER_SIZE + size])
        name, cipher = text_field(fields, "keyid"), text_field(fields, "algorithm")
        sealed_key, nonce = base64_field(fields, "kmskey"), base64_field(fields, "nonce")
    except (ValueError, RecursionError):
        raise FormError("malformed metadata") from None
    return name, sealed_key, cipher, nonce, stored[SEALED_HEADER_SIZE + size:]


def write_metadata(name, sealed_key, cipher, nonce, style):
    """Write the metadata JSON as MinIO does, or in another style that its reader accepts."""
    fields = [("keyid", escape(name.encode())), ("kmskey", encode(sealed_key).encode()),
              ("algorithm", cipher.encode()), ("nonce", encode(nonce).encode())]
    members = [b'"%s":"%s"' % (field.encode(), value) for field, value in fields]
    if style == "reordered":
        members.reverse()
    elif style == "uppercase":
        members = [b'"%s":"%s"' % (field.upper().encode(), value) for field, value in fields]
    elif style == "spaced":
        members = [b'\n\t"%s" :\r\n "%s" ' % (field.encode(), value) for field, value in fields]
        return b" {%s} \n" % b",".join(members)
    elif style == "unknown-field":
        members.insert(2, b'"extra":[1,{"keyid":"other"},null]')
    elif style == "duplicate":
        members.insert(0, b'"keyid":"other"')
        members.insert(1, b'"nonce":"AAAA"')
    return b"{%s}" % b",".join(members)


def context_text(path, context):
    """Return the KMS context of a path as text: the associated data of its data key."""
    value = join_path(b".minio.sys", path) if context == "joined" else path
    return b'{".minio.sys":"%s"}' % escape(value)


def join_path(root, path):
    """Join and clean two paths: no empty or `.` elements, `..` resolved."""
    elements = []
    for element in (root + b"/" + path).split(b"/"):
        if element == b".." and elements and elements[-1] != b"..":
            elements.pop()
        elif element not in (b"", b"."):
            elements.append(element)
    return b"/".join(elements) or b"."


def open_root_credential(stored, user, password):
    """Open an object in the root credential form; returns its plaintext and id."""
    if len(stored) < ROOT_HEADER_SIZE:
        raise FormError("short object")
    salt, id_, nonce = stored[:32], stored[32], stored[33:ROOT_HEADER_SIZE]
    if id_ not in ROOT_CIPHERS:
        raise FormError("unknown id")
    key = root_key(id_, salt, user, password)
    return open_stream(ROOT_CIPHERS[id_], key, nonce, stored[ROOT_HEADER_SIZE:]), id_


def seal_root_credential(plaintext, user, password, id_):
    """Seal an object in the root credential form under a fresh salt and stream nonce."""
    salt, nonce = os.urandom(32), os.urandom(8)
    key = root_key(id_, salt, user, password)
    return salt + bytes([id_]) + nonce + seal_stream(ROOT_CIPHERS[id_], key, nonce, plaintext)


def root_key(id_, salt, user, password):
    """Derive the stream key of a root credential: PBKDF2 for id 2, Argon2id else."""
    # RustFS' master key, and its root secret alone, have no user.
    credential = (f"{user}:{password}" if user else password).encode()
    # The form stores neither the costs nor the key size; it fixes them to these.
    if id_ == 2:
        return hashlib.pbkdf2_hmac("sha256", credential, salt, 8192, 32)
    return Argon2id(salt=salt, length=32, iterations=1, lanes=4, memory_cost=65536).derive(credential)


def open_stream(cipher, data_key, nonce, stream):
    """Open a stream whole; nothing is returned unless every fragment is authentic and the last is final."""
    aead, header = _stream_aead(cipher, data_key, nonce)
    fragments = _split(stream, FRAGMENT_SIZE + TAG_SIZE)
    if len(fragments[-1]) < TAG_SIZE or (len(fragments) > 1 and len(fragments[-1]) == TAG_SIZE):
        # An empty fragment stands for an empty plaintext and never ends another stream.
        raise FormError("stream is not authentic")
    try:
        return b"".join(
            aead.decrypt(*_fragment_inputs(nonce, header, index, index == len(fragments) - 1, fragment))
            for index, fragment in enumerate(fragments))
    except InvalidTag:
        raise FormError("stream is not authentic") from None


def seal_stream(cipher, data_key, nonce, plaintext):
    """Seal a plaintext as a stream."""
    return seal_fragments(cipher, data_key, nonce, _split(plaintext, FRAGMENT_SIZE))


def seal_fragments(cipher, data_key, nonce, fragments):
    """Seal fragments as they are, the last as final; of other sizes than a writer's they are a bad stream."""
    aead, header = _stream_aead(cipher, data_key, nonce)
    return b"".join(
        aead.encrypt(*_fragment_inputs(nonce, header, index, index == len(fragments) - 1, fragment))
        for index, fragment in enumerate(fragments))


def _stream_aead(cipher, data_key, nonce):
    if cipher not in CIPHERS:
        raise FormError("unknown cipher")
    aead, data_key_size, nonce_size = CIPHERS[cipher]
    if len(data_key) != data_key_size:
        raise FormError("data key has the wrong size")
    if len(nonce) != nonce_size:
        raise FormError("stream is not authentic")
    aead = aead(data_key)
    # Counter 0 makes the tag of an empty message; it is not stored but part of all associated data.
    return aead, aead.encrypt(nonce + struct.pack("<L", 0), b"", b"")


def _fragment_inputs(nonce, header, index, is_final, fragment):
    flag = b"\x80" if is_final else b"\x00"
    return nonce + struct.pack("<L", index + 1), fragment, flag + header


def _split(data, size):
    return [data[start:start + size] for start in range(0, len(data), size)] or [b""]
