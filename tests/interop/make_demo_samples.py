"""Makes the objects of `iamseal demo`, in every form that MinIO wrote: python make_demo_samples.py FOLDER.

Each run makes others, under fresh data keys. The keys are those of the test vectors, and no secret.
"""

import json
import sys
from base64 import b64decode
from pathlib import Path

from forms import seal, seal_root_credential

NAME = "my-minio-key"
KEY = b64decode("rDHTF3saS+WLQAGZnULu9cZHAzOOWiDBSORoXgorNsM=")
USER = PASSWORD = "minioadmin"
IDENTITY = "config/iam/users/{}/identity.json"


def main(folder):
    for name, stored in samples():
        (folder / name).write_bytes(stored)


def samples():
    yield "json-data-key.bin", minio(IDENTITY.format("alice"), identity("alice"), "json", "joined")
    yield "bare-context.bin", minio("config/iam/groups/grün\u2028sep\u2029/members.json", {
        "version": 1, "status": "enabled", "members": ["alice", "bob"]}, "json", "bare")
    yield "sealed.bin", minio("config/iam/policies/日本語😀/policy.json", {
        "Version": 1, "Policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::*"]}]}}, "binary", "joined")
    yield "root-credential-aes.bin", rooted({"region": {"_": [{"key": "name", "value": "eu"}]}}, 0)
    yield "root-credential-chacha.bin", rooted(identity("bob"), 1)


def identity(name):
    return {"version": 1, "credentials": {"accessKey": name, "secretKey": name + "-no-secret", "status": "on"}}


def minio(path, content, encoding, context):
    return seal(path.encode(), json.dumps(content).encode(), NAME, KEY, "AES-256-GCM", encoding, context)


def rooted(content, id_):
    return seal_root_credential(json.dumps(content).encode(), USER, PASSWORD, id_)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
