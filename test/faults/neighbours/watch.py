"""Tells of every opening, reading and changing of the files it is given: watch.py LOG CGROUP FILE...

What root does through a planted link shows here even where nothing was changed. The agent follows links, too, and does
so whatever we do: what processes of the control group CGROUP open is not told. fanotify(7) knows who it was, inotify(7)
of all that is no opening.
"""
import ctypes
import os
import select
import struct
import sys

NOTICED = {0x2: "changed", 0x4: "attributes changed", 0x400: "removed", 0x800: "moved"}
OPENED = {0x1: "read", 0x20: "opened"}
FAN_CLOEXEC, FAN_NONBLOCK, FAN_MARK_ADD, AT_FDCWD = 0x1, 0x2, 0x1, -100

log, cgroup, *paths = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)
    return result


notices = checked(libc.inotify_init1(os.O_NONBLOCK), "inotify_init1")
names = {checked(libc.inotify_add_watch(notices, path.encode(), sum(NOTICED)), path): path for path in paths}
openings = checked(libc.fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK, os.O_RDONLY), "fanotify_init")
for path in paths:
    mask = ctypes.c_uint64(sum(OPENED))
    checked(libc.fanotify_mark(openings, FAN_MARK_ADD, mask, AT_FDCWD, path.encode()), path)


def pieces(descriptor):
    while True:
        try:
            yield os.read(descriptor, 65536)
        except BlockingIOError:
            return


def is_agent(pid):
    try:
        with open("/proc/%d/cgroup" % pid) as groups:
            return cgroup in groups.read()
    except OSError:
        return False


def openers():
    for data in pieces(openings):
        at = 0
        while at < len(data):
            length, _, _, _, mask, descriptor, pid = struct.unpack_from("=IBBHQii", data, at)
            at += length
            path = os.readlink("/proc/self/fd/%d" % descriptor)
            os.close(descriptor)
            if not is_agent(pid):
                yield from ((path, name) for bit, name in OPENED.items() if mask & bit)


with open(log, "a", buffering=1) as out:
    out.write("ready\n")
    while True:
        select.select([notices, openings], [], [])
        for data in pieces(notices):
            # What was opened before is told before.
            for path, name in openers():
                out.write("%s %s\n" % (path, name))
            at = 0
            while at < len(data):
                descriptor, mask, _, length = struct.unpack_from("iIII", data, at)
                at += 16 + length
                for bit, name in NOTICED.items():
                    if mask & bit and descriptor in names:
                        out.write("%s %s\n" % (names[descriptor], name))
        for path, name in openers():
            out.write("%s %s\n" % (path, name))
