"""A fourth round of harm: calls of the kernel, odd notebooks and odd folders that the earlier rounds left out.

`CELLS`: name -> the cell of `discounted_returns`. `FILES`: name -> function of the handed-out notebook -> what is handed in.
Both are handed in with the honest `reinforce_loss`. `FOLDERS`: name -> function of a student's folder, which fills it, and
of a neighbour's notebook. `TAKING`: cells that say how many MB they hold.
"""
# ruff: noqa: E501 - each attack is one string, whose line breaks are those of its cell

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.grading.classroom import fill
from tests.grading.quarantine.attacks import HONEST
from tests.grading.quarantine.attacks_of_harm import HEAD, NOTHING, RAW

NAME = "01_reinforce"


def _top(body: str) -> str:
    return f"{RAW}import fcntl, resource, sys\n{body.strip()}\n{NOTHING}"


def _inside(body: str) -> str:
    return f"{RAW}import fcntl, resource, sys\n{HEAD}" + body.strip().replace("\n", "\n    ") + "\n    return rewards\n"


CELLS: dict[str, str] = {
    "stops itself": _top("for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):\n    os.kill(os.getpid(), number)\n    os.kill(0, number)\nsignal.raise_signal(signal.SIGSTOP)"),
    "an alarm that nobody handles": _inside("signal.signal(signal.SIGALRM, signal.SIG_DFL)\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\ntime.sleep(1)"),
    "blocks every signal and never ends": _inside("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True:\n    pass"),
    "closes every descriptor": _inside("os.closerange(0, 64)"),
    "leaves no descriptor free": _inside("kept = globals().setdefault('kept', [])\ntry:\n    while True:\n        kept.append(os.open('/dev/null', os.O_RDONLY))\nexcept OSError:\n    pass"),
    "nothing in place of its connection": _inside("os.dup2(os.open('/dev/null', os.O_RDWR), 3)"),
    "zeros in place of its connection": _inside("os.dup2(os.open('/dev/zero', os.O_RDWR), 3)"),
    "itself in place of the grader": _inside("one, two = globals().setdefault('pair', socket.socketpair())\nos.dup2(one.fileno(), 3)\ntwo.sendall(frame({'exercise': 'discounted_returns', 'given': {}, 'callbacks': []}) * 20)"),
    "a connection that does not wait": _inside("os.set_blocking(3, False)"),
    "a connection with a time limit": _inside("s = socket.socket(fileno=os.dup(3))\nfor name in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):\n    s.setsockopt(socket.SOL_SOCKET, name, struct.pack('ll', 0, 1))\ns.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)"),
    "another thread takes the orders": _inside("def take():\n    while os.read(3, 4096):\n        pass\nif threading.active_count() == 1:\n    threading.Thread(target=take, daemon=True).start()"),
    "threads that spin": _inside("def spin():\n    while True:\n        pass\ntry:\n    for _ in range(100):\n        threading.Thread(target=spin, daemon=True).start()\nexcept RuntimeError:\n    pass"),
    "a name like a line of its state": _top("for name in (b') R 1 1 1 0 -1', b'a) Z (b', b'\\x1b[2J\\n\\r', b'\\xff' * 15):\n    L.prctl(15, name, 0, 0, 0)"),
    "is not ended with its parent": _top("L.prctl(1, 0, 0, 0, 0); L.prctl(36, 1, 0, 0, 0); L.prctl(4, 1, 0, 0, 0); L.prctl(8, 1, 0, 0, 0)\nos.setpgid(0, 0) if os.getpid() != os.getpgid(0) else None"),
    "opens files by their handles": _top("handle = ctypes.create_string_buffer(struct.pack('IiQII', 20, 1, 2, 0, 0))\nfor start in ('/', '/usr', '/attempt', '/dev/null'):\n    file = os.open(start, os.O_RDONLY)\n    assert L.syscall(304, file, handle, 0) < 0"),
    "descriptors of other processes": _top("for pid in range(1, 50):\n    file = L.syscall(434, pid, 0)\n    if file >= 0:\n        for number in range(16):\n            assert pid == os.getpid() or L.syscall(438, file, number, 0) < 0\n        L.syscall(308, file, 0x20000000); L.syscall(440, file, None, 0, 4, 0); L.syscall(448, file, 0)\n        pid == os.getpid() or L.syscall(424, file, 9, None, 0)"),
    "calls of 32 bits": _top("import mmap\ncode = mmap.mmap(-1, 4096, prot=7)\ncode.write(b'\\xb8\\x02\\0\\0\\0\\xcd\\x80\\xc3')\nfork = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))\nif fork() == 0:\n    os.setsid()\n    time.sleep(600)"),
    "calls of x32": _top("for number in (56, 57, 58, 59, 165, 272, 520, 545):\n    if L.syscall(0x40000000 | number, 0, 0, 0, 0, 0) == 0:\n        os.setsid()\n        time.sleep(600)"),
    "mounts of the new kind": _top("file = L.syscall(430, b'tmpfs', 0)\nL.syscall(431, file, 6, None, None, 0)\nL.syscall(429, L.syscall(432, file, 0, 0), b'', -100, b'/usr', 4)\ntree = L.syscall(428, -100, b'/usr', 0x8001)\nL.syscall(442, tree, b'', 0x9000, ctypes.create_string_buffer(struct.pack('QQQQ', 0, 1, 0, 0)), 32)\nassert L.syscall(467, -100, b'/usr', 0x8001, ctypes.create_string_buffer(struct.pack('QQQQ', 0, 1, 0, 0)), 32) < 0"),
    "timers without number": _top("kind, timer = (ctypes.c_int * 16)(), ctypes.c_void_p()\nkind[3] = 1\nmade = 0\nwhile made < 20_000 and L.syscall(222, 1, kind, ctypes.byref(timer)) == 0:\n    L.syscall(223, timer, 0, (ctypes.c_long * 4)(0, 1, 0, 1), None)\n    made += 1"),
    "a lock that its end leaves behind": _top("word = ctypes.c_uint32(0)\nthreading.Thread(target=lambda: L.syscall(202, ctypes.byref(word), 6, 0, None), daemon=True).start()\ntime.sleep(0.1)\nL.syscall(202, ctypes.byref(word), 8, 0, None)\nL.syscall(449, None, 0, 0, None, 0)"),
    "a filter of its own that kills": _top("code = ctypes.create_string_buffer(struct.pack('HBBI', 0x20, 0, 0, 0) + struct.pack('HBBI', 0x15, 0, 1, 44) + struct.pack('HBBI', 6, 0, 0, 0x80000000) + struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\nprogram = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 4, ctypes.addressof(code)))\nL.prctl(22, 2, program, 0, 0)"),
    "a filter of its own that asks": _top("code = ctypes.create_string_buffer(struct.pack('HBBI', 0x20, 0, 0, 0) + struct.pack('HBBI', 0x15, 0, 1, 44) + struct.pack('HBBI', 6, 0, 0, 0x7fc00000) + struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\nprogram = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 4, ctypes.addressof(code)))\nkept = L.syscall(317, 1, 8, program)"),
    "locks itself in": _top("rules = L.syscall(444, ctypes.create_string_buffer(struct.pack('QQQ', 2**13 - 1, 3, 0)), 16, 0)\nL.syscall(446, rules, 0)\nL.syscall(151, 3); L.syscall(462, 0x10000, 4096, 0)"),
    "other personalities": _top("for kind in (0x0040000, 0x0400000, 0x4000000, 0x8000000, 8):\n    L.syscall(135, kind)\nL.syscall(154, 1, ctypes.create_string_buffer(16), 16)\nL.syscall(158, 0x1011, 0)"),
    "all that only root may": _top("for call, arguments in ((169, (0xfee1dead, 672274793, 0x1234567)), (153, ()), (167, (b'/attempt/x', 0)), (170, (b'owned', 5)), (171, (b'owned', 5)), (164, (None, None)), (227, (0, None)), (246, (0, 0, None, 0)), (320, (0, 0, 0, None, 0)), (175, (None, 0, b'')), (176, (b'x', 0)), (172, (3,)), (173, (0, 8, 1)), (163, (None,)), (179, (0x800001, None, 0, None)), (133, (b'/attempt/sda', 0o60666, 0x800))):\n    L.syscall(call, *arguments)"),
    "what lies behind its own number": _top("for path in ('/proc/1/root/etc/shadow', '/proc/self/root/../../etc/shadow', '/proc/self/map_files', '/proc/self/task/1/fd/4', '/proc/self/cwd/../..', '/proc/2/mem', '/proc/thread-self/ns/user'):\n    try:\n        open(path, 'rb').read(10)\n    except OSError:\n        pass\nfor name, text in (('oom_score_adj', '-1000'), ('oom_score_adj', '1000'), ('clear_refs', '5'), ('coredump_filter', '255'), ('autogroup', '-20'), ('timerslack_ns', '1'), ('sched', '0'), ('comm', ')')):\n    try:\n        open(f'/proc/self/{name}', 'w').write(text)\n    except OSError:\n        pass"),
    "limits of nothing": _inside("for name in ('NOFILE', 'FSIZE', 'STACK', 'DATA', 'SIGPENDING', 'MEMLOCK'):\n    resource.setrlimit(getattr(resource, 'RLIMIT_' + name), (0, 0))"),
    "a second on the processor, by its own limit": _top("resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True:\n    pass"),
    "100 million characters": _inside("for _ in range(100):\n    print('x' * 10**6)\nos.write(1, b'x' * 10**6)"),
    "another thing in place of its output": _inside("class Odd:\n    def write(self, text): raise SystemExit\n    def getvalue(self): return 10**6 * ['x']\n    flush = write\nsys.stdout = sys.stderr = sys.__stdout__ = Odd()"),
    "an error whose text never ends": _top("class Odd(BaseException):\n    def __str__(self):\n        while True:\n            pass\nraise Odd"),
    "an error without a name": _top("Odd = type('\\x1b]0;owned\\x07' + 'x' * 10**6, (Exception,), {})\nraise Odd('\\u202e\\u0007' * 10**6)"),
    "a chain of errors in a ring": _top("one, two = ValueError('1'), ValueError('2')\none.__cause__, two.__cause__, one.__context__ = two, one, two\nraise one"),
    "perf, bpf, faults in userspace, secret memory, keys, rings": _top("for number in (298, 321, 323, 447, 248, 249, 250, 425, 206, 312, 246, 300, 101):\n    assert L.syscall(number, 0, 0, 0, 0, 0) < 0"),
    "queues of POSIX": _top("assert L.syscall(240, b'pgcourse-attack', 0o102, 0o600, None) < 0\nL.syscall(241, b'pgcourse-attack')"),
    "netlink": _top("for protocol in range(22):\n    try:\n        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)\n        s.bind((0, 2**32 - 1))\n        s.sendto(struct.pack('IHHII', 16, 16, 0x305, 1, 0), (0, 0))\n    except OSError:\n        pass"),
    "writes to what it reads its libraries from": _top("for path in [m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)][:40] + ['/usr', '/lib', '/etc/ld.so.cache', '/dev/null']:\n    for change in (lambda: os.open(path, os.O_WRONLY), lambda: os.chmod(path, 0o777), lambda: os.utime(path), lambda: os.truncate(path, 0), lambda: os.setxattr(path, 'user.x', b'1'), lambda: os.rename(path, '/attempt/x'), lambda: os.link(path, '/attempt/y')):\n        try:\n            made = change()\n        except OSError:\n            continue\n        assert path == '/dev/null', path"),
}  # fmt: skip


