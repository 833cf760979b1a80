"""What a data set says of itself: a manifest for programs, a card for people.

In: counts and options. Out: JSON and Markdown, the same for the same data set.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..model import Form
from .splitting import SPLITS

SCHEMA = 1


@dataclass(slots=True)
class Manifest:
    """What is in a data set, and what it was made of."""

    form: Form
    repo_id: str
    head: str
    memory: str
    options: dict[str, object]
    token_counter: str
    redactions: dict[str, int]
    controls: int
    surrogates: int
    left_out: dict[str, int]
    formulas: tuple[int, ...]
    lines: int = 0
    tokens: int = 0
    groups: int = 0
    applicable: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    splits: Counter[str] = field(default_factory=Counter)
    split_tokens: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    data: str = ""
    sha256: str = ""
    size: int = 0

    def count(self, split: str, verdict: str, label: bool, tokens: int, applies: bool) -> None:
        """Count a line."""
        self.lines += 1
        self.tokens += tokens
        self.applicable += applies
        self.splits[split] += 1
        self.split_tokens[split] += tokens
        self.verdicts[verdict] += 1
        if self.form is Form.KTO:
            name = "desirable" if label else "undesirable"
            self.labels[name] = self.labels.get(name, 0) + 1

    def sealed(self, name: str, lines: Iterable[bytes]) -> None:
        """Take in what the file is: its name, bytes and hash."""
        digest = hashlib.sha256()
        self.data, self.size = name, 0
        for line in lines:
            digest.update(line)
            self.size += len(line)
        self.sha256 = digest.hexdigest()

    def document(self) -> dict[str, Any]:
        """Return the manifest as JSON."""
        return {
            "schema": SCHEMA,
            "data": self.data,
            "sha256": self.sha256,
            "bytes": self.size,
            "format": str(self.form),
            "lines": self.lines,
            "splits": {name: self.splits[name] for name in SPLITS},
            "verdicts": dict(sorted(self.verdicts.items())),
            "labels": dict(sorted(self.labels.items())),
            "tokens": {"all": self.tokens, **{name: self.split_tokens[name] for name in SPLITS}},
            "token_counter": self.token_counter,
            "groups": self.groups,
            "applicable": self.applicable,
            "left_out": self.left_out,
            "redactions": self.redactions,
            "replaced": {"controls": self.controls, "surrogates": self.surrogates},
            "repo_id": self.repo_id,
            "head": self.head,
            "memory": self.memory,
            "formula": list(self.formulas),
            "options": self.options,
        }


_SHAPES = {
    Form.SFT: "`messages`: what was asked, with the code, and an answer that stayed",
    Form.KTO: "`prompt`, `completion`, `label`: answers that stayed (true) or did not (false)",
    Form.DPO: "`prompt`, `chosen`, `rejected`: an attempt that was replaced, and what replaced it",
}


def card_of(manifest: Manifest) -> str:
    """Return the card."""
    rows = "".join(
        f"| {name} | {manifest.splits[name]:,} | {manifest.split_tokens[name]:,} |\n"
        for name in SPLITS
    )
    verdicts = ", ".join(f"{count:,} {name}" for name, count in sorted(manifest.verdicts.items()))
    redacted = ", ".join(f"{count:,} {name}" for name, count in manifest.redactions.items())
    left = "".join(f"- {count:,}: {why}\n" for why, count in manifest.left_out.items())
    formulas = ", ".join(map(str, manifest.formulas))
    quote = "\n".join(
        (
            "from datasets import load_dataset",
            f'lines = load_dataset("json", data_files="{manifest.data}", split="train")',
            'train = lines.filter(lambda line: line["split"] == "train")',
        )
    )
    return f"""# {manifest.data}

Conversations with coding agents in one repository, and what became of their code.

- Format: {manifest.form}. {_SHAPES[manifest.form]}.
- Repository {manifest.repo_id}
- Commit {manifest.head or "none"}, memory {manifest.memory or "none"}
- Verdicts: {verdicts or "none"}. Formula of the scores: {formulas or "none"}.
- {manifest.applicable:,} of {manifest.lines:,} lines: their edits can be applied to the code shown.
- sha256 {manifest.sha256}

| split | lines | tokens ({manifest.token_counter}) |
|---|---|---|
{rows}
## How it was made

Lines that share a session, an exchange, a subagent, a commit or nearly a prompt are one group
({manifest.groups:,} of them) and are in one split. The groups that were active last are the test.
Exchanges that were left out:

{left or "- none" + chr(10)}
Redacted on the way out: {redacted or "nothing"}.
Control characters replaced: {manifest.controls:,}; broken surrogates: {manifest.surrogates:,}.

## Biases

- Code that nobody looks at survives; code in files that change often does not. A score says what
  became of lines, not how good they were.
- Only exchanges whose edits were recorded and judged are here: no questions, no plans, no reviews.
- One team, one repository, its languages, its agents. Prompts refer to what was said before them,
  which is not shown.
- Redaction finds what has the form of a secret or of personal data. It does not find everything.

## Licence

The code is that of the repository and stays under its licence. Prompts are the words of those who
wrote them, answers those of models, whose terms may limit training on them. Ask before sharing it.

## Loading it

```python
{quote}
```
"""
