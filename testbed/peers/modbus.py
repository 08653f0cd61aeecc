"""A Modbus device: pymodbus's server, told what to say.

    modbus.py CONTROL-PORT tcp PORT
    modbus.py CONTROL-PORT serial DEVICE

Each line that comes over the control port is a JSON object and is answered by `ok`:

    {"set": "input", "unit": 1, "address": 0, "values": [1, 0]}    what stands in a table
    {"mischief": "exception" | "other_unit" | "half" | "bad_crc" | "silent" | "silent_2" | null}
"""

import asyncio
import json
import sys

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

SIZE = 256
FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
values: dict[tuple[int, int, int], int] = {}
mischief = None
mute = False


def device(unit: int) -> SimDevice:
    async def act(function, start, address, count, registers, written):
        if mischief == "exception":
            return ExcCodes.DEVICE_FAILURE
        if function in (FUNCTION["coil"], FUNCTION["discrete"]):
            # Bits stand in words of sixteen.
            for word in range(len(registers)):
                bits = (values.get((unit, function, 16 * word + bit), 0) << bit for bit in range(16))
                registers[word] = sum(bits)
        else:
            for at in range(address, address + count):
                registers[at - start] = values.get((unit, function, at), 0)
        return None

    def bits():
        return [SimData(0, count=SIZE, values=False, datatype=DataType.BITS)]

    def words():
        return [SimData(0, count=SIZE, values=0, datatype=DataType.REGISTERS)]

    return SimDevice(unit, simdata=(bits(), bits(), words(), words()), action=act)


def spoil(sending: bool, packet: bytes) -> bytes:
    """What travels is not what was meant to."""
    if not sending:
        return packet
    match mischief:
        case "silent":
            return b""
        case "silent_2" if mute:
            return b""
        case "half":
            return packet[: len(packet) // 2]
        case "bad_crc":
            return packet[:-1] + bytes([packet[-1] ^ 0xFF])
        case _:
            return packet


def disguise(sending: bool, pdu):
    """Another unit answers, or one of several does not."""
    global mute
    mute = pdu.dev_id == 2
    if sending and mischief == "other_unit":
        pdu.dev_id += 1
    return pdu


async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    global mischief
    while line := await reader.readline():
        order = json.loads(line)
        if "set" in order:
            for at, value in enumerate(order["values"], order["address"]):
                values[order["unit"], FUNCTION[order["set"]], at] = value
        if "mischief" in order:
            mischief = order["mischief"]
        writer.write(b"ok\n")
        await writer.drain()


async def main(control: str, kind: str, place: str) -> None:
    tracing = {"trace_packet": spoil, "trace_pdu": disguise}
    devices = [device(unit) for unit in (0, 1, 2, 3)]
    if kind == "tcp":
        server = ModbusTcpServer(devices, address=("127.0.0.1", int(place)), **tracing)
    else:
        server = ModbusSerialServer(devices, port=place, baudrate=19200, **tracing)
    await server.serve_forever(background=True)
    controlled = await asyncio.start_server(obey, "127.0.0.1", int(control))
    print("serving", flush=True)
    await controlled.serve_forever()


asyncio.run(main(*sys.argv[1:]))