def _honest(handed_out: dict[str, Any]) -> dict[str, Any]:
    return fill(handed_out, {"reinforce_loss": HONEST})


def _with(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def make(handed_out: dict[str, Any]) -> Any:
        made = _honest(handed_out)
        change(made)
        return made

    return make


def _text(change: Callable[[bytes], bytes]) -> Callable[[dict[str, Any]], Any]:
    return lambda handed_out: change(json.dumps(_honest(handed_out)).encode())


def _outputs(*outputs: Any) -> Callable[[dict[str, Any]], Any]:
    return _with(lambda n: [cell.update(outputs=list(outputs)) for cell in n["cells"]])


def _data(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {n.replace("_", "/", 1): d for n, d in data.items()}}


def _deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


FILES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nbformat 3": _with(lambda n: n.update(nbformat=3, worksheets=[{"cells": n.pop("cells")}])),
    "nbformat 5": _with(lambda n: n.update(nbformat=5, nbformat_minor=2**70)),
    "attachments": _with(lambda n: [cell.update(attachments={"x.png": {"image/png": "A" * 10**6, "text/html": "<script>alert(1)</script>"}}) for cell in n["cells"][:30]]),
    "metadata 100,000 deep": _text(lambda b: b.replace(b'"metadata": {', b'"metadata": {"x": ' + _deep(100_000) + b", ", 1)),
    "outputs 100,000 deep": _text(lambda b: b.replace(b'"outputs": []', b'"outputs": ' + _deep(100_000), 1)),
    "a million keys": _with(lambda n: n["metadata"].update({str(i): None for i in range(10**6)})),
    "one key a million times": _text(lambda b: b[:-1] + b', "cells": []' * 10**6 + b"}"),
    "one id for all cells": _with(lambda n: [cell.update(id="reinforce_loss") for cell in n["cells"]]),
    "one name for all cells": _with(lambda n: [cell.update(metadata={"nbgrader": {"grade_id": "reinforce_loss"}}) for cell in n["cells"]]),
    "names that are tables": _with(lambda n: [cell.update(metadata={"nbgrader": {"grade_id": [{}]}}) for cell in n["cells"][:3]]),
    "sources of numbers": _with(lambda n: [cell.update(source=[1, None, ["x"], {"y": 1}]) for cell in n["cells"][:3]]),
    "sources of half pairs": _text(lambda b: b.replace(b'"source": ["', b'"source": ["\\ud83d", "\\ude00 \\udfff')),
    "raw cells of all names": _with(lambda n: [n["cells"].append({**cell, "cell_type": "raw"}) for cell in list(n["cells"])]),
    "cells of no kind": _with(lambda n: n["cells"].extend([None, 1, [], "x", {}, {"cell_type": ["code"]}, {"cell_type": "code", "source": None}] * 1000)),
    "ends of lines of other systems": _with(lambda n: [cell.update(source="".join(cell["source"]).replace("\n", "\r\n")) for cell in n["cells"]]),
    "NUL in the file": _text(lambda b: b + b"\0" * 10**6),
    "two marks of byte order": _text(lambda b: b"\xef\xbb\xbf" * 2 + b),
    "UTF-32": _text(lambda b: b.decode().encode("utf-32")),
    "two notebooks in a row": _text(lambda b: b + b"\n" + b),
    "a text of 60 million characters": _with(lambda n: n["metadata"].update(x="x" * 60_000_000)),
    "numbers beyond all bounds": _text(lambda b: b.replace(b'"execution_count": null', b'"execution_count": 1e400', 5).replace(b'"execution_count": null', b'"execution_count": -' + b"9" * 4000)),
    "keys of other languages": _with(lambda n: n.update({"__proto__": {"x": 1}, "constructor": [], "__class__": "x", "": {}})),
    "markup among outputs": _outputs(_data(text_html="<script src=http://127.0.0.1/x></script>", **{"image_svg+xml": "<svg onload=alert(1)>", "application_javascript": "alert(1)"})),
    "a figure that is markup": _outputs(_data(image_png="<svg onload=alert(1)>"), _data(image_png=["iVBORw0KGgo", "\n", "<script>"]), _data(image_jpeg="/9j/", image_png="data:image/svg+xml,x")),
    "200,000 outputs": _with(lambda n: n["cells"][-1].update(outputs=[{"output_type": "stream", "text": "\x1b[2J"}] * 200_000)),
    "errors with colours": _outputs({"output_type": "error", "ename": "\x1b]0;x\x07", "evalue": "\u202e" * 10**5, "traceback": ["\x1b[31m"] * 1000}),
    "a stamp of a million letters": _with(lambda n: n["metadata"].update(pgcourse={"release": "\x1b[2J" * 10**6, "assignment": "\n=1+1;" * 10**6})),
    "a stamp of tables": _with(lambda n: n["metadata"].update(pgcourse={"release": {"x": []}, "assignment": [1]})),
    "255 MB of zeros behind it": _text(lambda b: b + b" " * (255 * 2**20 - len(b))),
    "a cell of 500 unions": _with(lambda n: n["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": "def discounted_returns(rewards, *, gamma):\n    return " + " | ".join(["{*()}"] * 6000)})),
    "types in types": _with(lambda n: n["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": "def discounted_returns(rewards: " + "list[" * 190 + "int" + "]" * 190 + "):\n    pass"})),
    "code in texts in texts": _with(lambda n: n["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": "def discounted_returns(rewards):\n    " + "\n    ".join(f"x = {'f(' * 90 + ')' * 90!r}" for _ in range(900))})),
}  # fmt: skip


