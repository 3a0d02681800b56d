"""Records a conversation between the gateway and a device as the `[[exchange]]` rows of a transcript
(gateway/drivers/tests/transcripts).

usage: tap.py tcp|udp LISTEN_PORT HOST PORT [SECONDS]

What the gateway sends until the device answers is `asked`, the answer `told`. Prints TOML when it ends.
"""

import select
import socket
import sys
import time

kind, listen, host, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
end = time.monotonic() + float(sys.argv[5] if len(sys.argv) > 5 else 10)
rows = []


def heard(is_asked, data):
    if is_asked and (kind == "udp" or not rows or rows[-1][1]):
        rows.append([b"", b""])
    if rows:
        rows[-1][0 if is_asked else 1] += data


near = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
near.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
near.bind(("127.0.0.1", listen))
far = socket.socket(socket.AF_INET, near.type)
far.connect((host, port))
peer = None
if kind == "tcp":
    near.listen(1)
    near, _ = near.accept()
while time.monotonic() < end:
    ready, _, _ = select.select([near, far], [], [], 0.1)
    if near in ready:
        data, peer = near.recvfrom(65536)
        if not data:
            break
        heard(True, data)
        far.sendall(data)
    if far in ready:
        data = far.recv(65536)
        if not data:
            break
        heard(False, data)
        near.sendto(data, peer) if kind == "udp" else near.sendall(data)
for asked, told in rows:
    print(f'\n[[exchange]]\nasked = "{asked.hex()}"\ntold = "{told.hex()}"')
