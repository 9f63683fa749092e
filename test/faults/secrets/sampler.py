"""Looks into the arguments and the environment of every process on this machine, for as long as it runs.

The kernel tells of each exec(2) (proc connector, root in the first namespaces); besides, everything that runs is looked
at every other second, since a process can change its arguments later. Where the kernel does not tell, new processes are
looked for a hundred times a second. In: one line of JSON, a list of needles in base64; its end ends this. Out: a line
of JSON for each sighting, each once, and the counts at the end.
"""

import base64
import ctypes
import json
import os
import re
import select
import socket
import struct
import sys
import time

CN_PROC = 1
LISTEN = 1
# At 16 + 20 bytes of headers; a classic BPF program reads them big-endian.
EVENT_AT = 36
EXEC = 2
SWEEP_S = 2.0
POLL_S = 0.01
SO_ATTACH_FILTER = 26
# The event's number at its place, in network order as BPF reads it.
EXEC_ONLY = [
    (0x20, 0, 0, EVENT_AT),
    (0x15, 0, 1, struct.unpack(">I", struct.pack("=I", EXEC))[0]),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
]


def listen():
    """A socket that tells of each exec, or None where the kernel does not let us have it."""
    try:
        told = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 11)
        told.bind((os.getpid(), CN_PROC))
        told.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        code = b"".join(struct.pack("=HBBI", *each) for each in EXEC_ONLY)
        buffer = ctypes.create_string_buffer(code)
        address = ctypes.addressof(buffer)
        told.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(EXEC_ONLY), address))
        ask = struct.pack("=I", LISTEN)
        message = struct.pack("=IIIIHH", CN_PROC, 1, 0, 0, len(ask), 0) + ask
        told.send(struct.pack("=IHHII", 16 + len(message), 3, 0, 0, os.getpid()) + message)
        told.setblocking(False)
        return told
    except OSError:
        return None


class Watch:
    def __init__(self, needles):
        self.pattern = re.compile(b"|".join(re.escape(each) for each in needles))
        self.seen = set()
        self.counts = {"started": 0, "missed": 0, "looks": 0, "overruns": 0, "sweeps": 0}
        self.young = {}

    def look(self, pid, is_new):
        self.counts["looks"] += 1
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                arguments = file.read()
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read()
        except OSError:
            if is_new:
                self.counts["missed"] += 1
            return
        for where, text in (("argv", arguments), ("environ", environment)):
            if self.pattern.search(text):
                self.tell(pid, where, text, arguments)

    def tell(self, pid, where, text, arguments):
        for entry in text.split(b"\0"):
            match = self.pattern.search(entry)
            if match is None:
                continue
            name = entry.split(b"=")[0] if where == "environ" else b""
            mark = entry[match.start() : match.start() + 32]
            key = (where, name, mark[:10], arguments)
            if key in self.seen:
                continue
            self.seen.add(key)
            told = {"pid": pid, "where": where, "name": name, "mark": mark, "command": arguments}
            shown = {k: v.decode("latin1") if isinstance(v, bytes) else v for k, v in told.items()}
            print(json.dumps(shown), flush=True)

    def sweep(self):
        self.counts["sweeps"] += 1
        for name in os.listdir("/proc"):
            if name.isdigit():
                self.look(int(name), False)

    def heard(self, told):
        """All that has come in. The processes are looked at at once: the shortest live a millisecond."""
        while True:
            try:
                message = told.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                self.counts["overruns"] += 1
                self.sweep()
                continue
            if len(message) >= EVENT_AT + 24 and struct.unpack_from("=I", message, EVENT_AT)[0] == EXEC:
                self.counts["started"] += 1
                self.look(struct.unpack_from("=i", message, EVENT_AT + 20)[0], True)

    def poll(self):
        """New ones are looked at ten times: a process becomes what it is by an exec after its fork."""
        pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        for pid in pids - self.young.keys():
            self.young[pid] = 10
            self.counts["started"] += 1
        for pid, left in list(self.young.items()):
            if pid not in pids:
                del self.young[pid]
            elif left > 0:
                self.young[pid] = left - 1
                self.look(pid, left == 10)


def main():
    needles = [base64.b64decode(each) for each in json.loads(sys.stdin.readline())]
    watch = Watch(needles)
    try:
        # Before what it watches, however busy the machine is: it has little to do each time.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        pass
    told = listen()
    watch.sweep()
    print(json.dumps({"ready": "exec" if told else "poll"}), flush=True)
    next_sweep = time.monotonic() + SWEEP_S
    while True:
        wait = max(0.0, min(next_sweep - time.monotonic(), SWEEP_S if told else POLL_S))
        ready, _, _ = select.select([sys.stdin] + ([told] if told else []), [], [], wait)
        if told in ready:
            watch.heard(told)
        if told is None:
            watch.poll()
        if time.monotonic() >= next_sweep:
            watch.sweep()
            next_sweep = time.monotonic() + SWEEP_S
        if sys.stdin in ready:
            break
    times = os.times()
    watch.counts["cpuSeconds"] = round(times.user + times.system, 3)
    print(json.dumps({"end": watch.counts}), flush=True)


try:
    main()
except BrokenPipeError:
    # Whoever watched was ended.
    os._exit(1)
