"""Runs commands in turn and measures each as a whole process: wait4(2) tells CPU time and peak memory of a child, which
Node cannot. Reads {"rounds", "warmUp", "commands": [{"argv", "env", "exitCodes"}]} from standard input, writes a list of samples for
each command."""
import json
import os
import subprocess
import sys
import time


def once(command):
    began = time.perf_counter()
    child = subprocess.Popen(
        command["argv"],
        env=command["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    complaint = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in command.get("exitCodes", [0]):
        sys.exit(f"{command['argv']} ended with {child.returncode}: {complaint.decode()[-2000:]}")
    return {
        "wallMs": wall * 1000,
        "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
        "peakMiB": usage.ru_maxrss / 1024,
    }


plan = json.load(sys.stdin)
samples = [[] for _ in plan["commands"]]
for turn in range(plan["warmUp"] + plan["rounds"]):
    for index, command in enumerate(plan["commands"]):
        sample = once(command)
        if turn >= plan["warmUp"]:
            samples[index].append(sample)
json.dump(samples, sys.stdout)
