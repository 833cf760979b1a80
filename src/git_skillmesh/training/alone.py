"""Libraries for training as this program uses them: all cores, no talk, nothing sent anywhere.

In: nothing. Out: what they are told in the environment; call `settle`, or set that, before the
first of them is imported.
"""

import os
import warnings

from ..machine import cores

QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip


def settle() -> None:
    """Set what the libraries read from the environment, and let torch have the cores.

    The command line asks for one thread, which is best for everything else.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # Of these libraries to each other; none is about anything that a user could change.
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(cores())
