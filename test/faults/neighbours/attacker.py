"""Whoever has taken over the user idc-helper, at work on the booted machine: attacker.py WHAT ARGUMENTS...

plant KIND PATH...   lays one kind of thing in the place of each path
race SECONDS SEED    swaps what lies in every place that root looks at, as fast as it can
flood SECONDS SEED PAUSE_MS   leaves requests of every kind; prints how many of each
attempt              tries what must be refused; a line for each: NAME done, or NAME refused ERRNO
"""
import errno
import json
import os
import random
import shutil
import socket
import stat
import sys
import time

STATE = "/var/lib/idc-codedeploy-helper"
RUNTIME = "/run/idc-codedeploy-helper"
ROOTS_OWN = "/run/idc-codedeploy-helper-agent"
REQUEST = ROOTS_OWN + "/requests/sync"
PLACES = [STATE + "/" + name for name in ("credentials", "refresh.json", "run.json", "refresh.lock", "run.lock")] + [
    RUNTIME + "/status.json",
    REQUEST,
]
LINKS = {
    "link to root's secret": "/root/canary/secret",
    "link to root's config": "/etc/canary.conf",
    "link to root's directory": "/root/canary",
    "link to a place where root could make a file": "/root/canary/made-through-a-link",
    "link to a device": "/dev/zero",
}
KINDS = [*LINKS, "FIFO", "socket", "directory with a file in it", "sparse file of 8 GiB", "rubbish"]


def clear(path):
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)


def plant(kind, path):
    clear(path)
    if kind in LINKS:
        os.symlink(LINKS[kind], path)
    elif kind == "FIFO":
        os.mkfifo(path, 0o666)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path)
    elif kind == "directory with a file in it":
        os.mkdir(path)
        write(path + "/inner", b"x")
    elif kind == "sparse file of 8 GiB":
        with open(path, "wb") as file:
            file.truncate(8 << 30)
    elif kind == "rubbish":
        write(path, bytes(range(256)) * 16)
    elif kind == "device":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    else:
        raise SystemExit("no such kind: " + kind)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def race(seconds, seed):
    draw = random.Random(seed)
    good = {}
    for path in PLACES:
        try:
            with open(path, "rb") as file:
                good[path] = file.read()
        except OSError:
            good[path] = b"{}"
    # So that something is left to be written back when our own profile is taken out of it.
    good[STATE + "/credentials"] += b"[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n"
    pool = STATE + "/.pool"
    hard_links = os.listdir(pool)
    swaps = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        path = draw.choice(PLACES)
        try:
            if hard_links and path.startswith(STATE) and draw.random() < 0.02:
                os.rename(pool + "/" + hard_links.pop(), path)
            elif draw.random() < 0.5:
                temporary = "%s.atk%d" % (path, os.getpid())
                write(temporary, good[path])
                if stat.S_ISDIR(os.lstat(path).st_mode):
                    clear(path)
                os.rename(temporary, path)
            else:
                plant(draw.choice(KINDS), path)
            # What root is writing beside it at this moment: its name is taken from under it.
            if draw.random() < 0.1:
                for name in os.listdir(STATE):
                    if ".tmp." in name:
                        plant("link to root's config", STATE + "/" + name)
        except OSError:
            pass
        swaps += 1
    for directory in (STATE, RUNTIME):
        for name in os.listdir(directory):
            if ".atk" in name:
                clear(directory + "/" + name)
    print(swaps)


def boot_instant(ahead_ms=0):
    # As root's answer has it, which everyone may read: in a container it may be another in the sandbox than outside.
    with open(ROOTS_OWN + "/agent.json") as file:
        boot_id = json.load(file)["bootId"]
    return {"bootId": boot_id, "bootMs": time.clock_gettime(time.CLOCK_BOOTTIME) * 1000 + ahead_ms}


