"""Rooms that change their use, with their controllers, by pymodbus: generic/room-mode on units 4 to 10.

usage: mode_room.py PORT    [--lease SECONDS] [--more ROOMS] [--tick SECONDS] [--state JSON] [--parent PID]

`--more 14` adds that many reading rooms of other centres, on units 11 and above. `--state` begins
with these attributes of the rooms by unit, such as '{"4": {"occupied": false, "entry": 1}}'.

What is written is what is commanded; what really is follows, with the wires that no software can
overrule: lamps only burn while nobody is there and the door is shut, their relay drops when it is
not written for the lease, a fire frees the door. Words on standard input change the
rooms, all of them or, after `UNIT:`, one:

  occupied 0|1   door 0|1   fire 0|1   broken lamp|door|air|none   power 0|1

`broken` things take every command and do nothing. `power 0` loses what was commanded. Every write
is a line of JSON on standard output, and so is every violation of a safety rule. Ends by itself when its parent is gone.
"""

import argparse
import asyncio
import json
import os
import sys
import threading
import time

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--lease", type=float, default=10.0)
parser.add_argument("--more", type=int, default=0)
parser.add_argument("--tick", type=float, default=0.01)
parser.add_argument("--state", type=json.loads, default={})
parser.add_argument("--parent", type=int, default=0)
args = parser.parse_args()

READING_ROOMS = (4, *range(11, 11 + args.more))
UNITS = (*READING_ROOMS, 5, 6, 7, 8, 9, 10)
PUBLIC, STAFF_ONLY = 0, 1


class Room:
    def __init__(self, unit):
        self.unit = unit
        self.occupied = True
        self.door = False
        self.fire = False
        self.broken = "none"
        self.lamps = False
        self.lease_until = 0.0
        self.entry, self.outdoor, self.recirculation, self.scene = PUBLIC, 30, 70, 1
        self.flow = 400.0
        self.gate = False
        self.presses = 0
        # A button stays down for a moment.
        self.down_until = 0.0
        # The stoves are lit.
        self.relay = unit == 6

    def burns(self):
        return self.lamps and not (self.occupied or self.door or self.fire)

    def step(self):
        if time.monotonic() > self.lease_until:
            self.lamps = False
        if self.fire:
            self.entry = PUBLIC
        self.flow += (13.0 * self.outdoor - self.flow) * 0.2
        # Only the reading room is secured; elsewhere staff works behind the door.
        if self.unit in READING_ROOMS and self.occupied and self.entry == STAFF_ONLY:
            self.tell({"violation": "secured with somebody inside"})

    def write_coil(self, address, on):
        if address == 0 and self.broken != "lamp":
            self.lamps = on
            self.lease_until = time.monotonic() + args.lease
        if address == 0 and on and self.occupied:
            self.tell({"violation": "lamps commanded with somebody inside"})
        if address == 1 and on:
            self.presses += 1
            self.down_until = time.monotonic() + 0.5
            self.gate = not self.gate
        if address == 2 and self.broken != "relay":
            self.relay = on

    def write_register(self, address, word):
        if address == 0 and self.broken != "door":
            self.entry = word
        if address == 0 and word == STAFF_ONLY and self.fire:
            self.tell({"violation": "secured in a fire"})
        if address == 1 and self.broken != "air":
            self.outdoor = word
        if address == 2 and self.broken != "air":
            self.recirculation = word
        if address == 3:
            self.scene = word


    def tell(self, what):
        what["unit"], what["t"] = self.unit, time.monotonic()
        # Commands and what is typed come in two threads: half a line each would be no line.
        with telling:
            print(json.dumps(what), flush=True)


rooms = {unit: Room(unit) for unit in UNITS}
for unit, attributes in args.state.items():
    vars(rooms[int(unit)]).update(attributes)
commanded = asyncio.Queue()
telling = threading.Lock()


