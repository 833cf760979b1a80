"""How fast and how right redaction is: `python -m benchmarks.redaction TREE… --transcripts FILE…`.

In: folders with real source, transcripts. Out: throughput on one core, recall and precision on the
labelled corpus of `testing/secrets.py` by rule, and false findings per MB of source. Whether a
finding in real source is false is for people to say: --show lists them, masked. All count as false,
so the figure is the worst case.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import Recorder, table
from git_skillmesh.sessions.redaction import Redactor
from git_skillmesh.sessions.redaction_policy import Policy
from testing.secrets import negatives, positives

_LARGEST = 2_000_000
_SOURCE = Path(__file__).parents[1] / "src"
_MADE_BYTES = 8_000_000


def made_transcript(size: int) -> str:
    """Return JSON lines like those of an agent: what it read, and now and then something riskier.

    Nine of ten records hold source of this project, one holds what looks like a secret, and about
    every 200 kB there is one.
    """
    plain, planted = negatives(), positives()
    source = "".join(path.read_text("utf-8") for path in sorted(_SOURCE.rglob("*.py")))
    lines, length, number = [], 0, 0
    while length < size:
        start = number * 3000 % (len(source) - 3000)
        text = source[start : start + 3000]
        if number % 10 == 0:
            text = "\n".join(plain[(number * 37 + n) % len(plain)] for n in range(40))
        if number % 64 == 0:
            text += "\n" + planted[number % len(planted)].text
        record = {"type": "user", "uuid": f"{number:032x}", "message": {"content": text}}
        lines.append(json.dumps(record))
        length += len(lines[-1]) + 1
        number += 1
    return "\n".join(lines)


def rate(redactor: Redactor, text: str, rounds: int = 3) -> dict[str, Any]:
    """Return MB a second of processor time, the best of some rounds, and the findings."""
    size, best = len(text.encode("utf-8", "surrogatepass")), float("inf")
    for _ in range(rounds):
        start = time.process_time()
        found = redactor.redact(text).findings
        best = min(best, time.process_time() - start)
    return {"bytes": size, "mb_per_second": round(size / 1e6 / best, 1), "findings": len(found)}


def quality(redactor: Redactor) -> dict[str, Any]:
    """Return recall by rule and precision on the labelled corpus."""
    planted, hit, false = Counter[str](), Counter[str](), Counter[str]()
    for sample in positives():
        planted[sample.rule] += 1
        hit[sample.rule] += sample.secret not in redactor.redact(sample.text).text
    plain = negatives()
    for text in plain:
        false.update(finding.rule for finding in redactor.redact(text).findings)
    right, wrong = hit.total(), false.total()
    return {
        "positives": planted.total(),
        "negatives": len(plain),
        "recall": round(right / planted.total(), 4),
        "precision": round(right / (right + wrong), 4),
        "rules": {
            rule: {"planted": planted[rule], "found": hit[rule], "false": false[rule]}
            for rule in sorted(planted | false)
        },
    }


def sources(tree: Path) -> Iterator[tuple[Path, str]]:
    """Yield the text files of a tree."""
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
            data = path.read_bytes()
            if b"\0" not in data[:8000]:
                yield path, data.decode("utf-8", "surrogateescape")


def false_findings(redactor: Redactor, tree: Path, show: bool) -> dict[str, Any]:
    """Return the findings of a tree of ordinary source; pictures are counted apart."""
    rules, size, pictures = Counter[str](), 0, 0
    for path, text in sources(tree):
        size += len(text)
        for finding in redactor.redact(text).findings:
            if finding.rule == "image":
                pictures += 1
                continue
            rules[finding.rule] += 1
            if show:
                start = max(text.rfind("\n", 0, finding.start) + 1, finding.start - 50)
                value = text[finding.start : finding.end][:3]
                shown = f"{text[start : finding.start]}{value}…"
                print(f"{path.relative_to(tree)}: {finding.rule}: {shown}")
    return {
        "megabytes": round(size / 1e6, 1),
        "per_megabyte": round(rules.total() / (size / 1e6), 2),
        "rules": dict(rules),
        "pictures": pictures,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="Measure redaction.")
    parser.add_argument("trees", nargs="*", type=Path, help="folders with ordinary source")
    parser.add_argument("--transcripts", nargs="*", type=Path, default=[], help="real transcripts")
    parser.add_argument("--show", action="store_true", help="list findings in source, masked")
    parser.add_argument("--out", type=Path, help="folder for the results")
    arguments = parser.parse_args(argv)
    recorder = Recorder("redaction", arguments.out)
    redactor = Redactor()
    redactor.redact("warm up")

    speed = {"made": rate(redactor, made_transcript(_MADE_BYTES))}
    if arguments.transcripts:
        text = "".join(path.read_text("utf-8", "surrogateescape") for path in arguments.transcripts)
        speed["real"] = rate(redactor, text)
        speed["real, no personal data"] = rate(Redactor(Policy(personal=())), text)
    print(table(["transcripts", "MB", "MB/s", "findings"], [
        [name, round(row["bytes"] / 1e6, 1), row["mb_per_second"], row["findings"]]
        for name, row in speed.items()
    ]))  # fmt: skip

    found = quality(redactor)
    rows = [[rule, r["planted"], r["found"], r["false"]] for rule, r in found["rules"].items()]
    print(table(["rule", "planted", "found", "false"], rows))
    print(f"recall {found['recall']}, precision {found['precision']}")

    without = Redactor(Policy(personal=()))
    trees = {tree.name: false_findings(without, tree, arguments.show) for tree in arguments.trees}
    print(table(["tree", "MB", "findings per MB", "pictures"], [
        [name, row["megabytes"], row["per_megabyte"], row["pictures"]]
        for name, row in trees.items()
    ]))  # fmt: skip
    recorder.write(speed=speed, quality=found, trees=trees)


if __name__ == "__main__":
    main()
