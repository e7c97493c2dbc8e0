"""The address of the page: its secret and its port, kept in the folder, so that an open page finds a new start of the command."""

import contextlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

FILE = ".marking.json"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Address:
    """The secret part of the address, and the port of the last time; 0 for any free one."""

    token: str
    port: int = 0


def kept(folder: Path) -> Address:
    """The address of the last time, where nobody else could read it; else a new one."""
    path = folder / FILE
    try:
        private = os.name != "posix" or path.stat().st_mode & 0o077 == 0
        data = json.loads(path.read_text(encoding="utf-8"))
        address = Address(data["token"], data["port"])
        if private and TOKEN.fullmatch(address.token) and isinstance(address.port, int) and 0 < address.port < 65536:
            return address
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Address(secrets.token_urlsafe(32))


def keep(folder: Path, address: Address) -> None:
    """Write it for this user alone. Where the folder refuses, the next start has another address."""
    with contextlib.suppress(OSError):
        (folder / FILE).unlink(missing_ok=True)
        descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"token": address.token, "port": address.port}, file)
