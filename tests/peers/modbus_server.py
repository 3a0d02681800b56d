"""A Modbus server by pymodbus whose counter counts up: TCP or a serial port.

usage: modbus_server.py tcp PORT | rtu_over_tcp PORT | serial PATH    [--units N] [--every MS] [--reads N] [--parent PID]

Holding registers 0-1 of every unit are a 32-bit counter (high word first), 2 a set-point, 3 a
limit; coil 0 is a relay. With --reads the counter goes on only when it was read that often. Ends by itself when its parent is gone.
"""

import argparse
import asyncio
import os

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer

parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=["tcp", "rtu_over_tcp", "serial"])
parser.add_argument("where")
parser.add_argument("--units", type=int, default=1)
parser.add_argument("--every", type=int, default=50)
parser.add_argument("--reads", type=int, default=0)
parser.add_argument("--parent", type=int, default=0)
args = parser.parse_args()


def unit():
    return ModbusDeviceContext(
        co=ModbusSequentialDataBlock(1, [False] * 16),
        di=ModbusSequentialDataBlock(1, [False] * 16),
        hr=ModbusSequentialDataBlock(1, [0] * 16),
        ir=ModbusSequentialDataBlock(1, [0] * 16),
    )


reads = 0


def note(sending, pdu):
    global reads
    reads += sending and pdu.function_code == 3
    return pdu


async def count(server):
    global reads
    counter = 0
    while True:
        if args.parent and os.getppid() != args.parent:
            os._exit(0)
        if counter and reads < args.reads:
            await asyncio.sleep(0.01)
            continue
        counter, reads = counter + 1, 0
        words = [(counter >> 16) & 0xFFFF, counter & 0xFFFF]
        for unit in range(1, args.units + 1):
            refused = await server.async_setValues(unit, 16, 0, words)
            assert not refused, f"the counter cannot be set: {refused}"
        await asyncio.sleep(args.every / 1000)


async def main():
    units = {number: unit() for number in range(1, args.units + 1)}
    context = ModbusServerContext(devices=units, single=False)
    if args.kind != "serial":
        framer = FramerType.SOCKET if args.kind == "tcp" else FramerType.RTU
        server = ModbusTcpServer(
            context, framer=framer, address=("127.0.0.1", int(args.where)), trace_pdu=note
        )
    else:
        server = ModbusSerialServer(
            context, framer=FramerType.RTU, port=args.where, baudrate=19200, timeout=1, trace_pdu=note
        )
    print("ready", flush=True)
    # A counter that stands still would prove nothing: if it ends, everything ends.
    await asyncio.gather(server.serve_forever(), count(server))


asyncio.run(main())
