"""`git skillmesh think forget`: remove sessions of thoughts for good.

In: arguments. Out: what was removed, and who still has it, as `forget` says it.
"""

import argparse

from ..errors import ExitCode, UsageError
from ..git.refs import drop_unreachable
from ..thinking.store import ThoughtStore
from ..thinking.telling import facts_of
from .columns import clip, plural
from .context import Context
from .forget import document, told
from .terminal import agrees, is_somebody_there


def forget(args: argparse.Namespace, context: Context) -> int:
    """Ask, forget, and say what is left elsewhere."""
    if not args.words:
        raise UsageError("forget takes a SESSION")
    store = ThoughtStore(context.repository, str)  # nothing is written
    chosen = dict.fromkeys(
        text if store.is_forgotten(text) else store.find(text).session_id for text in args.words
    )
    if not args.yes:
        if context.json or not is_somebody_there():
            raise UsageError("forgetting cannot be undone", "say --yes where nobody can be asked")
        known = {one.session_id: one for one in store.sessions()}
        for name in filter(known.__contains__, chosen):
            context.note(f"  {clip(f'{name}  {facts_of(known[name])}', context.width - 2)}")
        count = plural(len(chosen), "session")
        if not agrees(f"Forget {count} of thoughts for good?"):
            context.note("nothing was forgotten")
            return ExitCode.NOTHING_FOUND
    results = [store.forget(name) for name in chosen]
    from ..thinking.search import refresh

    refresh(context.repository, context.config)
    context.go_on()
    if args.gc:
        drop_unreachable(context.repository)
    if context.json:
        context.out_json(document(context.repository, results, args.gc))
    else:
        for line in told(context, results, args.gc):
            context.out(line)
    return ExitCode.OK
