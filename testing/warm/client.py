# ruff: noqa
# mypy: ignore-errors
"""Ask for a process that is forked instead of started; be its shadow until it has ended.

A copy of this file with constants stands for the interpreter, see __init__.py. It runs without
`site`, and imports what costs nothing.
"""

# constants
import sys

arguments = [*BEFORE, *sys.argv[1:]]


def cold():
    import posix

    posix.execv(REAL, [REAL, *arguments])


def which():
    """Return the socket to ask, "" for none, and the arguments from the program on."""
    rest = arguments
    while rest and rest[0] in ("-I", "-P"):
        rest = rest[1:]
    writers = ["git_skillmesh.chroma.writer"], ["git_skillmesh.chroma.moving.process"]
    if rest[:1] == ["-m"] and rest[1:2] in writers:
        return CHROMA
    light = ["git_skillmesh"], ["git_skillmesh.hooks"], ["testing.chroma_rows"]
    if rest[:1] == ["-m"] and rest[1:2] in light:
        return LIGHT
    if rest[:1] == [HOOKS]:
        return LIGHT
    if rest[:1] == ["-mpre_commit"] or rest[:2] == ["-m", "pre_commit"]:
        return FRAMEWORK
    return ""


def usual(environment):
    """Whether nothing was set that an interpreter heeds when it starts."""
    for name, value in environment.items():
        if name.startswith(b"PYTHON"):
            if name == b"PYTHONPATH" and set(value.split(b":")) <= set(SEARCH):
                continue
            if name == b"PYTHONUNBUFFERED":
                continue
            return False
        if name == COLD.encode():
            return False
        if name.startswith(b"LC_") or name in (b"LANG", b"LANGUAGE"):
            if value != b"C.UTF-8":
                return False
    return True


def main():
    address = which()
    if not address:
        return
    import posix

    if not usual(posix.environ):
        return
    try:
        for number in (0, 1, 2):
            posix.fstat(number)
        folder = posix.open(".", posix.O_RDONLY | posix.O_DIRECTORY)
    except OSError:
        return
    import _signal
    import _socket
    import marshal

    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        link.connect(address)
    except OSError:
        return
    about = (PYTHON, arguments, posix.environ, rights())
    message = marshal.dumps(about)
    descriptors = b"".join(n.to_bytes(4, sys.byteorder) for n in (0, 1, 2, folder))
    try:
        link.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
        answer = link.recv(64)
    except OSError:
        return
    if not answer.isdigit():
        return
    child = int(answer)

    def forward(number, frame):
        posix.kill(child, number)

    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, forward)
    # Whoever waits for the end of a pipe waits for the process, not for its shadow.
    null = posix.open("/dev/null", posix.O_RDWR)
    for number in (0, 1, 2):
        posix.dup2(null, number)
    posix.closerange(3, link.fileno())
    posix.closerange(link.fileno() + 1, 1024)
    status = int(link.recv(64) or b"9")
    if status < 0:
        _signal.signal(-status, _signal.SIG_DFL) if -status not in (9, 19) else None
        posix.kill(posix.getpid(), -status)
    posix._exit(status)


def rights():
    """Return what the kernel says this process may do."""
    import posix

    said = []
    for path in ("/proc/self/status", "/proc/self/limits"):
        file = posix.open(path, posix.O_RDONLY)
        said.append(posix.read(file, 1 << 16))
        posix.close(file)
    places = [posix.readlink("/proc/self/ns/" + name) for name in ("mnt", "net", "pid", "user")]
    return (*said, *places)


main()
cold()
