"""A user-space Ethernet switch between network namespaces, for kernels without netem.

Standard library only. Each port is a TAP device; the device of port N has the address 02:00:00:00:00:NN. Commands
come as JSON lines on stdin, each is answered by one line on stdout:

  {"open": 1}                                   makes the device "jurat1"
  {"from": 1, "to": 2, "delayMs": 100, "jitterMs": 20, "lossPercent": 5, "bytesPerSecond": 65536, "isCut": false}
                                                 sets what one direction of a link does; what is left out is none
  {"counts": true}                              answers frames forwarded, lost and dropped so far

It ends with its stdin. See specs/campaigns/netfaults/netfaults.md.
"""
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
LONGEST_FRAME_BYTES = 2048
# Frames under way on one direction of a link; more are dropped, as a router drops them.
QUEUE_LIMIT_FRAMES = 10_000
# Frames read from one port before the others have their turn.
TURN_FRAMES = 64

links = {}
ports = {}
port_of = {}
queued = {}
due = []
order = 0
counts = {"forwarded": 0, "lost": 0, "dropped": 0}
chance = random.Random(1)


def open_port(number):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"jurat%d" % number, IFF_TAP | IFF_NO_PI))
    ports[number] = device
    port_of[device] = number


def send(to, frame):
    try:
        os.write(ports[to], frame)
        counts["forwarded"] += 1
    except (BlockingIOError, OSError):
        counts["dropped"] += 1


def pass_on(source, to, frame, now):
    global order
    fault = links.get((source, to))
    if fault is None:
        send(to, frame)
        return
    if fault.get("isCut") or chance.random() * 100 < fault.get("lossPercent", 0):
        counts["lost"] += 1
        return
    if queued.get((source, to), 0) >= QUEUE_LIMIT_FRAMES:
        counts["dropped"] += 1
        return
    start = max(now, fault["freeAt"])
    rate = fault.get("bytesPerSecond")
    if rate:
        fault["freeAt"] = start + len(frame) / rate
    jitter = fault.get("jitterMs", 0) * chance.random()
    # Never earlier than the frame before: a path delays, it seldom reorders.
    at = max(start + (fault.get("delayMs", 0) + jitter) / 1000, fault["lastAt"])
    fault["lastAt"] = at
    order += 1
    queued[(source, to)] = queued.get((source, to), 0) + 1
    heapq.heappush(due, (at, order, source, to, frame))


def receive(source, frame, now):
    if frame[0] & 1:
        for to in list(ports):
            if to != source:
                pass_on(source, to, frame, now)
    elif frame[5] in ports:
        pass_on(source, frame[5], frame, now)


def command(line):
    request = json.loads(line)
    if "open" in request:
        open_port(request["open"])
        return {"opened": request["open"]}
    if "counts" in request:
        return dict(counts)
    key = (request.pop("from"), request.pop("to"))
    if any(request.values()):
        links[key] = {**request, "freeAt": 0, "lastAt": 0}
    else:
        links.pop(key, None)
    return {"set": list(key)}


def serve():
    pending = b""
    os.set_blocking(0, False)
    while True:
        wait = max(0, due[0][0] - time.monotonic()) if due else None
        readable, _, _ = select.select([0, *port_of], [], [], wait)
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, source, to, frame = heapq.heappop(due)
            queued[(source, to)] -= 1
            send(to, frame)
        for device in readable:
            if device == 0:
                got = os.read(0, 65536)
                if got == b"":
                    return
                pending += got
                while b"\n" in pending:
                    line, pending = pending.split(b"\n", 1)
                    print(json.dumps(command(line)), flush=True)
                continue
            for _ in range(TURN_FRAMES):
                try:
                    frame = os.read(device, LONGEST_FRAME_BYTES)
                except OSError:
                    break
                receive(port_of[device], frame, now)


serve()
sys.exit(0)
