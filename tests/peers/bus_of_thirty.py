"""Thirty RTU devices on one serial port, framed and checked by pymodbus; some misbehave.

usage: bus_of_thirty.py PATH BAUD [--dead U,U] [--slow U,U] [--babbling U,U] [--slow-ms MS] [--parent PID]

A dead unit never answers. A slow one answers long after the gateway has given it up. A babbling
one sends noise in place of an answer, and now and then in between. Holding registers count the
requests of their unit. Bytes are paced as the baud rate would, 11 bits each.
"""

import argparse
import asyncio
import os
import random
import sys

import serial
from pymodbus.framer.rtu import FramerRTU

parser = argparse.ArgumentParser()
parser.add_argument("path")
parser.add_argument("baud", type=int)
for fault in ("dead", "slow", "babbling"):
    parser.add_argument(f"--{fault}", type=lambda s: {int(u) for u in s.split(",") if u}, default=set())
parser.add_argument("--slow-ms", type=int, default=700)
parser.add_argument("--parent", type=int, default=0)
args = parser.parse_args()

BYTE = 11 / args.baud
noise = random.Random(7)


def framed(body):
    check = FramerRTU.compute_CRC(body)
    # pymodbus gives the checksum in the order of the wire.
    return body + check.to_bytes(2, "big")


def answer(request, asked):
    unit, function = request[0], request[1]
    count = int.from_bytes(request[4:6], "big")
    if function != 3:
        return framed(bytes([unit, function | 0x80, 1]))
    asked[unit] = asked.get(unit, 0) + 1
    data = b"".join(((asked[unit] + i) & 0xFFFF).to_bytes(2, "big") for i in range(count))
    return framed(bytes([unit, function, len(data)]) + data)


async def main():
    port = serial.Serial(args.path, timeout=0)
    loop = asyncio.get_running_loop()
    received, asked = bytearray(), {}
    arrived = asyncio.Event()

    def readable():
        received.extend(port.read(4096))
        arrived.set()

    loop.add_reader(port.fileno(), readable)
    print("ready", flush=True)

    async def say(data, after=0.0):
        await asyncio.sleep(after + len(data) * BYTE)
        port.write(data)

    background = set()
    while True:
        if args.parent and os.getppid() != args.parent:
            sys.exit(0)
        try:
            await asyncio.wait_for(arrived.wait(), 1)
        except TimeoutError:
            continue
        arrived.clear()
        while len(received) >= 8:
            request = bytes(received[:8])
            if framed(request[:6]) != request:
                del received[0]
                continue
            del received[:8]
            unit = request[0]
            if unit in args.dead or not 1 <= unit <= 30:
                continue
            if unit in args.babbling:
                await say(noise.randbytes(noise.randint(1, 40)))
                continue
            await asyncio.sleep(8 * BYTE + 0.002)
            reply = answer(request, asked)
            if unit in args.slow:
                task = loop.create_task(say(reply, args.slow_ms / 1000))
                background.add(task)
                task.add_done_callback(background.discard)
            else:
                await say(reply)


asyncio.run(main())
