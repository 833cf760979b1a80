"""What this machine is: the cores that a process may use, the addresses that are its own.

In: nothing, or the name of a host. Out: a number, or whether it is this machine.
"""

import os
from ipaddress import ip_address


def cores() -> int:
    """Return how many cores this process may use, where the system says it; else all, or 2."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 2


def is_loopback(host: str) -> bool:
    """Return whether a name or address is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
