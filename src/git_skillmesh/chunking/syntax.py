"""Parsing with a limit: bytes and a grammar in, the root of a syntax tree out.

This is the only module that imports tree-sitter at run time; a grammar is loaded on first use.
"""

import threading
from time import thread_time

from tree_sitter import Node, Parser, Range
from tree_sitter_language_pack import get_parser

MAX_LINE = 20_000
"""A file with a longer line is no code that anyone wrote; some scanners are quadratic in it."""

MAX_STEPS, MAX_STEPS_PER_KB = 2_000, 60
"""Steps a parse may take, as tree-sitter reports them; code of 40 languages takes up to 35 a kB.
Counting steps and not seconds keeps the chunks a function of the bytes."""

MAX_SECONDS, MAX_SECONDS_PER_MB = 2.0, 10.0
"""CPU time a parse may take: the last resort, for nonsense in which some grammars do very slow
steps. Real code takes 0.1 to 0.5 s a MB, at worst 3."""

_CLOCK_STEPS = 8

_parsers = threading.local()


def parse(grammar: str, data: bytes, within: Node | None = None) -> Node | None:
    """The root of the syntax tree of `data`, or of the bytes of `within` in another language.

    None for bytes that are no text of that language: a NUL, a monstrous line, or more work than
    any real code needs.
    """
    if within is None and not _is_plausible(data):
        return None
    parser = _parser(grammar)
    view = memoryview(data)
    steps = MAX_STEPS + len(data) * MAX_STEPS_PER_KB // 1000
    until = thread_time() + MAX_SECONDS + len(data) * MAX_SECONDS_PER_MB / 1e6

    def read(offset: int, _point: object) -> memoryview:
        return view[offset:]

    def is_too_long(_offset: int, _has_error: bool) -> bool:
        nonlocal steps
        steps -= 1
        # Asking the clock each time would take a fifth of a parse.
        return steps < 0 or (steps % _CLOCK_STEPS == 0 and thread_time() > until)

    if within is not None:
        parser.included_ranges = [
            Range(within.start_point, within.end_point, within.start_byte, within.end_byte)
        ]
    try:
        return parser.parse(read, progress_callback=is_too_long).root_node
    except ValueError:  # what the binding raises for a parse that was stopped
        parser.reset()
        return None
    finally:
        if within is not None:
            parser.included_ranges = []


def _is_plausible(data: bytes) -> bool:
    # Some external scanners take a NUL for the end of the input and never advance past it.
    return b"\0" not in data and max(map(len, data.split(b"\n"))) <= MAX_LINE


def _parser(grammar: str) -> Parser:
    """A parser per thread: it holds the state of the parse in progress."""
    cache: dict[str, Parser] | None = getattr(_parsers, "cache", None)
    if cache is None:
        cache = _parsers.cache = {}
    if grammar not in cache:
        cache[grammar] = get_parser(grammar)  # type: ignore[arg-type]
    return cache[grammar]
