"""Tells of every opening, reading and changing of the files it is given (inotify(7)): watch.py LOG FILE...

What root does through a planted link shows here even where nothing was changed.
"""
import ctypes
import os
import struct
import sys

EVENTS = {0x1: "read", 0x2: "changed", 0x4: "attributes changed", 0x20: "opened", 0x400: "removed", 0x800: "moved"}

log, *paths = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init1(0)
names = {}
for path in paths:
    descriptor = libc.inotify_add_watch(watch, path.encode(), sum(EVENTS))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), path)
    names[descriptor] = path
with open(log, "a", buffering=1) as out:
    out.write("ready\n")
    while True:
        data = os.read(watch, 65536)
        at = 0
        while at < len(data):
            descriptor, mask, _, length = struct.unpack_from("iIII", data, at)
            at += 16 + length
            for bit, name in EVENTS.items():
                if mask & bit and descriptor in names:
                    out.write("%s %s\n" % (names[descriptor], name))
