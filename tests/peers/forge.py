"""Makes every kind of wrong order that we could think of, with cbor2 and a bare Ed25519: no code of linli.

forge.py DIR FACTS    FACTS: JSON with "now" (Unix ms), "hash" (of the plan), "seeds" (hex, by name)

Writes DIR/NAME.cose for each, and DIR/kinds.json: name, the word of the reason that is expected, and the
security alarm, if one is raised. The first table is for a room in peace where the drill "counted" had
the number 100 and its cancellation 101; the second is for a room that follows the Actual order "real".
"""

import hashlib
import json
import pathlib
import struct
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOUR, DAY = 3_600_000, 86_400_000
AAD = b"lln-order-v1"
ORDER = 2**252 + 27742317777372353535851937790883648493  # of Ed25519's group
facts = json.loads(sys.argv[2])
now = facts["now"]
PLAN = "reading-room.sampling@1"


def canonical(value):
    return cbor2.dumps(value, canonical=True)


def order(name, seq, **changes):
    members = {
        "v": 1, "id": name, "seq": seq, "kind": "Enter", "class": "Actual", "auth": "district",
        "mode": "epidemic.sampling", "not_before": now - 1000, "expires": now + HOUR, "sent": now,
        "targets": [target()],
    }
    members.update(changes)
    return {key: value for key, value in members.items() if value is not None}


def target(centre="xinghe", plan=PLAN, plan_hash=None, **more):
    digest = bytes.fromhex(facts["hash"]) if plan_hash is None else plan_hash
    return {"centre": centre, "plans": [{"plan": plan, "hash": digest}], **more}


def key(who):
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(facts["seeds"].get(who, "07" * 32)))


def kid(who):
    public = key(who).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(public).digest()[:8]


def signature(who, payload, aad=AAD, protected=None, body=b"", unprotected=None, context="Signature", by=None):
    head = canonical({1: -8, 4: kid(who)}) if protected is None else protected
    message = canonical([context, body, head, aad, payload])
    return [head, unprotected or {}, key(by or who).sign(message)]


def envelope(payload, signatures, body=b"", unprotected=None, tag=98):
    inner = [body, unprotected or {}, payload, signatures]
    return canonical(cbor2.CBORTag(tag, inner) if tag else inner)


def sealed(members, *who, **how):
    payload = members if isinstance(members, bytes) else canonical(members)
    return envelope(payload, [signature(one, payload, **how) for one in who])


BOTH = ("wang", "li")
DRILL = ("drill-wang", "drill-li")
peace, running = [], []


def add(name, data, reason, alarm=None, table=peace):
    table.append({"name": name, "reason": reason, "alarm": alarm})
    (pathlib.Path(sys.argv[1]) / f"{name}.cose").write_bytes(data)


def good(name, seq=110, **changes):
    return sealed(order(name, seq, **changes), *BOTH)


