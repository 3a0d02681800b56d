"""Receives webhooks: refuses the first ones, then takes them. Prints each as a line of JSON.

usage: webhook_receiver.py PORT REFUSALS SECRET
"""

import hashlib
import hmac
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

port, refusals, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()


class Receiver(BaseHTTPRequestHandler):
    seen = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        expect = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        Receiver.seen += 1
        taken = Receiver.seen > refusals
        line = {
            "taken": taken,
            "key": self.headers["idempotency-key"],
            "signed": hmac.compare_digest(expect, self.headers.get("x-linli-signature", "")),
            "body": json.loads(body),
        }
        print(json.dumps(line), flush=True)
        self.send_response(204 if taken else 503)
        self.end_headers()

    def log_message(self, *args):
        pass


HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
