"""Data key ciphertexts: the `kmskey` of a sealed object, as the static key KMS and KES make them."""

import hashlib
import hmac
import json
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from hchacha import hchacha20
from text import FormError, base64_field, encode, json_object, text_field

ENCODINGS = ("binary", "json-aes", "json-chacha", "message-pack-aes", "message-pack-chacha")
# Algorithm names inside a data key ciphertext; True stands for AES, False for ChaCha.
JSON_NAMES = {"AES-256-GCM-HMAC-SHA-256": True, "ChaCha20Poly1305": False}
MESSAGE_PACK_NAMES = {"AES256-GCM_SHA256": True, "XCHACHA20-POLY1305": False}
IV_SIZE = 16
NONCE_SIZE = 12
# MessagePack type bytes; a fixstr adds its size, the others have one size byte.
ARRAY_OF_5, FIXSTR, STR_8, BIN_8 = b"\x95", 0xA0, 0xD9, 0xC4


def open_data_key(sealed, key, associated_data):
    """Open a data key ciphertext; returns it with the name of its encoding. Raises InvalidTag."""
    for encoding, parse in (("json", _parse_json), ("message-pack", _parse_message_pack)):
        parts = parse(sealed)
        if parts:
            break
    else:
        # Only a ciphertext that is neither of the two is binary: ciphertext, tag, iv, nonce.
        if len(sealed) < IV_SIZE + NONCE_SIZE:
            raise FormError("data key is too short")
        end, middle = len(sealed) - IV_SIZE - NONCE_SIZE, len(sealed) - NONCE_SIZE
        encoding, parts = "binary", (True, sealed[end:middle], sealed[middle:], sealed[:end])
    is_aes, iv, nonce, ciphertext = parts
    return _data_key_aead(key, iv, is_aes).decrypt(nonce, ciphertext, associated_data), encoding


def seal_data_key(data_key, key, associated_data, encoding):
    """Seal a data key in one of ENCODINGS."""
    is_aes = not encoding.endswith("-chacha")
    iv, nonce = os.urandom(IV_SIZE), os.urandom(NONCE_SIZE)
    ciphertext = _data_key_aead(key, iv, is_aes).encrypt(nonce, data_key, associated_data)
    if encoding == "binary":
        return ciphertext + iv + nonce
    if encoding.startswith("json"):
        fields = {"aead": _name_of(JSON_NAMES, is_aes), "iv": encode(iv),
                  "nonce": encode(nonce), "bytes": encode(ciphertext)}
        return json.dumps(fields, separators=(",", ":")).encode()
    # The names have less than 32 bytes and fit a fixstr; the 32 digits of the id do not.
    algorithm = _name_of(MESSAGE_PACK_NAMES, is_aes).encode()
    key_id = hashlib.sha256(key).digest()[:16].hex().encode()
    texts = bytes([FIXSTR + len(algorithm)]) + algorithm + bytes([STR_8, len(key_id)]) + key_id
    return ARRAY_OF_5 + texts + b"".join(bytes([BIN_8, len(b)]) + b for b in (iv, nonce, ciphertext))


def _data_key_aead(key, iv, is_aes):
    if is_aes:
        return AESGCM(hmac.digest(key, iv, "sha256"))
    return ChaCha20Poly1305(hchacha20(key, iv))


def _parse_json(sealed):
    if not (sealed.startswith(b"{") and sealed.endswith(b"}")):
        return None
    try:
        fields = json_object(sealed)
        is_aes = JSON_NAMES.get(text_field(fields, "aead"))
        iv, nonce, ciphertext = (base64_field(fields, name) for name in ("iv", "nonce", "bytes"))
    except (ValueError, RecursionError):
        return None
    valid = is_aes is not None and len(iv) == IV_SIZE and len(nonce) == NONCE_SIZE
    return (is_aes, iv, nonce, ciphertext) if valid else None


def _parse_message_pack(sealed):
    if not sealed.startswith(ARRAY_OF_5):
        return None
    values, rest = [], sealed[1:]
    # Writers take the shortest type, and no value here is over 255 bytes: fixstr, str 8 and bin 8 do.
    for wide in (STR_8, STR_8, BIN_8, BIN_8, BIN_8):
        if wide == STR_8 and 0xA0 <= (rest or b"\0")[0] <= 0xBF:
            size, rest = rest[0] - FIXSTR, rest[1:]
        elif len(rest) >= 2 and rest[0] == wide:
            size, rest = rest[1], rest[2:]
        else:
            return None
        if len(rest) < size:
            return None
        values.append(rest[:size])
        rest = rest[size:]
    is_aes = MESSAGE_PACK_NAMES.get(values[0].decode("ascii", "replace"))
    valid = not rest and is_aes is not None and len(values[2]) == IV_SIZE and len(values[3]) == NONCE_SIZE
    return (is_aes, *values[2:]) if valid else None


def _name_of(names, is_aes):
    return next(name for name, aes in names.items() if aes == is_aes)
