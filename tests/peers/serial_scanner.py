"""A scanner on one end of a pseudo-terminal; the gateway opens the other one.

usage: serial_scanner.py < codes    (prints the path of the port; each line is what it sends, hexadecimal)
"""

import os
import pty
import sys
import tty

ours, port = pty.openpty()
tty.setraw(port)
print(os.ttyname(port), flush=True)
for line in sys.stdin:
    os.write(ours, bytes.fromhex(line))