# ---- what is no envelope
whole = good("whole")
payload = canonical(order("payload", 110))
signs = [signature(one, payload) for one in BOTH]
add("nothing-but-a-zero", b"\0", "COSE_Sign")
add("letters", b"enter", "COSE_Sign")
add("half", whole[: len(whole) // 2], "COSE_Sign")
add("without-its-last-byte", whole[:-1], "COSE_Sign")
add("one-byte-more", whole + b"\0", "COSE_Sign")
add("twice", whole + whole, "COSE_Sign")
add("nested", b"\x81" * 5000, "COSE_Sign")
one_signer = [b"", {}, payload, key("wang").sign(canonical(["Signature1", b"", AAD, payload]))]
add("sign1", canonical(cbor2.CBORTag(18, one_signer)), "COSE_Sign")
add("sign1-without-a-tag", canonical(one_signer), "COSE_Sign")
add("sign1-with-our-tag", canonical(cbor2.CBORTag(98, one_signer)), "COSE_Sign")
add("mac", canonical(cbor2.CBORTag(97, [b"", {}, payload, b"\0" * 32])), "COSE_Sign")
add("another-tag", envelope(payload, signs, tag=99), "COSE_Sign")
add("a-map", canonical({"payload": payload}), "COSE_Sign")
add("detached", envelope(None, signs), "carries no order")
add("payload-as-text", envelope("order", signs), "COSE_Sign")
add("payload-empty", envelope(b"", signs), "not an order")
add("seventeen-signatures", envelope(payload, signs * 9), "more than 16")
add("header-twice", b"\xd8\x62\x84\x40\xa2\x04\x41a\x04\x41b" + canonical(payload) + canonical(signs), "COSE_Sign")
# ---- one envelope has one form
rest = canonical(b"") + canonical({}) + canonical(payload)
add("indefinite-envelope", b"\xd8\x62\x9f" + rest + canonical(signs) + b"\xff", "one order has one form")
add("indefinite-signatures", b"\xd8\x62\x84" + rest + b"\x9f" + b"".join(map(canonical, signs)) + b"\xff",
    "one order has one form")
add("longer-tag", b"\xd9\x00\x62" + whole[2:], "one order has one form")
chunks = b"\x5f" + canonical(payload[:10]) + canonical(payload[10:]) + b"\xff"
add("payload-in-chunks", b"\xd8\x62\x84" + canonical(b"") + canonical({}) + chunks + canonical(signs),
    "one order has one form")
# ---- critical headers
critical = {1: -8, 4: kid("wang"), 2: [-70000], -70000: 1}
add("critical-of-a-signature", sealed(order("crit-1", 110), "wang", protected=canonical(critical)), "critical")
add("critical-by-name", sealed(order("crit-2", 110), "wang",
    protected=canonical({1: -8, 4: kid("wang"), 2: ["hold"], "hold": 1})), "critical")
body = canonical({2: [-70001], -70001: 1})
add("critical-of-the-body", envelope(payload, [signature(one, payload, body=body) for one in BOTH], body=body),
    "critical")
add("critical-unprotected", envelope(payload, [signature("wang", payload, unprotected={2: [-70002]})]), "critical")
add("critical-standard", sealed(order("crit-3", 110), "wang",
    protected=canonical({1: -8, 4: kid("wang"), 2: [5], 5: b"iv"})), "critical")
# ---- what is no order, though it is well signed
members = order("form", 110)
ordered = sorted(members.items(), key=lambda pair: canonical(pair[0]))


def raw_map(pairs, head=None):
    return (head or bytes([0xA0 | len(pairs)])) + b"".join(canonical(k) + (v if isinstance(v, bytes) and k == "raw" else canonical(v)) for k, v in pairs)


def with_raw(name, raw):
    """The order with one value encoded by hand."""
    return bytes([0xA0 | len(ordered)]) + b"".join(
        canonical(k) + (raw if k == name else canonical(v)) for k, v in ordered)


add("other-order-of-keys", sealed(raw_map(ordered[::-1]), *BOTH), "one order has one form")
add("longer-number", sealed(with_raw("seq", b"\x1b" + struct.pack(">Q", 110)), *BOTH), "one order has one form")
add("indefinite-map", sealed(b"\xbf" + raw_map(ordered)[1:] + b"\xff", *BOTH), "one order has one form")
add("indefinite-text", sealed(with_raw("id", b"\x7f\x63for\x61m\xff"), *BOTH), "one order has one form")
add("indefinite-list", sealed(with_raw("targets", b"\x9f" + canonical(target()) + b"\xff"), *BOTH), "one order has one form")
add("key-twice", sealed(raw_map(ordered + [("seq", 111)]), *BOTH), "stands twice")
add("key-as-number", sealed({**members, 7: 1}, *BOTH), "must be texts")
add("unknown-key", good("unknown-key", force=True), "not known in an order")
add("unknown-key-of-a-target", good("unknown-target", targets=[target(force=True)]), "not known in a target")
add("another-version", good("another-version", v=2), "version 2")
add("without-a-number", good("no-number", seq=None), "seq is missing")
add("without-a-class", sealed(order("no-class", 110, **{"class": None}), *BOTH), "class is missing")
add("something-behind-it", sealed(payload + b"\0", *BOTH), "something follows")
add("payload-is-a-list", sealed(canonical([1, 2]), *BOTH), "must be a map")
add("number-below-zero", good("minus", -1), "0 or more")
add("number-as-a-fraction", good("fraction", 110.5), "whole number")
add("number-as-text", good("as-text", "110"), "whole number")
add("number-too-large-for-any", good("bignum", 2**64), "whole number")
add("time-as-a-fraction", good("time-fraction", expires=float(now + HOUR)), "whole number")
add("time-that-is-no-number", good("time-nan", expires=float("nan")), "whole number")
add("time-as-text", good("time-text", expires="2099-01-01T00:00:00Z"), "whole number")
add("time-below-zero", good("time-minus", not_before=-1), "no time between")
add("time-past-all-years", good("time-huge", expires=2**63 - 1), "no time between")
add("time-past-all-numbers", good("time-huger", expires=2**64 - 1), "no time between")
add("ends-before-it-begins", good("reversed", not_before=now + HOUR, expires=now), "later than not_before")
add("unknown-kind", good("kind", kind="Unlock"), "is none of Enter")
add("kind-in-small-letters", good("small", kind="enter"), "is none of Enter")
add("unknown-class", sealed(order("class", 110, **{"class": "System"}), *BOTH), "neither Actual nor Exercise")
add("unknown-authority", good("auth", auth="province"), "neither district nor local")
add("id-empty", good("", 110), "1 to 64")
add("id-too-long", good("i" * 65, 110), "1 to 64")
add("id-with-a-line-feed", good("a\nb", 110), "1 to 64")
add("no-target", good("no-target", targets=[]), "at least one centre")
add("hash-too-short", good("short", targets=[target(plan_hash=b"\1" * 31)]), "32 bytes")
add("supersedes-no-list", good("no-list", supersedes="real"), "must be a list")
add("cap-as-text", good("cap", cap="<alert/>"), "must be bytes")
# ---- signatures
flipped = envelope(payload, [[signs[0][0], {}, signs[0][2][:-1] + bytes([signs[0][2][-1] ^ 1])], signs[1]])
add("signature-changed", flipped, "does not hold")
add("signature-too-short", envelope(payload, [[signs[0][0], {}, signs[0][2][:-1]], signs[1]]), "does not hold")
add("signature-empty", envelope(payload, [[signs[0][0], {}, b""], signs[1]]), "does not hold")
add("signatures-exchanged", envelope(payload, [[signs[0][0], {}, signs[1][2]], [signs[1][0], {}, signs[0][2]]]),
    "does not hold")
scalar = int.from_bytes(signs[0][2][32:], "little") + ORDER
other_form = signs[0][2][:32] + scalar.to_bytes(32, "little")
add("signature-in-its-other-form", envelope(payload, [[signs[0][0], {}, other_form], signs[1]]), "does not hold")
add("payload-changed", envelope(payload.replace(b"sampling", b"zampling"), signs), "does not hold")
add("body-header-added", envelope(payload, signs, body=canonical({3: 0})), "does not hold")
add("under-a-foreign-name", envelope(payload, [signature("wang", payload, by="li"), signs[1]]), "does not hold")
add("algorithm-es256", sealed(order("es256", 110), "wang", protected=canonical({1: -7, 4: kid("wang")})), "not EdDSA")
add("algorithm-private", sealed(order("alg", 110), "wang", protected=canonical({1: -70003, 4: kid("wang")})), "not EdDSA")
add("algorithm-missing", sealed(order("no-alg", 110), "wang", protected=canonical({4: kid("wang")})), "not EdDSA")
add("algorithm-unprotected", envelope(payload, [signature("wang", payload, protected=canonical({4: kid("wang")}),
    unprotected={1: -8})]), "not EdDSA")
add("as-a-plan", sealed(order("as-a-plan", 110), *BOTH, aad=b"lln-plan-v1"), "does not hold")
add("as-nothing", sealed(order("as-nothing", 110), *BOTH, aad=b""), "does not hold")
add("as-a-single-signature", sealed(order("single", 110), *BOTH, context="Signature1"), "does not hold")
add("as-a-counter-signature", sealed(order("counter", 110), *BOTH, context="CounterSignature"), "does not hold")
# ---- people
add("signed-by-nobody", envelope(payload, []), "0 did")
add("alone", sealed(order("alone", 110), "wang"), "1 did")
add("one-person-two-keys", sealed(order("two-keys", 110), "wang", "wang-2"), "1 did")
add("one-signature-twice", envelope(payload, [signs[0], signs[0]]), "1 did")
add("one-key-twice", sealed(order("key-twice", 110), "wang", "wang"), "1 did")
add("with-a-stranger", sealed(order("stranger", 110), "wang", "stranger"), "1 did")
add("two-of-the-spot", sealed(order("of-the-spot", 110), "chen", "deng"), "0 did")
add("one-of-each", sealed(order("one-of-each", 110), "wang", "chen"), "1 did")
add("without-the-role", sealed(order("no-role", 110), "wang", "cook"), "1 did")
add("the-district-as-the-spot", sealed(order("local-1", 1, auth="local"), *BOTH), "0 did")
add("keys-for-drills", sealed(order("drill-keys", 110), *DRILL), "signs Exercise")
add("one-key-for-drills", sealed(order("drill-key", 110), "wang", "drill-li"), "signs Exercise")
add("drill-by-actual-keys", sealed(order("real-keys", 110, **{"class": "Exercise"}), *BOTH), "signs Actual")
add("key-that-ended", sealed(order("ended", 110, sent=now - 3 * DAY), "wang", "old"), "not valid now")
add("key-that-has-not-begun", sealed(order("begins", 110), "wang", "new"), "not valid now")
add("key-revoked", sealed(order("revoked", 110), "wang", "gone"), "is revoked", "revoked_key")
add("key-revoked-and-backdated", sealed(order("revoked-2", 110, sent=now - 3 * DAY), *BOTH, "gone"), "is revoked",
    "revoked_key")
# ---- time
add("expired", good("expired", expires=now - 1), "expired at")
add("expired-long-ago", good("long-ago", not_before=now - 400 * DAY, expires=now - 399 * DAY, sent=now - 400 * DAY),
    "expired at")
add("early", good("early", not_before=now + HOUR // 2), "a clock is wrong")
add("signed-tomorrow", good("tomorrow", sent=now + DAY, expires=now + 2 * DAY), "a clock is wrong")
add("signed-last-month", good("last-month", sent=now - 30 * DAY, not_before=now - 30 * DAY), "days before now",
    "backdated")
add("spot-for-a-day", sealed(order("local-2", 1, auth="local", expires=now + DAY), "chen", "deng"), "one hour at most")
# ---- numbers and ids
drill = {"class": "Exercise"}
add("old-number", sealed(order("old-number", 50, **drill), *DRILL), "not above 101")
add("number-used", sealed(order("number-used", 101, **drill), *DRILL), "already used by another order", "equivocation")
add("number-far-ahead", good("far-ahead", 2**20 + 1), "too far above", "number_jump")
add("number-at-the-end", good("the-end", 2**64 - 1), "too far above", "number_jump")
add("drill-number-far-ahead", sealed(order("far-drill", 101 + 2**20 + 1, **drill), *DRILL), "too far above", "number_jump")
add("id-used", good("counted", 110), "already used by another order")
add("id-of-the-spot", good("local-3", 110), "does not fit")
add("id-of-the-engine", good("mode-17", 110), "does not fit")
add("spot-with-another-id", sealed(order("spot", 1, auth="local"), "chen", "deng"), "does not fit")
# ---- what it names
add("elsewhere", good("elsewhere", targets=[target(centre="yuehai")]), "not for xinghe")
add("another-site", good("site", targets=[target(site="nowhere")]), "for a site of this gateway")
add("unknown-plan", good("unknown-plan", targets=[target(plan="palace.ball@1")]), "there is no plan palace.ball@1")
add("another-plan", good("another-plan", targets=[target(plan_hash=b"\7" * 32)]), "another one here")
add("other-way", good("other-way", kind="Return"), "leads the other way")
add("cancels-nothing", good("cancels-nothing", kind="Cancel", supersedes=["nothing"]), "takes back no order")
add("stops-nothing", sealed(order("stops-nothing", 110, kind="Stop"), "wang"), "no room there follows")
add("another-snapshot", good("snapshot", targets=[target(snapshot=b"\1" * 32)]), "stale")
# ---- against the Actual order "real", number 120
real = ["real"]
nothing = [{"centre": "xinghe", "plans": []}]
back = [target(plan="reading-room.from-sampling@1", plan_hash=bytes.fromhex(facts["back"]))]


def against(name, data, reason, alarm=None):
    add(name, data, reason, alarm, running)


against("cancel-by-one", sealed(order("c1", 121, kind="Cancel", supersedes=real), "li"), "1 did")
against("return-by-one", sealed(order("c2", 121, kind="Return", targets=back), "li"), "1 did")
against("stand-down-by-one", sealed(order("c3", 121, kind="StandDown", targets=nothing), "li"), "1 did")
against("amend-by-one", sealed(order("c4", 121, kind="Amend", supersedes=real), "li"), "1 did")
for at, (kind, targets) in enumerate([("Cancel", nothing), ("Return", back), ("Amend", [target()]), ("Stop", nothing)]):
    members = order(f"d{at}", 110 + at, kind=kind, supersedes=real, targets=targets, **drill)
    against(f"drill-to-{kind.lower()}", sealed(members, *DRILL), "does not touch")
against("drill-to-stand-down", sealed(order("d8", 118, kind="StandDown", targets=nothing, **drill), *DRILL), "names no plan")
against("drill-to-enter", sealed(order("d9", 119, **drill), *DRILL), "does not touch")
spot = {"auth": "local", "expires": now + HOUR // 2}
against("spot-to-cancel", sealed(order("local-4", 1, kind="Cancel", supersedes=real, **spot), "chen", "deng"),
        "an order given on the spot does not end that")
against("spot-to-return", sealed(order("local-5", 1, kind="Return", targets=back, **spot), "chen", "deng"),
        "an order given on the spot does not end that")
against("spot-to-amend", sealed(order("local-6", 1, kind="Amend", supersedes=real, **spot), "chen", "deng"),
        "an order given on the spot does not end that")
against("cancel-of-another", sealed(order("c5", 121, kind="Cancel", supersedes=["other"]), *BOTH), "takes back no order")
against("return-of-another", sealed(order("c6", 121, kind="Return", targets=back, supersedes=["other"]), *BOTH), "not named")
against("enter-again", sealed(order("c7", 121), *BOTH), "name that in an order to amend")
against("the-number-again", sealed(order("c8", 120, kind="Cancel", supersedes=real), *BOTH),
        "already used by another order", "equivocation")
against("the-id-again", sealed(order("real", 121, kind="Cancel", supersedes=real), *BOTH), "already used by another order")

(pathlib.Path(sys.argv[1]) / "counted.cose").write_bytes(sealed(order("counted", 100, **drill), *DRILL))
(pathlib.Path(sys.argv[1]) / "taken-back.cose").write_bytes(
    sealed(order("taken-back", 101, kind="Cancel", supersedes=["counted"], **drill), *DRILL))
(pathlib.Path(sys.argv[1]) / "real.cose").write_bytes(sealed(order("real", 120), *BOTH))
(pathlib.Path(sys.argv[1]) / "kinds.json").write_text(json.dumps({"peace": peace, "running": running}))
