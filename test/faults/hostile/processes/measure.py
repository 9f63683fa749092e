"""Runs one command with a limit and tells what became of it, as one line of JSON.

In: {"argv": [...], "env": {...}, "cwd": path, "input": text, "limit": seconds}. Out: the exit status or signal, what
was written (cut), the seconds it took, and the largest resident set of it and what it started, in bytes: wait4(2)
knows that only afterwards, and Node does not tell.
"""
import json
import os
import signal
import sys
import tempfile
import time

LARGEST = 200_000

job = json.load(sys.stdin)
stdin, stdout, stderr = (tempfile.TemporaryFile() for _ in range(3))
stdin.write(job["input"].encode("utf-8", "surrogatepass"))
stdin.seek(0)
started = time.monotonic()
pid = os.fork()
if pid == 0:
    os.setsid()
    os.dup2(stdin.fileno(), 0)
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    os.chdir(job["cwd"])
    environment = {key.encode(): value.encode("utf-8", "surrogatepass") for key, value in job["env"].items()}
    try:
        os.execve(job["argv"][0], [each.encode("utf-8", "surrogatepass") for each in job["argv"]], environment)
    except OSError as error:
        os.write(2, f"exec: {error}".encode())
    os._exit(127)

was_too_slow = False


def end(*_):
    global was_too_slow
    was_too_slow = True
    os.killpg(pid, signal.SIGKILL)


signal.signal(signal.SIGALRM, end)
signal.alarm(job["limit"])
_, status, usage = os.wait4(pid, 0)
signal.alarm(0)


def text(file):
    file.seek(0)
    return file.read(LARGEST).decode("utf-8", "replace")


json.dump(
    {
        "exitCode": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "wasTooSlow": was_too_slow,
        "stdout": text(stdout),
        "stderr": text(stderr),
        "seconds": time.monotonic() - started,
        "peakBytes": usage.ru_maxrss * 1024,
    },
    sys.stdout,
)
