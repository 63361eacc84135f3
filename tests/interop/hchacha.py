"""HChaCha20 and XChaCha20-Poly1305, as in draft-irtf-cfrg-xchacha-03.

The `cryptography` package has ChaCha20-Poly1305 but neither of these two.
"""

import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEY_SIZE = 32
INPUT_SIZE = 16

# The first row of every ChaCha state: "expand 32-byte k" as four little-endian words (RFC 8439, 2.3).
_CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)

# The words of the four columns, then of the four diagonals (RFC 8439, 2.3).
_DOUBLE_ROUND = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)


class XChaCha20Poly1305:
    """The AEAD of the draft: 32-byte key, 24-byte nonce, 16-byte tag.

    It has the interface of the AEAD classes of `cryptography`: `decrypt` raises `InvalidTag`.
    """

    def __init__(self, key):
        self._key = key

    def encrypt(self, nonce, plaintext, associated_data):
        """Return the ciphertext followed by its tag."""
        return self._inner(nonce).encrypt(_inner_nonce(nonce), plaintext, associated_data)

    def decrypt(self, nonce, sealed, associated_data):
        """Return the plaintext of a ciphertext followed by its tag."""
        return self._inner(nonce).decrypt(_inner_nonce(nonce), sealed, associated_data)

    def _inner(self, nonce):
        return ChaCha20Poly1305(hchacha20(self._key, nonce[:INPUT_SIZE]))


def hchacha20(key, block):
    """Derive a 32-byte subkey from a 32-byte key and a 16-byte block."""
    if len(key) != KEY_SIZE or len(block) != INPUT_SIZE:
        raise ValueError("HChaCha20 takes a 32-byte key and a 16-byte block")
    state = [*_CONSTANTS, *struct.unpack("<8L", key), *struct.unpack("<4L", block)]
    for _ in range(10):  # ten double rounds are the twenty rounds of ChaCha20
        for words in _DOUBLE_ROUND:
            _quarter_round(state, *words)
    # Unlike ChaCha20 the first state is not added; only the first and the last row leave.
    return struct.pack("<8L", *state[0:4], *state[12:16])


def _inner_nonce(nonce):
    if len(nonce) != 24:
        raise ValueError("XChaCha20-Poly1305 takes a 24-byte nonce")
    # The inner nonce has 12 bytes: four zero bytes, then what HChaCha20 did not take.
    return bytes(4) + nonce[INPUT_SIZE:]


def _quarter_round(state, a, b, c, d):
    for x, y, z, distance in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[x] = (state[x] + state[y]) & 0xFFFFFFFF
        mixed = state[z] ^ state[x]
        state[z] = ((mixed << distance) | (mixed >> (32 - distance))) & 0xFFFFFFFF