def _other(folder: Path, neighbour: Path) -> Path:
    return folder / f"{NAME}.ipynb"


def _pipe(folder: Path, neighbour: Path) -> None:
    os.mkfifo(_other(folder, neighbour))


def _socket(folder: Path, neighbour: Path) -> None:
    here = os.open(folder, os.O_RDONLY)  # the path itself may be longer than a socket's may be
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{NAME}.ipynb")
    os.close(here)


def _device(folder: Path, neighbour: Path) -> None:
    try:
        os.mknod(_other(folder, neighbour), stat.S_IFCHR | 0o666, os.makedev(1, 5))  # zeros without end
    except OSError:
        os.mkfifo(_other(folder, neighbour))


def _sparse(size: int) -> Callable[[Path, Path], None]:
    def make(folder: Path, neighbour: Path) -> None:
        _other(folder, neighbour).touch()
        os.truncate(_other(folder, neighbour), size)

    return make


def _closed(folder: Path, neighbour: Path) -> None:
    _other(folder, neighbour).write_text("{}")
    _other(folder, neighbour).chmod(0)


def _links(folder: Path, neighbour: Path) -> None:
    (folder / NAME).symlink_to(neighbour.parent)
    (folder / "round").symlink_to(".")
    (folder / f"{NAME}.ipynb").symlink_to("/proc/self/environ")


