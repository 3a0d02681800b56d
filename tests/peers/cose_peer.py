"""Signs and verifies orders by pycose, which knows nothing of linli.

cose_peer.py sign PAYLOAD_FILE OUT SEED_HEX...    a COSE_Sign envelope around an order's CBOR
cose_peer.py seal AAD PAYLOAD_FILE OUT SEED...    the same, as something else than an order
cose_peer.py verify FILE PUBLIC_HEX...            every signature, each by its key; prints the payload
cose_peer.py order OUT MEMBER=VALUE...            an order's CBOR by cbor2, canonical
"""

import hashlib
import json
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pycose.algorithms import EdDSA
from pycose.headers import KID, Algorithm
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import SignMessage
from pycose.messages.signer import CoseSignature

AAD = b"lln-order-v1"


def public_of(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signer(seed, aad=AAD):
    public = public_of(seed)
    kid = hashlib.sha256(public).digest()[:8]
    key = OKPKey(crv=Ed25519, x=public, d=seed)
    return CoseSignature(phdr={Algorithm: EdDSA, KID: kid}, key=key, external_aad=aad)


def sign(payload, out, *seeds):
    seal(AAD.decode(), payload, out, *seeds)


def seal(aad, payload, out, *seeds):
    message = SignMessage(phdr={}, uhdr={}, payload=open(payload, "rb").read())
    message.signers = [signer(bytes.fromhex(seed), aad.encode()) for seed in seeds]
    open(out, "wb").write(message.encode())


def verify(path, *keys):
    message = SignMessage.decode(open(path, "rb").read())
    by_kid = {hashlib.sha256(bytes.fromhex(key)).digest()[:8]: bytes.fromhex(key) for key in keys}
    assert len(message.signers) == len(keys), f"{len(message.signers)} signatures"
    for signature in message.signers:
        kid = signature.phdr[KID]
        signature.key = OKPKey(crv=Ed25519, x=by_kid[kid])
        signature.external_aad = AAD
        if not signature.verify_signature():
            print(f"the signature by {kid.hex()} does not hold")
            sys.exit(1)
    order = cbor2.loads(message.payload)
    assert cbor2.dumps(order, canonical=True) == message.payload, "not canonical"
    print(json.dumps(order, default=lambda value: value.hex(), ensure_ascii=False))


def order(out, text):
    members = json.loads(text)
    for target in members["targets"]:
        for plan in target["plans"]:
            plan["hash"] = bytes.fromhex(plan["hash"])
    open(out, "wb").write(cbor2.dumps(members, canonical=True))


if __name__ == "__main__":
    {"sign": sign, "seal": seal, "verify": verify, "order": order}[sys.argv[1]](*sys.argv[2:])
