"""Hold a proposed matcher against its own examples, as the gate would.

In: a proposal. Out: whether the learning that it would make passes the trial. Both `analyze` and
whatever shows candidates ask here: learnings know nothing of the gate.
"""

from ..learnings.candidates import Proposal
from ..learnings.model import FOLDER, Learning
from ..learnings.reading import read_learning
from ..learnings.writing import write_learning
from .trial import try_learning


def passes(proposal: Proposal) -> bool:
    """Return whether a proposal does what its examples say."""
    learning = Learning(
        learning_id="trial",
        title="trial",
        description="trial",
        matcher=proposal.matcher,
        languages=proposal.languages,
        pattern=proposal.pattern,
        fix=proposal.fix,
        bad=proposal.bad,
        good=proposal.good,
    )
    data = write_learning(learning).encode("utf-8", "replace")
    return not try_learning(read_learning(f"{FOLDER}/trial.yaml", data))