# What is broken shows nothing of a command, not even until the next tick: part by kind and address.
PARTS = {
    ("coil", 0): ("lamp", "lamps"),
    ("coil", 2): ("relay", "relay"),
    ("register", 0): ("door", "entry"),
    ("register", 1): ("air", "outdoor"),
    ("register", 2): ("air", "recirculation"),
}
answered = {}


def trace(sending, pdu):
    if pdu.function_code not in (5, 6, 15, 16):
        return pdu
    is_coil = pdu.function_code in (5, 15)
    values = pdu.bits if is_coil else pdu.registers
    asked = (pdu.dev_id, pdu.function_code, pdu.address)
    if sending:
        # The answer repeats the command all the same.
        if asked in answered:
            values[:] = answered.pop(asked)
        return pdu
    count = 1 if pdu.function_code in (5, 6) else pdu.count
    commanded.put_nowait((pdu.dev_id, is_coil, pdu.address, list(values[:count])))
    room = rooms[pdu.dev_id]
    for offset in range(count):
        part, attribute = PARTS.get(("coil" if is_coil else "register", pdu.address + offset), (None, None))
        if part is not None and room.broken == part:
            if pdu.function_code in (5, 6):
                answered[asked] = list(values)
            values[offset] = getattr(room, attribute)
    return pdu


def change(room, what, value):
    if what == "broken":
        room.broken = value
    elif what == "power" and value == "0":
        kept = (room.occupied, room.door, room.fire, room.broken, room.presses)
        room.__init__(room.unit)
        room.occupied, room.door, room.fire, room.broken, room.presses = kept
    elif what != "power":
        setattr(room, what, value == "1")
    room.tell({"set": what, "to": value})


def listen():
    for line in sys.stdin:
        unit, _, words = line.rpartition(":")
        what, value = words.split()
        for room in rooms.values():
            if not unit or int(unit) == room.unit:
                change(room, what, value)


def take():
    """What was commanded since. Shown values never overwrite a command that is not taken yet."""
    while not commanded.empty():
        unit, is_coil, address, values = commanded.get_nowait()
        room = rooms[unit]
        for offset, value in enumerate(values):
            kind, place = "coil" if is_coil else "register", address + offset
            room.tell({"write": kind, "address": place, "value": int(value)})
            (room.write_coil if is_coil else room.write_register)(place, value)


async def show(server, room):
    interlock = not room.door and not room.occupied
    for code, values in (
        (15, lambda: [room.lamps, time.monotonic() < room.down_until, room.relay]),
        (
            2,
            lambda: [
                *(room.door, True, room.burns(), room.occupied, room.fire),
                *(interlock, room.gate, room.relay),
            ],
        ),
        (16, lambda: [room.entry, room.outdoor, room.recirculation, room.scene]),
        # Unit 7 stands in for the kitchen's fridge.
        (4, lambda: [round(room.flow), 42 if room.unit == 7 else 235, 450, 120]),
    ):
        take()
        refused = await server.async_setValues(room.unit, code, 0, values())
        assert not refused, f"{code}: {refused}"


async def live(server):
    while True:
        if args.parent and os.getppid() != args.parent:
            os._exit(0)
        take()
        for room in rooms.values():
            room.step()
            await show(server, room)
        await asyncio.sleep(args.tick)


async def main():
    unit = lambda: ModbusDeviceContext(
        co=ModbusSequentialDataBlock(1, [False] * 4),
        di=ModbusSequentialDataBlock(1, [False] * 8),
        hr=ModbusSequentialDataBlock(1, [0, 30, 70, 1] + [0] * 4),
        ir=ModbusSequentialDataBlock(1, [0] * 8),
    )
    context = ModbusServerContext(devices={number: unit() for number in UNITS}, single=False)
    server = ModbusTcpServer(context, framer=FramerType.SOCKET, address=("127.0.0.1", args.port), trace_pdu=trace)
    print("ready", flush=True)
    asyncio.get_running_loop().run_in_executor(None, listen)
    await asyncio.gather(server.serve_forever(), live(server))


asyncio.run(main())