def flood(seconds, seed, pause_ms):
    draw = random.Random(seed)
    count = {}
    number = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number += 1
        kind = draw.choices(["wants a reload", "wants one from the future", "plain", "malformed", "planted", "large"], [40, 10, 10, 20, 19, 1])[0]
        request = {"id": "flood-%d" % number, "credentialsSince": None}
        if kind == "wants a reload":
            content = json.dumps({**request, "credentialsSince": boot_instant()}).encode()
        elif kind == "wants one from the future":
            content = json.dumps({**request, "credentialsSince": boot_instant(1e15)}).encode()
        elif kind == "plain":
            content = json.dumps(request).encode()
        elif kind == "malformed":
            content = draw.choice([b"", b"\0\xff", b"[" * 4000, b'{"id": 5}', b'{"id": "../../../etc/passwd"}', b'{"id":"x\\n\\u001b[2J"}', b"null", b'{"__proto__": {"id": "a"}}', b'{"id":"a","credentialsSince":{"bootId":5,"bootMs":"1e999"}}'])
        elif kind == "large":
            content = b'{"id": "' + b"x" * 10_000_000 + b'"}'
        try:
            if kind == "planted":
                plant(draw.choice(KINDS), REQUEST)
            else:
                temporary = "%s/requests/.f%d" % (ROOTS_OWN, os.getpid())
                write(temporary, content)
                os.chmod(temporary, 0o644)
                os.rename(temporary, REQUEST)
            count[kind] = count.get(kind, 0) + 1
        except OSError:
            # A directory lies there until root has taken it away.
            count["in the way of another"] = count.get("in the way of another", 0) + 1
        time.sleep(pause_ms / 1000)
    clear(REQUEST)
    print(json.dumps(count))


def attempt(agent_master, agent_worker):
    def try_it(name, work):
        try:
            work()
            print(name + ": done")
        except OSError as error:
            print(name + ": refused " + errno.errorcode[error.errno])

    protected = [
        "/etc/idc-codedeploy-helper/config.yaml",
        "/etc/idc-codedeploy-helper/base-credentials",
        "/etc/idc-codedeploy-helper/registration.json",
        "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
        "/etc/codedeploy-agent/conf/codedeployagent.yml",
        ROOTS_OWN + "/agent.json",
        ROOTS_OWN + "/sync.json",
        ROOTS_OWN + "/sync.lock",
        "/run/idc-codedeploy-helper.lock",
        "/usr/libexec/idc-codedeploy-helper/idc-helper.cjs",
        "/usr/libexec/idc-codedeploy-helper/run.cjs",
        "/usr/libexec/idc-codedeploy-helper/node",
        "/usr/libexec/idc-codedeploy-helper/reload-agent",
        "/usr/lib/systemd/system/idc-codedeploy-helper.service",
        "/usr/lib/systemd/system/idc-codedeploy-helper-agent.service",
        "/usr/lib/systemd/system/codedeploy-agent.service.d/50-idc-codedeploy-helper.conf",
        "/opt/codedeploy-agent/state/.pid/codedeploy-agent.pid",
    ]
    for path in protected:
        try_it("write " + path, lambda: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)))
        try_it("replace " + path, lambda: os.rename(path, path + ".moved"))
        try_it("remove " + path, lambda: os.unlink(path))
    directories = {os.path.dirname(path) for path in protected} | {
        "/etc/systemd/system",
        "/run/systemd/system",
        "/opt/codedeploy-agent/deployment-root",
        "/var/lib",
        "/run",
    }
    for path in sorted(directories):
        try_it("make a file in " + path, lambda: write(path + "/made", b"x"))
    for path in ("/etc/shadow", ROOTS_OWN + "/sync.json", "/root/canary/secret"):
        try_it("read " + path, lambda: open(path, "rb").read(1))
    try_it("list the requests", lambda: os.listdir(ROOTS_OWN + "/requests"))
    for name, pid in (("master", agent_master), ("worker", agent_worker), ("first process of the host", "1")):
        try_it("signal the agent's " + name if pid != "1" else "signal the " + name, lambda: os.kill(int(pid), 15))
        if pid != "1":
            try_it("read the environment of the agent's " + name, lambda: open("/proc/%s/environ" % pid, "rb").read(1))
            try_it("read the memory of the agent's " + name, lambda: open("/proc/%s/mem" % pid, "rb").read(1))
    try_it("make a device", lambda: plant("device", STATE + "/device"))
    try_it("link root's secret into its directory", lambda: os.link("/root/canary/secret", STATE + "/linked"))
    try_it("link root's config into its directory", lambda: os.link("/etc/canary.conf", STATE + "/linked"))
    write(STATE + "/own", b"x")
    try_it("give a file of its own to root", lambda: os.chown(STATE + "/own", 0, 0))
    clear(STATE + "/own")
    try_it("move its own directory away", lambda: os.rename(STATE, STATE + ".moved"))
    try_it("move root's directory away", lambda: os.rename(ROOTS_OWN + "/requests", ROOTS_OWN + "/moved"))


def main(what, *arguments):
    if what == "plant":
        for path in arguments[1:]:
            plant(arguments[0], path)
    elif what == "race":
        race(float(arguments[0]), int(arguments[1]))
    elif what == "flood":
        flood(float(arguments[0]), int(arguments[1]), float(arguments[2]))
    elif what == "attempt":
        attempt(*arguments)
    else:
        raise SystemExit(__doc__)


main(*sys.argv[1:])
