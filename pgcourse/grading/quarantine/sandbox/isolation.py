"""Walls around a child: namespaces where the system allows them, limits everywhere. Linux; elsewhere what POSIX has.

Inside the walls there is a root folder of its own with the interpreter, its libraries and nothing else, no network, and
no other process to be seen.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from functools import cache
from pathlib import Path

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _REMOUNT, _BIND, _MOVE, _RECURSIVE, _PRIVATE = (
    1, 2, 4, 32, 4096, 8192, 16384, 1 << 18,
)  # fmt: skip
_SET_PDEATHSIG, _SET_DUMPABLE, _CAPBSET_DROP, _SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVS, _SET_THP_DISABLE = (
    1, 4, 24, 36, 38, 41,
)  # fmt: skip
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES = ("/dev/null", "/dev/random", "/dev/urandom")  # /dev/zero gives memory that no limit counts
_ROOTS = ("/mnt", "/media", "/srv", "/opt", "/tmp")  # any folder will do: only this process sees what is mounted there

OWN_FOLDER = "/attempt"
MAX_PROCESSES = 40  # threads count too: a pool starts up to 32
NICENESS = 10  # the grader itself, and whoever else works on the machine, come first
MAX_FILE = 16 * 2**20  # bytes of one file
DISK = "64m"  # of all files together


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)  # to load it for each of the forty capabilities would take 8 ms a child


def _call(name: str, *arguments: int | bytes | None) -> None:
    converted = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(_library(), name)(*converted) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the named namespaces. Raises: OSError where the system does not let us."""
    _call("unshare", flags)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2). Raises: OSError."""
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode() or None)


def enter(view: list[tuple[str, str]]) -> str:
    """Put this process and its children behind walls.

    Args: view: ("show" or "cover", path), in order, besides the system's folders: what stays at its place, read only, and
    folders in it that must look empty, but for what is shown after.
    Returns: an empty string, or why the system does not allow it; then nothing has changed.
    """
    if sys.platform != "linux":
        return f"no namespaces on {sys.platform}"
    user, group = os.getuid(), os.getgid()
    spaces = NEWNS | NEWUTS | NEWIPC | NEWNET
    try:
        # Tried in a process that may fail half-way: some systems allow the namespaces and forbid the mounts.
        if pid := os.fork():
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
                return "the system does not allow namespaces"
            _enter(spaces, user, group, view)
        else:
            status = 1
            with contextlib.suppress(BaseException):
                _enter(spaces, user, group, view)
                status = 0
            os._exit(status)
    except OSError as error:
        return f"the system does not allow namespaces ({error.strerror})"
    return ""


def _enter(spaces: int, user: int, group: int, view: list[tuple[str, str]]) -> None:
    unshare(spaces if user == 0 else spaces | NEWUSER)
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    mount("none", "/", "none", _RECURSIVE | _PRIVATE)
    steps = [*(("show", path) for path in _SYSTEM), *view]
    root = next(
        r
        for r in _ROOTS
        if Path(r).is_dir() and not any((p + "/").startswith(r + "/") for s, p in steps if s == "show")
    )
    mount("tmpfs", root, "tmpfs", _NO_SETUID, "mode=755,size=8m")
    covered = []
    for step, path in steps:
        if step == "show":
            _bind(path, root)
        elif Path(root + path).is_dir() and not Path(root + path).is_symlink():
            mount("tmpfs", root + path, "tmpfs", _NO_SETUID, "mode=755,size=1m")
            covered.append(root + path)
    for path in covered:
        mount("none", path, "none", _BIND | _REMOUNT | _READ_ONLY | _NO_SETUID)
    for device in _DEVICES:
        _bind(device, root, _READ_ONLY | _NO_SETUID)  # to be written to all the same, but its times stay as they are
    for folder in (OWN_FOLDER, "/tmp", "/proc", "/dev/shm"):
        Path(root + folder).mkdir(parents=True, exist_ok=True)
    os.chdir(root)
    mount(root, "/", "none", _MOVE)
    os.chroot(".")
    os.chdir("/")
    mount("none", "/", "none", _BIND | _REMOUNT | _READ_ONLY | _NO_SETUID)


def _bind(path: str, root: str, flags: int = _READ_ONLY | _NO_SETUID | _NO_DEVICES) -> None:
    source, target = Path(path), Path(root + path)
    if not source.exists() or target.is_symlink():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
        return
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    mount(path, str(target), "none", _BIND | _RECURSIVE)
    mount("none", str(target), "none", _BIND | _REMOUNT | flags)


def yield_to_others(core: int | None) -> None:
    """Stand back behind other work, and stay on one processor, if one is given: what runs there takes no other's time."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    if core is not None and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {core})


