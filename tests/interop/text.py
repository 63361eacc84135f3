"""The JSON and base64 of MinIO's objects: what its writers write and its readers accept."""

import base64
import binascii
import json
import re


class FormError(Exception):
    """Why stored bytes or a request were refused; never contains a secret."""


def escape(raw):
    """Write bytes as the inside of a JSON string, the way MinIO's writers do."""
    # surrogateescape turns every single invalid byte into one character in U+DC80..U+DCFF.
    return re.sub('["\\\\<>&\\x00-\\x1f\u2028\u2029\udc80-\udcff]', _escape_one,
                  raw.decode("utf-8", "surrogateescape")).encode()


def json_object(raw):
    """Parse one JSON object with names in lower case, the last of duplicates kept; raises ValueError."""
    def fold(pairs):
        return {name.lower(): value for name, value in pairs}

    def refuse(constant):
        raise ValueError(constant)  # NaN and the infinities are Python's, not JSON's

    value = json.loads(raw.decode(), object_pairs_hook=fold, parse_constant=refuse)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def text_field(fields, name):
    """Return a text field, empty if it is absent; raises ValueError for another type."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(name)
    return value or ""


def base64_field(fields, name):
    """Return the bytes of a base64 field; CR and LF inside are ignored, padding is not optional."""
    return decode(re.sub("[\r\n]", "", text_field(fields, name)))


def decode(text):
    """Decode standard, padded base64; raises ValueError."""
    # Python's decoder skips foreign characters unless told otherwise, and releases differ on padding.
    if len(text) % 4 or not re.fullmatch("[A-Za-z0-9+/]*={0,2}", text):
        raise binascii.Error("malformed base64")
    return base64.b64decode(text)


def encode(raw):
    """Encode bytes as standard, padded base64 text."""
    return base64.b64encode(raw).decode()


def _escape_one(match):
    char = match.group()
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    if "\udc80" <= char <= "\udcff":
        return "\\ufffd"
    return short.get(char) or "\\u%04x" % ord(char)
