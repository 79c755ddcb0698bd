"""A Redis server for tests."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path


def started_redis(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], int]:
    """A Redis server of one's own on this machine, which keeps nothing, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no",
         "--dir", str(folder), *options], stdout=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.05)
    process.kill()
    raise TimeoutError("redis-server does not start")
