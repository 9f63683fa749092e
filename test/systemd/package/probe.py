"""What a sandbox lets through: one line for each attempt, `NAME allowed` or `NAME refused (why)`."""
import ctypes
import errno
import mmap
import os
import socket
import subprocess


def read(path):
    return lambda: open(path, "rb").read(1)


def write(directory):
    def attempt():
        path = os.path.join(directory, "probe")
        open(path, "w").close()
        os.unlink(path)

    return attempt


def run(*command):
    def attempt():
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode != 0:
            raise OSError(errno.EPERM, ended.stderr.strip())

    return attempt


def executable_memory():
    # Through the C library: Python's own mmap cannot ask for both at once on every version.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    address = libc.mmap(None, mmap.PAGESIZE, protection, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")


def connect_abroad():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"probe", ("127.0.0.1", 9))


ATTEMPTS = {
    "read-shadow": read("/etc/shadow"),
    "read-base-credentials": read("/etc/idc-codedeploy-helper/base-credentials"),
    "list-root": lambda: os.listdir("/root"),
    "write-usr": write("/usr"),
    "write-etc": write("/etc"),
    "write-etc-ours": write("/etc/idc-codedeploy-helper"),
    "write-agent-config": write("/etc/codedeploy-agent/conf"),
    "write-var-lib": write("/var/lib"),
    # Anybody may write there: only the sandbox can refuse it.
    "write-open": write("/srv/open"),
    "write-state": write("/var/lib/idc-codedeploy-helper"),
    "write-requests": write("/run/idc-codedeploy-helper-agent/requests"),
    "write-answers": write("/run/idc-codedeploy-helper-agent"),
    "another-user": run("setpriv", "--reuid=1" if os.getuid() == 0 else "--reuid=0", "true"),
    "give-away-file": lambda: os.chown(os.environ["PROBE_FILE"], 1, 1),
    "user-namespace": run("unshare", "--user", "true"),
    "mount": run("mount", "-t", "tmpfs", "tmpfs", "/mnt"),
    "raw-socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close(),
    "packet-socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "netlink-socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "internet-socket": connect_abroad,
    "executable-memory": executable_memory,
    "process-of-another-user": lambda: os.kill(int(os.environ["PROBE_PROCESS"]), 0),
}

for name, attempt in ATTEMPTS.items():
    try:
        attempt()
        print(name, "allowed")
    except OSError as error:
        print(name, f"refused ({error})".replace("\n", " "))