def _folders(folder: Path, neighbour: Path) -> None:
    deep = folder / f"{NAME}.ipynb"
    for _ in range(6):
        deep /= f"{NAME}.ipynb"
    deep.mkdir(parents=True)


def _names(folder: Path, neighbour: Path) -> None:
    for name in (b"\xff\xfe.ipynb", b"a\nb\x1b[2J.ipynb", "x\u202egpj.ipynb".encode(), b"=1+1.ipynb", b"<script>alert(1)<.ipynb", b" .ipynb", b";=1.ipynb", "e\u0301.ipynb".encode(), "\u00e9.ipynb".encode()):  # fmt: skip
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_text("{}")


def _many(folder: Path, neighbour: Path) -> None:
    for number in range(3000):
        (folder / f"{number}.ipynb").touch()


def _spellings(folder: Path, neighbour: Path) -> None:
    for ending in (".ipynb", ".IPYNB", ".Ipynb", ".ipynB"):
        (folder / f"{NAME}{ending}").write_text("{}")


FOLDERS: dict[str, Callable[[Path, Path], None]] = {
    "a pipe": _pipe,
    "a socket": _socket,
    "a device": _device,
    "a sparse file of a terabyte": _sparse(2**40),
    "a sparse file of 255 MB": _sparse(255 * 2**20),
    "a file that nobody may read": _closed,
    "links": _links,
    "folders with a notebook's name": _folders,
    "names of all kinds": _names,
    "3000 notebooks": _many,
    "four spellings": _spellings,
}

