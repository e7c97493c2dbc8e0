"""System calls that no answer needs, refused for good: other processes, memory that belongs to none, other spaces, keys.

Refused too is what tells of the whole machine, or leaves a mark on a file that the next child sees as well: which files are in
memory, locks, watches, room on the disk, load, the kernel's log. So is every call that was made after this list.

A filter of the kernel (seccomp, Linux), which needs no privilege and which children inherit. Where the system has none, or the
machine is of a kind that is not listed, nothing is refused.
"""

import ctypes
import platform
import struct

_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NOT_PERMITTED, _NO_SUCH_CALL = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24  # places in what the kernel shows of a call
_THREAD, _NEW_SPACES = 0x10000, 0x7E020000  # flags of clone

_COMMANDS = (0, 1, 2, 3, 4, 1030)  # of fcntl: to copy a descriptor, and its flags; no locks, leases, watches, hints

# Alike on all machines: mounts of the new kind, io_uring, memfd_secret, cachestat, statmount, listmount, Landlock's rules.
_EVERYWHERE = (428, 429, 430, 431, 432, 433, 442, 425, 426, 427, 447, 451, 457, 458, 444, 445, 446)
_LATER = 463  # the first that is not known here: a later kernel may have other ways to what is refused
# Machine -> (its number, clone, clone3, fcntl, all that is refused).
_MACHINES = {
    "x86_64": (0xC000003E, 56, 435, 72, (
        57, 58, 59, 322,  # fork, vfork, execve, execveat
        29, 30, 64, 68, 240, 319,  # shmget, shmat, semget, msgget, mq_open, memfd_create
        272, 308, 165, 166, 155, 161,  # unshare, setns, mount, umount2, pivot_root, chroot
        248, 249, 250,  # add_key, request_key, keyctl
        101, 310, 311, 321, 298, 323,  # ptrace, process_vm_readv and writev, bpf, perf_event_open, userfaultfd
        203, 144, 314, 141,  # sched_setaffinity, sched_setscheduler, sched_setattr, setpriority
        27, 221, 187, 327, 328, 206,  # mincore, fadvise64, readahead, preadv2, pwritev2, io_setup
        73, 253, 254, 294, 300, 301,  # flock, inotify_init, inotify_add_watch, inotify_init1, fanotify_init and mark
        99, 103, 136, 137, 138, 312,  # sysinfo, syslog, ustat, statfs, fstatfs, kcmp
        41, 275, 276, 278,  # socket (some kinds belong to no space; socketpair stays), splice, tee, vmsplice
    )),
    "aarch64": (0xC00000B7, 220, 435, 25, (
        221, 281, 194, 196, 190, 186, 180, 279, 97, 268, 40, 39, 41, 51, 217, 218, 219, 117, 270, 271, 280, 241, 282, 122,
        119, 274, 140, 232, 223, 213, 286, 287, 0, 32, 26, 27, 262, 263, 179, 116, 43, 44, 272, 198, 76, 77, 75,
    )),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


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
    architecture, clone, clone3, fcntl, refused = _MACHINES[machine]
    steps: list[tuple[int, int, int, int]] = []

    def returns(error: int | None) -> tuple[int, int, int, int]:
        return (_RETURN, 0, 0, _ALLOW if error is None else _REFUSE | error)

    steps += [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), returns(_NOT_PERMITTED)]
    steps += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, 0x40000000), returns(_NOT_PERMITTED)]  # calls of another size
    steps += [(_EQUAL, 0, 1, clone3), returns(_NO_SUCH_CALL)]  # its flags cannot be seen; all fall back to clone
    steps += [(_AT_LEAST, 0, 1, _LATER), returns(_NO_SUCH_CALL)]
    for number in (*refused, *_EVERYWHERE):
        steps += [(_EQUAL, 0, 1, number), returns(_NOT_PERMITTED)]
    steps += [(_EQUAL, 0, 2 + 2 * len(_COMMANDS), fcntl), (_LOAD, 0, 0, _SECOND_ARGUMENT)]
    for command in _COMMANDS:
        steps += [(_EQUAL, 0, 1, command), returns(None)]
    steps += [returns(_NOT_PERMITTED)]
    # A thread, and no space of its own.
    steps += [(_EQUAL, 0, 5, clone), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_ANY_BIT, 2, 0, _NEW_SPACES)]
    steps += [(_ANY_BIT, 0, 1, _THREAD), returns(None), returns(_NOT_PERMITTED), returns(None)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
