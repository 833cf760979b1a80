"""Numbers in words: a share with its interval and what it was counted on.

In: a `Share`. Out: text. Pure.
"""

from ..gate.estimate import Share

# Fewer say too little: the interval would be wider than half of all there is.
LEAST = 10


def percent(value: float) -> str:
    """Return a share in per cent; what is not all or nothing is not rounded to it."""
    if 0 < value < 0.005:
        return "<1 %"
    if 0.995 < value < 1:
        return ">99 %"
    return f"{100 * value:.0f} %"


def share_words(share: Share) -> str:
    """Return a share with how many it is of."""
    return f"{share.hits:,} of {share.total:,} ({percent(share.value)})"


def interval_words(share: Share) -> str:
    """Return a share with its 95 % interval, or that it is too little to say."""
    if share.total < LEAST:
        return f"{share.hits:,} of {share.total:,}: too little to say"
    low, high = percent(share.low), percent(share.high)
    return f"{share.hits:,} of {share.total:,}, {percent(share.value)} ({low} to {high})"
