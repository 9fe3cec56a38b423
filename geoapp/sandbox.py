"""The locks of a child process that opens a stranger's file. It knows nothing of files and formats.

Only a process can be locked: so whatever parses in C what somebody sent runs in a child of its own, which
calls ``lock`` first, and ``close_files`` as soon as it needs no further file.
"""

import ctypes
import resource
from contextlib import suppress

OPEN_FILES = 64
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _SIGKILL = 1, 38, 9


def lock(*, memory_bytes: int, output_bytes: int, cpu_seconds: int) -> None:
    """From now on: little memory and time, no network, no further rights, no life after its parent's end."""
    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, output_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    with suppress(OSError, AttributeError):  # no glibc, or a kernel without these calls: the other locks hold
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # Root may leave the network at once; others may within a user namespace, where the kernel allows it.
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def close_files() -> None:
    """From now on no file can be opened; those that are open, such as the standard ones, stay so."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
