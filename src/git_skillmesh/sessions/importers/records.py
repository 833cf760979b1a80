"""What every importer shares: lines in, records out, and one clear problem for each misfit.

A transcript is untrusted: any value may have any type, any line any length. What a record lacks or
has wrong is a `Misfit`, which `Report.guard` turns into a `Problem` with the line.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from ..model import Problem, Session

T = TypeVar("T")
Record = dict[str, Any]

# A record with pasted images has a few MB; a line beyond this is no record but an accident.
LONGEST_LINE = 64 * 2**20
# Problems of one file that are told one by one; the others are counted.
MOST_PROBLEMS = 100

_NAMES = {dict: "an object", list: "a list", str: "text", int: "a number", bool: "true or false"}


class Misfit(Exception):
    """A record is not what its format says it is."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read, and what could not be."""

    sessions: tuple[Session, ...] = ()
    problems: tuple[Problem, ...] = ()


class Report:
    """The problems of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._problems: list[Problem] = []
        self._untold = 0

    def add(self, line: int, message: str) -> None:
        """Note that the record of a line does not fit; line 0 is the whole source."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(self.source, line, message))
        else:
            self._untold += 1

    def guard(self, line: int, part: str = "") -> "_Guard":
        """Turn the misfit of one record into a problem and go on; `part` names what has no line."""
        return _Guard(self, line, part)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything noted, with the count of what is too much to tell."""
        if not self._untold:
            return tuple(self._problems)
        rest = Problem(self.source, 0, f"{self._untold} more records do not fit")
        return (*self._problems, rest)


class _Guard:
    """What `Report.guard` returns: a class, since it is entered twice for every record."""

    __slots__ = ("_line", "_part", "_report")

    def __init__(self, report: Report, line: int, part: str) -> None:
        self._report, self._line, self._part = report, line, part

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> bool:
        if kind is None:
            return False
        if not isinstance(error, Misfit | RecursionError):
            return False
        said = str(error) if isinstance(error, Misfit) else "nested too deeply"
        self._report.add(self._line, f"{self._part}: {said}" if self._part else said)
        return True


def lines_of(data: bytes) -> Iterable[bytes]:
    """Return the lines with their line feeds, without a copy of the whole."""
    return io.BytesIO(data)


def json_lines(lines: Iterable[bytes], report: Report) -> Iterator[tuple[int, Record]]:
    """Yield (line number, object) of every line that holds one.

    A last line without its line feed is still being written: unless it is whole, it is left for
    the next import.
    """
    for number, line in enumerate(lines, 1):
        with report.guard(number):
            record = parse_line(line)
            if record is not None:
                yield number, record


def parse_line(line: bytes) -> Record | None:
    """Return the object of one line, None where there is none yet. Raises `Misfit`."""
    if line.isspace() or not line:
        return None
    if len(line) > LONGEST_LINE:
        raise Misfit(f"line of {len(line) // 2**20} MiB is too long for a record")
    try:
        document = parse_json(line)
    except Misfit:
        if line.endswith(b"\n"):
            raise
        return None
    if not isinstance(document, dict):
        raise Misfit(f"{_name(document)}, not an object")
    return document


def parse_json(data: bytes) -> Any:
    """Return the value of JSON text. Raises `Misfit`, and RecursionError when nested too deeply."""
    if b"\\u" in data and (b"\\ud" in data or b"\\uD" in data):
        data = _ESCAPE.sub(_mend_escape, data)
    try:
        return json.loads(data.decode())
    except UnicodeDecodeError:
        raise Misfit("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Misfit(f"not JSON: {error.msg} (column {error.pos + 1})") from None
    except ValueError:  # a number with thousands of digits
        raise Misfit("not JSON: a number out of range") from None


# Half of a surrogate pair is legal in JSON and cannot be written as UTF-8 later on.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _mend_escape(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match[1] else match[0]


def get(record: Mapping[str, Any], key: str, kind: type[T], default: T) -> T:
    """Return a value, the default where there is none. Raises `Misfit` for another type."""
    value = record.get(key)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise Misfit(f'"{key}" is {_name(value)}, not {_NAMES.get(kind, kind.__name__)}')
    return value


def need(record: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """Return a value that has to be there. Raises `Misfit`."""
    value = record.get(key)
    if not isinstance(value, kind):
        raise Misfit(
            f'"{key}" is {_name(value)}, not {_NAMES.get(kind, kind.__name__)}'
            if key in record
            else f'"{key}" is missing'
        )
    return value


def objects(values: list[Any], what: str) -> list[Record]:
    """Return the list when all it holds are objects. Raises `Misfit`."""
    for value in values:
        if not isinstance(value, dict):
            raise Misfit(f"{what} holds {_name(value)}, not an object")
    return values


def _name(value: object) -> str:
    return "null" if value is None else _NAMES.get(type(value), "a number")


_PLAIN_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)


def utc(value: object) -> str:
    """Return a time as 2026-01-31T09:05:00.000Z, so that times sort as text; "" for none.

    Numbers are seconds or milliseconds since 1970. A time without a zone is taken for UTC.
    Raises `Misfit`.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, str) and _PLAIN_TIME.fullmatch(value):
        return value
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        else:
            raise Misfit(f"{_name(value)} is not a time")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Misfit(f"not a time: {str(value)[:40]!r}") from None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def made_id(*parts: object) -> str:
    """Return an identity for what has none, the same whenever it is read again."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode(errors="replace"))
    return digest.hexdigest()[:32]


def as_json(value: object) -> str:
    """Return compact JSON of what a tool was given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
