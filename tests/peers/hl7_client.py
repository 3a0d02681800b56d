"""Sends HL7 messages with the client of the Python package `hl7`; prints each acknowledgement.

usage: hl7_client.py PORT < messages    (one JSON string a line; one JSON string a line comes back)
"""

import json
import sys

import hl7
from hl7.client import MLLPClient

with MLLPClient("127.0.0.1", int(sys.argv[1])) as client:
    client.socket.settimeout(10)
    for line in sys.stdin:
        answer = client.send_message(hl7.parse(json.loads(line)))
        acknowledgement = hl7.parse(answer.strip(b"\x0b\x1c\r").decode() + "\r")
        # Parsed by the package: what it does not understand fails here.
        segment = acknowledgement.segment("MSA")
        fields = [str(segment[i]) if len(segment) > i else "" for i in range(4)]
        segments = [str(part) for part in acknowledgement]
        told = {"code": fields[1], "control": fields[2], "reason": fields[3], "segments": segments}
        print(json.dumps(told), flush=True)
