"""System calls that no answer needs, refused for good: other processes, memory that belongs to none, other spaces, keys.

Refused too is what tells of the whole machine, or leaves a mark on a file that the next child sees as well: which files are in
memory, locks, watches, room on the disk, load, the kernel's log. So is every call that was made after this list.

A filter of the kernel (seccomp, Linux), which needs no privilege and which children inherit. Where the system has none, or the
machine is of a kind that is not listed, nothing is refused, and the grader says so.
"""

import ctypes
import os
import platform
import struct
from typing import NamedTuple

_NO_NEW_PRIVS, _SECCOMP, _FILTER, _SET_THP_DISABLE = 38, 22, 2, 41
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NOT_PERMITTED, _NO_SUCH_CALL = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Places in what the kernel shows of a call.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT, _FOURTH_ARGUMENT = 0, 4, 16, 24, 40
_SAME_FILES, _THREAD, _NEW_SPACES = 0x400, 0x10000, 0x7E020000  # flags of clone
_SHARED, _ANONYMOUS, _GROWS_DOWN = 0x01, 0x20, 0x100  # flags of mmap; MAP_SHARED_VALIDATE holds the first

_COMMANDS = (0, 1, 2, 3, 4, 1030)  # of fcntl: to copy a descriptor, and its flags; no locks, leases, watches, hints

# Alike on all machines: mounts of the new kind, io_uring, memfd_secret, cachestat, statmount, listmount, Landlock's rules, and
# close_range, which gives a thread open files of its own.
_EVERYWHERE = (428, 429, 430, 431, 432, 433, 442, 425, 426, 427, 447, 451, 457, 458, 444, 445, 446, 436)
_LATER = 463  # the first that is not known here: a later kernel may have other ways to what is refused


class _Machine(NamedTuple):
    """Its number, the calls that are looked at more closely, and all that is refused."""

    architecture: int
    clone: int
    clone3: int
    fcntl: int
    mmap: int
    prctl: int
    refused: tuple[int, ...]


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 56, 435, 72, 9, 157, (
        57, 58, 59, 322,  # fork, vfork, execve, execveat
        29, 30, 64, 68, 240, 319,  # shmget, shmat, semget, msgget, mq_open, memfd_create
        272, 308, 165, 166, 155, 161,  # unshare, setns, mount, umount2, pivot_root, chroot
        248, 249, 250,  # add_key, request_key, keyctl
        101, 310, 311, 321, 298, 323,  # ptrace, process_vm_readv and writev, bpf, perf_event_open, userfaultfd
        203, 144, 314, 141,  # sched_setaffinity, sched_setscheduler, sched_setattr, setpriority
        27, 221, 187, 327, 328, 206,  # mincore, fadvise64, readahead, preadv2, pwritev2, io_setup
        73, 253, 254, 294, 300, 301,  # flock, inotify_init, inotify_add_watch, inotify_init1, fanotify_init and mark
        99, 103, 136, 137, 138, 312,  # sysinfo, syslog, ustat, statfs, fstatfs, kcmp
        41, 54, 275, 276, 278,  # socket (some kinds belong to no space; socketpair stays), setsockopt, splice, tee, vmsplice
    )),
    "aarch64": _Machine(0xC00000B7, 220, 435, 25, 222, 167, (
        221, 281, 194, 196, 190, 186, 180, 279, 97, 268, 40, 39, 41, 51, 217, 218, 219, 117, 270, 271, 280, 241, 282, 122,
        119, 274, 140, 232, 223, 213, 286, 287, 0, 32, 26, 27, 262, 263, 179, 116, 43, 44, 272, 198, 208, 76, 77, 75,
    )),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def can_refuse() -> bool:
    """Whether `refuse` works here, tried in a process that ends with it."""
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    try:
        os._exit(0 if refuse() else 1)
    finally:
        os._exit(1)


def refuse() -> bool:
    """Refuse these calls in this process and all that come from it. Returns: whether the system could be told so."""
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        return False
    library, code = ctypes.CDLL(None, use_errno=True), filter_of(platform.machine())
    program = _Program(len(code) // 8, code)
    if library.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(library.prctl(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)


def filter_of(machine: str) -> bytes:
    """The filter as the kernel reads it: eight bytes an instruction."""
    calls = _MACHINES[machine]
    steps: list[tuple[int, int, int, int]] = []

    def returns(error: int | None) -> tuple[int, int, int, int]:
        return (_RETURN, 0, 0, _ALLOW if error is None else _REFUSE | error)

    def decides(call: int, argument: int, *further: tuple[int, int, int, int]) -> None:
        """Let an argument decide about this call; `further` ends in what is returned."""
        steps.extend([(_EQUAL, 0, 1 + len(further), call), (_LOAD, 0, 0, argument), *further])

    allowed, refused = returns(None), returns(_NOT_PERMITTED)
    steps += [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, calls.architecture), refused]
    steps += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, 0x40000000), refused]  # calls of another size
    steps += [(_EQUAL, 0, 1, calls.clone3), returns(_NO_SUCH_CALL)]  # its flags cannot be seen; all fall back to clone
    steps += [(_AT_LEAST, 0, 1, _LATER), returns(_NO_SUCH_CALL)]
    for number in (*calls.refused, *_EVERYWHERE):
        steps += [(_EQUAL, 0, 1, number), refused]
    commands = [step for command in _COMMANDS for step in ((_EQUAL, 0, 1, command), allowed)]
    decides(calls.fcntl, _SECOND_ARGUMENT, *commands, refused)
    # A thread with the open files of all others, and no space of its own.
    thread = ((_ANY_BIT, 3, 0, _NEW_SPACES), (_ANY_BIT, 0, 2, _THREAD), (_ANY_BIT, 0, 1, _SAME_FILES))
    decides(calls.clone, _FIRST_ARGUMENT, *thread, allowed, refused)
    # Shared memory without a file stays whole as long as one page of it is mapped, which alone is counted; what grows down
    # counts as no data.
    flags = ((_ANY_BIT, 3, 0, _GROWS_DOWN), (_ANY_BIT, 0, 1, _SHARED), (_ANY_BIT, 1, 0, _ANONYMOUS))
    decides(calls.mmap, _FOURTH_ARGUMENT, *flags, allowed, refused)
    decides(calls.prctl, _FIRST_ARGUMENT, (_EQUAL, 0, 1, _SET_THP_DISABLE), refused, allowed)
    steps += [allowed]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
