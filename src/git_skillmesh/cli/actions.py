"""Commands that do several things: `git skillmesh COMMAND ACTION`, each with options of its own.

In: what the user has typed. Out: `UsageError` for an action that there is not, or an option of
another one. An option that was not given is None, or False if it is a flag.
"""

import argparse
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import UsageError


def check_action(
    args: argparse.Namespace,
    known: Collection[str],
    options: Mapping[str, Collection[str]],
    spelled: Mapping[str, str] | None = None,
) -> None:
    """Raise `UsageError` unless `args.action` is known, and the options given are for it.

    `options` is name → the actions that have it; `spelled` is name → how it is typed, where that
    is not the name.
    """
    if args.action not in known:
        raise UsageError(f"no such action: {args.action}", ", ".join(known))
    for name, actions in options.items():
        value = getattr(args, name)
        if value is not None and value is not False and args.action not in actions:
            option = (spelled or {}).get(name, name).replace("_", "-")
            raise UsageError(f"--{option} is for: {', '.join(actions)}")


def set_defaults(args: argparse.Namespace, defaults: Mapping[str, Any]) -> None:
    """Give options that were not given their values."""
    for name, value in defaults.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