def join(group: int | None) -> None:
    """In a keeper: go into the control group of this open `cgroup.procs`, and close it, so that no child has it."""
    if group is not None:
        with contextlib.suppress(OSError):  # its run may be over: then there is niceness
            os.write(group, b"0")
        os.close(group)


def own_spaces(proc: int | None) -> None:
    """In a keeper: processes, shared memory, sockets and, below a user namespace, keyrings that no other child shares."""
    spaces = NEWPID | NEWIPC | NEWNET | NEWUTS
    if proc is None or not _alone(proc):
        unshare(spaces)  # where there are many users, each child is another one, with keyrings of its own
        return
    unshare(spaces | NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        with open(os.open(f"self/{name}", os.O_WRONLY, dir_fd=proc), "w", encoding="ascii") as file:
            file.write(text)


def _alone(proc: int) -> bool:
    """Whether this process' user namespace has one user only."""
    with open(os.open("self/uid_map", os.O_RDONLY, dir_fd=proc), encoding="ascii") as file:
        return sum(int(line.split()[2]) for line in file) == 1


def own_folders() -> None:
    """Inside the walls: a small folder of one's own, and a /proc of this process alone, without what is the whole machine's."""
    unshare(NEWNS)
    for folder in (OWN_FOLDER, "/dev/shm"):
        mount("tmpfs", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, f"mode=1777,size={DISK},nr_inodes=4k")
    # Where the host's own /proc is partly covered, or the system is old (before Linux 5.8), it is refused: then there is none.
    with contextlib.suppress(OSError):
        mount("proc", "/proc", "proc", _READ_ONLY | _NO_SETUID | _NO_DEVICES, "subset=pid")


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind, so that it can be ended."""
    if sys.platform == "linux":
        _call("prctl", _SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Be killed when the parent dies."""
    if sys.platform == "linux":
        _call("prctl", _SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def end_first(proc: int | None) -> None:
    """Where memory is short, let the kernel end this process before any other."""
    if proc is not None:
        with contextlib.suppress(OSError), open(os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=proc), "w") as file:
            file.write("1000")


def limit(memory: int, mapped: int, data: int) -> None:
    """Hard limits: `memory` bytes beyond the `mapped` ones, processes, size of files, open files, no core dumps.

    Of what is mapped, so many bytes may be written to beyond `data`: who unmaps a library gets no memory of its own for it.
    No large pages either: of one that is mapped in part, the kernel keeps all, and that part alone is counted.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _call("prctl", _SET_THP_DISABLE, 1, 0, 0, 0)
    wanted = {"RLIMIT_NPROC": MAX_PROCESSES, "RLIMIT_FSIZE": MAX_FILE, "RLIMIT_NOFILE": 64, "RLIMIT_CORE": 0}
    if mapped:  # where the system does not say how much is mapped, the limit would bite at once
        wanted |= {"RLIMIT_AS": mapped + memory, "RLIMIT_DATA": data + memory}
    for name, value in wanted.items():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def drop_privileges(user: int) -> None:
    """Become the user with this number where we are root, for good; a set-uid program gives nothing back."""
    if sys.platform == "linux":
        _call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with contextlib.suppress(OSError):
            for capability in range(64):
                _call("prctl", _CAPBSET_DROP, capability, 0, 0, 0)
    if os.getuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:  # root of a user namespace is the only user in it: it gives up what makes it root
            header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
            if _library().capset(header, nothing) != 0:
                raise
    # Debuggers of the same user, and /proc/PID/mem, stay out.
    if sys.platform == "linux":
        _call("prctl", _SET_DUMPABLE, 0, 0, 0, 0)
