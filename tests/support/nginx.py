"""Debian's nginx in front of a server on loopback, with a folder of its own for all it needs."""

import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import monotonic, sleep

import pytest

from ziett_async.emulator._tcp import HOST, listen

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
#: Seconds until it listens, at the most.
_START = 5.0

#: What a run without nginx says.
MISSING = "no nginx on PATH: apt-get install nginx-light"

needs_nginx = pytest.mark.skipif(NGINX is None and not os.environ.get("CI"), reason=MISSING)

#: One process, which the test starts and ends; whatever it writes goes into its folder.
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream service {{
        server {host}:{upstream};
        keepalive 16;
    }}
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_read_timeout {read_timeout:.0f}ms;
        }}
    }}
}}
"""


class Nginx:
    """A reverse proxy: `start` it, and `kill` it at the end."""

    def __init__(self, folder: Path, upstream: int, *, read_timeout: float) -> None:
        with listen(0) as listener:
            self._port: int = listener.getsockname()[1]
        self._folder, self._log = folder, folder / "error.log"
        self._log.touch()
        self._process: Popen[bytes] | None = None
        text = CONFIGURATION.format(
            folder=folder,
            host=HOST,
            upstream=upstream,
            port=self._port,
            read_timeout=1000 * read_timeout,
        )
        (folder / "nginx.conf").write_text(text, encoding="utf-8")

    @property
    def base_url(self) -> str:
        """What a client takes for the service."""
        return f"http://{HOST}:{self._port}/c/v1"

    def start(self) -> None:
        """Start it and wait until it listens."""
        assert NGINX, "apt-get install nginx-light"
        command = [NGINX, "-e", str(self._log), "-c", str(self._folder / "nginx.conf")]
        self._process = Popen(command, stdin=DEVNULL)  # noqa: S603 - nginx, with our configuration
        deadline = monotonic() + _START
        while not self._listens():
            if self._process.poll() is not None or monotonic() > deadline:
                self.kill()
                pytest.fail(f"nginx does not listen: {self._log.read_text(encoding='utf-8')}")
            sleep(0.005)

    def kill(self) -> None:
        """Kill it: its connections break, and new ones are refused."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self._port), timeout=1.0):
            return True
        return False
