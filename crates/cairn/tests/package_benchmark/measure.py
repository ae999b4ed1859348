# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs a program inside a peer's tree and prints what it cost: seconds, CPU seconds, peak KiB, exit status.

Its output goes to the files named first. With `--shell`, the rest is one line for `sh`, whose children count too.
"""
import os
import sys
import time

out, words = sys.argv[1], sys.argv[2:]
if words[0] == "--shell":
    words = ["/bin/sh", "-c", words[1]]
flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
actions = [
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, out + ".out", flags, 0o644),
    (os.POSIX_SPAWN_OPEN, 2, out + ".err", flags, 0o644),
]
begin = time.perf_counter()
pid = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - begin
cpu = usage.ru_utime + usage.ru_stime
print(f"{seconds:.4f} {cpu:.4f} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")
