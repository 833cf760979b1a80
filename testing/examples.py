"""How many examples a property is tried with: few in every run, many when asked for.

In: the number for every run. Out: that number, times ten with `--hypothesis-profile=thorough`. A
property that names no number gets 40, and 1,000 with that profile.
"""

from hypothesis import HealthCheck, settings

_EVERY_RUN, _THOROUGH = 40, 1_000
# With what hypothesis has chosen for this machine (in CI, the same examples each time), but by no
# clock: a machine that does other work besides is slow without any fault of ours.
_base = settings(settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("every-run", parent=_base, max_examples=_EVERY_RUN)
settings.register_profile("thorough", parent=_base, max_examples=_THOROUGH)
settings.load_profile("every-run")


def examples(every_run: int) -> int:
    """Return the number of examples, as the profile in force asks."""
    return every_run * (10 if settings().max_examples == _THOROUGH else 1)
