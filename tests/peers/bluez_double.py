"""Stands in for bluetoothd on a bus of its own: one adapter, one paired device with one characteristic.

usage: bluez_double.py BUS_ADDRESS UUID16 SCRIPT

SCRIPT is JSON: a list of wakings, each a list of payloads in hex. The device wakes, is connected,
tells the payloads of that waking, and goes; then it sleeps a second. With a control point (glucose)
the payloads come only after the stored records were asked for. Prints what is done to it.
"""

import asyncio
import json
import sys

from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.constants import PropertyAccess
from dbus_fast.errors import DBusError
from dbus_fast.service import ServiceInterface, dbus_property, method

BASE = "/org/bluez/hci0"
DEVICE = BASE + "/dev_00_11_22_AA_BB_CC"
SERVICE = DEVICE + "/service0001"
UUID = "0000{}-0000-1000-8000-00805f9b34fb"
GLUCOSE, CONTROL = "2a18", "2a52"


def say(word):
    print(word, flush=True)


class Adapter(ServiceInterface):
    def __init__(self):
        super().__init__("org.bluez.Adapter1")
        self.powered = False

    @dbus_property(access=PropertyAccess.READ)
    def Address(self) -> "s":
        return "00:00:00:00:00:01"

    @dbus_property()
    def Powered(self) -> "b":
        return self.powered

    @Powered.setter
    def Powered(self, value: "b"):
        self.powered = value
        say("powered")

    @dbus_property(access=PropertyAccess.READ)
    def Discovering(self) -> "b":
        return False

    @method()
    def SetDiscoveryFilter(self, properties: "a{sv}"):
        pass

    @method()
    def StartDiscovery(self):
        pass

    @method()
    def StopDiscovery(self):
        pass


class Device(ServiceInterface):
    def __init__(self):
        super().__init__("org.bluez.Device1")
        self.connected = False
        self.awake = True

    @dbus_property(access=PropertyAccess.READ)
    def Address(self) -> "s":
        return "00:11:22:AA:BB:CC"

    @dbus_property(access=PropertyAccess.READ)
    def Adapter(self) -> "o":
        return BASE

    @dbus_property(access=PropertyAccess.READ)
    def Connected(self) -> "b":
        return self.connected

    @dbus_property(access=PropertyAccess.READ)
    def ServicesResolved(self) -> "b":
        return self.connected

    def turn(self, connected):
        self.connected = connected
        self.emit_properties_changed({"Connected": connected, "ServicesResolved": connected})

    @method()
    def Connect(self):
        if not self.awake:
            raise DBusError("org.bluez.Error.Failed", "le-connection-abort-by-local")
        say("connected")
        self.turn(True)

    @method()
    def Disconnect(self):
        self.turn(False)


class Service(ServiceInterface):
    def __init__(self):
        super().__init__("org.bluez.GattService1")

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> "s":
        return UUID.format("1810")

    @dbus_property(access=PropertyAccess.READ)
    def Device(self) -> "o":
        return DEVICE

    @dbus_property(access=PropertyAccess.READ)
    def Primary(self) -> "b":
        return True


class Characteristic(ServiceInterface):
    def __init__(self, number):
        super().__init__("org.bluez.GattCharacteristic1")
        self.number = number
        self.value = b""
        self.notifying = False
        self.asked = asyncio.Event()

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> "s":
        return UUID.format(self.number)

    @dbus_property(access=PropertyAccess.READ)
    def Service(self) -> "o":
        return SERVICE

    @dbus_property(access=PropertyAccess.READ)
    def Value(self) -> "ay":
        return self.value

    @dbus_property(access=PropertyAccess.READ)
    def Notifying(self) -> "b":
        return self.notifying

    @dbus_property(access=PropertyAccess.READ)
    def Flags(self) -> "as":
        return ["write"] if self.number == CONTROL else ["indicate"]

    @method()
    def StartNotify(self):
        self.notifying = True
        self.emit_properties_changed({"Notifying": True})
        self.asked.set()

    @method()
    def StopNotify(self):
        self.notifying = False

    @method()
    def WriteValue(self, value: "ay", options: "a{sv}"):
        say("written " + bytes(value).hex())
        self.asked.set()

    def tell(self, payload):
        self.value = payload
        self.emit_properties_changed({"Value": payload})


async def main():
    address, number, script = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    bus = await MessageBus(bus_address=address).connect()
    device, told, control = Device(), Characteristic(number), Characteristic(CONTROL)
    bus.export(BASE, Adapter())
    bus.export(DEVICE, device)
    bus.export(SERVICE, Service())
    bus.export(SERVICE + "/char0002", told)
    if number == GLUCOSE:
        bus.export(SERVICE + "/char0003", control)
    await bus.request_name("org.bluez")
    say("ready")
    for payloads in script:
        device.awake = True
        await told.asked.wait()
        if number == GLUCOSE:
            await control.asked.wait()
        await asyncio.sleep(0.3)
        for payload in payloads:
            told.tell(bytes.fromhex(payload))
            await asyncio.sleep(0.1)
        device.awake = False
        for characteristic in (told, control):
            characteristic.asked.clear()
        device.turn(False)
        say("asleep")
        await asyncio.sleep(1)
    await asyncio.Event().wait()


asyncio.run(main())
