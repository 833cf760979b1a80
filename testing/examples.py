"""How many examples a property is tried with: few in every run, many when asked for.

In: the number for every run. Out: that number, times ten with `--hypothesis-profile=thorough`.
"""

from hypothesis import settings

_EVERY_RUN = 100  # what hypothesis itself does by default
settings.register_profile("thorough", max_examples=10 * _EVERY_RUN)


def examples(every_run: int) -> int:
    """Return the number of examples, as the profile in force asks."""
    return max(1, every_run * settings().max_examples // _EVERY_RUN)