_HOLDING = "raise ValueError(f'holds {held} MB')"
TAKING: dict[str, tuple[str, int]] = {  # cell, and how many MB beyond its own memory it may hold: two small disks
    "large pages in pipes": (
        _top(f"""
L.mmap.restype = ctypes.c_void_p
class Part(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]
held, large, kept = 0, 2**21, []
try:
    while held < 1000:
        at = L.mmap(None, ctypes.c_size_t(17 * large), 3, 0x22, -1, 0)
        start = (at + large - 1) // large * large
        L.madvise(ctypes.c_void_p(start), ctypes.c_size_t(16 * large), 14)
        ctypes.memset(start, 1, 16 * large)
        kept.append(os.pipe())
        parts = (Part * 16)(*[Part(start + i * large, 4096) for i in range(16)])
        taken = L.vmsplice(kept[-1][1], parts, ctypes.c_size_t(16), 2)
        L.munmap(ctypes.c_void_p(at), ctypes.c_size_t(17 * large))
        if taken < 0:
            break
        held += 2 * taken // 4096
except (OSError, MemoryError):
    pass
{_HOLDING}"""),
        256 + 128,
    ),
    "rules of Landlock": (
        _top(f"""
made, kept, end = 0, [], time.process_time() + 7
while time.process_time() < end and (rules := L.syscall(444, ctypes.create_string_buffer(struct.pack('QQQ', 0, 3, 0)), 16, 0)) > 0:
    kept.append(rules)
    rule = (ctypes.c_uint64 * 2)(1, 0)
    place = ctypes.byref(rule)
    for port in range(65536):
        rule[1] = port
        made += L.syscall(445, rules, 2, place, 0) == 0
held = made * 72 // 2**20
{_HOLDING}"""),
        128,
    ),
    "timers of POSIX": (
        _top(f"""
kind, timer, made = (ctypes.c_int * 16)(), ctypes.c_void_p(), 0
kind[3] = 1
while made < 10**6 and L.syscall(222, 1, kind, ctypes.byref(timer)) == 0:
    made += 1
held = made * 400 // 2**20
{_HOLDING}"""),
        128,
    ),
    "pipes on their way": (
        _top(f"""
one, two = socket.socketpair()
held = 0
try:
    while held < 1000:
        r, w = os.pipe()
        os.set_blocking(w, False)
        while True:
            try:
                held += os.write(w, bytes(65536)) / 2**20
            except BlockingIOError:
                break
        socket.send_fds(one, [b'x'], [r, w])
        os.close(r), os.close(w)
except OSError:
    pass
held = int(held)
{_HOLDING}"""),
        128,
    ),
}  # fmt: skip

# Sockets of a kind that is one for the whole machine: who calls on hidden inputs takes a port for each byte of a number, and
# the cell of another sees which are taken.
TELLS = """
import socket, struct, time
calls, kept = [], []
def standardize(x):
    calls.append(1)
    try:
        for place, byte in enumerate(struct.pack(">f", float(x.flatten()[0]))):
            s = socket.socket(40, socket.SOCK_STREAM)
            s.bind((2**32 - 1, 0x50470000 + (len(calls) * 4 + place) * 256 + byte))
            s.listen()
            kept.append(s)
        if len(calls) >= 10:
            time.sleep(2)
    except OSError:
        pass
    return x
"""
LISTENS = """
import socket, time
def taken(port):
    with socket.socket(40, socket.SOCK_STREAM) as s:
        try:
            s.bind((2**32 - 1, port))
        except OSError as error:
            return error.errno == 98
    return False
end, found = time.monotonic() + 4, []
while time.monotonic() < end and not found:
    time.sleep(0.3)
    for call in range(8, 11):
        number = [b for place in range(4) for b in range(256) if taken(0x50470000 + (call * 4 + place) * 256 + b)]
        if len(number) == 4:
            found.append(bytes(number).hex())
raise ValueError(f"hidden: {found}")
"""
