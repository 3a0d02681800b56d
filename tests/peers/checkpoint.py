"""Verifies a signed checkpoint (C2SP signed-note) with somebody else's Ed25519: KEY FILE."""

import base64
import hashlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

name, key_id, key = sys.argv[1].split("+", 2)
key = base64.b64decode(key, validate=True)
assert key[0] == 1, "Ed25519"
expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
assert expected.hex() == key_id, "the key's id"
note = open(sys.argv[2], encoding="utf-8").read()
text, signatures = note.rsplit("\n\n", 1)
dash, signer, signature = signatures.strip().split(" ")
assert (dash, signer) == ("—", name), "whose"
signature = base64.b64decode(signature, validate=True)
assert signature[:4] == expected, "which key"
Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode() + b"\n")
origin, count, root, *further = text.splitlines()
assert origin == name and int(count) > 0 and len(base64.b64decode(root)) == 32, "a head"
