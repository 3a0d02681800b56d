"""Reads a CAP 1.2 message by expat and prints what it says, as JSON: an independent opinion."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from datetime import datetime

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def text(of, name):
    found = of.find(CAP + name)
    return None if found is None or not (found.text or "").strip() else found.text.strip()


def when(value):
    return None if value is None else int(datetime.fromisoformat(value).timestamp() * 1000)


def pairs(of, name):
    return [[text(pair, "valueName"), text(pair, "value") or ""] for pair in of.findall(CAP + name)]


def info(of):
    return {
        "language": text(of, "language") or "en-US",
        "category": [category.text.strip() for category in of.findall(CAP + "category")],
        "event": text(of, "event"),
        "urgency": text(of, "urgency"),
        "severity": text(of, "severity"),
        "certainty": text(of, "certainty"),
        "effective": when(text(of, "effective")),
        "onset": when(text(of, "onset")),
        "expires": when(text(of, "expires")),
        "headline": text(of, "headline"),
        "description": text(of, "description"),
        "instruction": text(of, "instruction"),
        "parameters": pairs(of, "parameter"),
        "areas": [
            {"description": text(area, "areaDesc"), "geocodes": pairs(area, "geocode")}
            for area in of.findall(CAP + "area")
        ],
    }


def references(value):
    triples = re.findall(r"(\S+?),(\S+?),(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[+-]\d\d:\d\d)", value or "")
    return [{"sender": a, "identifier": b, "sent": when(c)} for a, b, c in triples]


alert = ElementTree.parse(sys.argv[1]).getroot()
assert alert.tag == CAP + "alert", alert.tag
print(
    json.dumps(
        {
            "identifier": text(alert, "identifier"),
            "sender": text(alert, "sender"),
            "sent": when(text(alert, "sent")),
            "status": text(alert, "status"),
            "msg_type": text(alert, "msgType"),
            "scope": text(alert, "scope"),
            "note": text(alert, "note"),
            "references": references(text(alert, "references")),
            "incidents": text(alert, "incidents"),
            "info": [info(each) for each in alert.findall(CAP + "info")],
        }
    )
)
