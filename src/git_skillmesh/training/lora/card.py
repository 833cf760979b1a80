"""What an adapter says of itself to people: README.md.

In: its record (training.json). Out: Markdown.
"""

from collections.abc import Mapping
from typing import Any

from ...display import safe_line


def card_of(record: Mapping[str, Any]) -> str:
    """Return the card of an adapter."""
    data, options = record["data"], record["options"]
    numbers = "".join(f"| {key} | {value:,} |\n" for key, value in record["metrics"].items())
    settings = "".join(
        f"| {key} | {safe_line(str(value))} |\n" for key, value in options.items() if value != ""
    )
    parent = record["parent"] or "none"
    control = (
        f"\n**A control ({options['control']}): what it learned has no meaning. Not for use.**\n"
        if options["control"]
        else ""
    )
    return f"""---
base_model: {safe_line(record["base"])}
library_name: peft
pipeline_tag: text-generation
tags: [lora, {record["method"]}, git-skillmesh]
---

# {record["name"]}
{control}
A LoRA adapter that learned from what became of the work of coding agents in one repository.
It changes no weights of its base, which it needs.

| | |
|---|---|
| base | {safe_line(record["base"])} |
| sha256 of the base | {record["base_sha256"]} |
| method | {record["method"]} |
| went on from | {parent} |
| data | {safe_line(data["path"])}, {data["lines"]:,} lines, of which {data["replayed"]:,} again |
| sha256 of the data | {record["data_sha256"]} |
| repository | {safe_line(data["repo_id"] or "unknown")}, commit {record["commit"] or "unknown"} |
| made | {record["time"]}, seed {record["seed"]}, {record["steps"]:,} steps |

![losses](loss.svg)

| measured | |
|---|---|
{numbers}
| setting | |
|---|---|
{settings}
The chat template that it was trained with is `chat_template.jinja`; `trained_ids.txt` lists the
lines of data sets that it was trained on. Whether it is better than its base says
`git skillmesh adapters evaluate {record["name"]}`.

The data are conversations and code of that repository. What was in them can come out again.
"""
