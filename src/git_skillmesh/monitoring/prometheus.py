"""What is recorded, in the text format of Prometheus, as its node_exporter collects it from files.

In: the `Journal`, `Memory`, the name of the repository. Out: text. Counters go on for as long as
the record is kept; they begin anew where `.git/skillmesh` is deleted, which Prometheus takes for a
restart. docs/monitoring.md lists the metrics.
"""

from collections.abc import Iterable, Iterator, Sequence

from .findings import KIND
from .journal import Journal, Tallies, durations
from .memory import Memory
from .tally import Tally, bound_of

# Upper bounds in seconds: 1 ms to 17 min, each the double of the one before.
BOUNDS = tuple(bound_of(4 * octave) for octave in range(21))
Labels = Sequence[tuple[str, str]]


def render(journal: Journal, memory: Memory | None, repository: str) -> str:
    """Return the exposition."""
    where = [("repository", repository)]
    lines = [*_operations(journal.ever, where), *_findings(journal.ever, where)]
    if memory is not None:
        lines += _memory(memory, where)
    return "".join(f"{line}\n" for line in lines)


def _operations(ever: Tallies, where: Labels) -> Iterator[str]:
    counted = {key: tally for key, tally in sorted(ever.items()) if key.kind != KIND}
    name = "skillmesh_operations_total"
    yield from _head(name, "counter", "What was done, by whom, and how it ended.")
    for key, tally in counted.items():
        labels = [*where, ("kind", key.kind), ("by", key.label), ("outcome", key.outcome)]
        yield _sample(name, labels, tally.count)
    name = "skillmesh_operation_duration_seconds"
    yield from _head(name, "histogram", "How long it took, for what ended one way or another.")
    for (kind, label), tally in durations(counted).items():
        yield from _histogram(name, [*where, ("kind", kind), ("by", label)], tally)


def _histogram(name: str, labels: Labels, tally: Tally) -> Iterator[str]:
    for bound in BOUNDS:
        yield _sample(f"{name}_bucket", [*labels, ("le", f"{bound:g}")], tally.up_to(bound))
    yield _sample(f"{name}_bucket", [*labels, ("le", "+Inf")], tally.timed)
    yield _sample(f"{name}_sum", labels, tally.total / 1e6)
    yield _sample(f"{name}_count", labels, tally.timed)


def _findings(ever: Tallies, where: Labels) -> Iterator[str]:
    name = "skillmesh_findings_total"
    yield from _head(
        name, "counter", "Findings of learnings: fired (seen first), fixed, suppressed."
    )
    for key, tally in sorted(ever.items()):
        if key.kind == KIND:
            labels = [*where, ("learning", key.label), ("outcome", key.outcome)]
            yield _sample(name, labels, tally.count)


def _memory(memory: Memory, where: Labels) -> Iterator[str]:
    yield from _gauges(
        "skillmesh_memory_conversations", "Conversations of the memory.",
        [([*where, ("subagent", "no")], memory.conversations),
         ([*where, ("subagent", "yes")], memory.subagents)],
    )  # fmt: skip
    yield from _gauges(
        "skillmesh_memory_exchanges", "Exchanges of the memory.", [(where, memory.exchanges)]
    )
    yield from _gauges(
        "skillmesh_memory_exchanges_linked", "Exchanges with a link to a commit.",
        [(where, memory.linked)],
    )  # fmt: skip
    yield from _gauges(
        "skillmesh_memory_verdicts", "Exchanges by the last verdict on their work.",
        [([*where, ("verdict", name)], count) for name, count in memory.verdicts.items()],
    )  # fmt: skip
    yield from _gauges(
        "skillmesh_memory_lines", "Lines linked to judged exchanges, by what became of them.",
        [([*where, ("fate", name)], count) for name, count in memory.fates.items()],
    )  # fmt: skip


def _gauges(name: str, about: str, samples: Iterable[tuple[Labels, int]]) -> Iterator[str]:
    yield from _head(name, "gauge", about)
    for labels, value in samples:
        yield _sample(name, labels, value)


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{shown}}} {value if isinstance(value, int) else f'{value:.6f}'}"


def _escaped(text: str) -> str:
    # Half a surrogate pair, of a name that is not UTF-8, is no character of the format.
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
