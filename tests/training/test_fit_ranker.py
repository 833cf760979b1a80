"""The fit of the ranker finds what tells right from wrong, and stays near where it is pulled."""

from functools import partial

import numpy as np
import pytest

from benchmarks.annotations import Result, Target, found_at
from git_skillmesh.retrieval.features import NAMES
from training.fit_ranker import Asked, cross_validate, fit, quality, without

BODY, STEM, DOCUMENTATION = map(NAMES.index, ("body", "stem", "documentation"))


def question(project: str, seed: int, telling: int = BODY) -> Asked:
    """Ten files of two chunks each; the file whose chunks are high in one feature is right."""
    dice = np.random.default_rng(seed)
    features = dice.random((20, len(NAMES)))
    right = np.zeros(10, bool)
    right[seed % 10] = True
    features[np.repeat(right, 2), telling] += 1.0
    owners = np.repeat(np.arange(10), 2).tolist()
    places = [Result(f"{file}.py", 1, 2) for file in owners]
    return Asked(
        project=project,
        category="semantic",
        features=features,
        owners=owners,
        ties=[(place.path, number) for number, place in enumerate(places)],
        starts=np.arange(0, 20, 2),
        places=places,
        right=right,
        targets=1,
        ranks_of=partial(found_at, targets=(Target(f"{seed % 10}.py"),)),
    )


ASKED = [question(f"p{number % 9}", number) for number in range(45)]


def test_the_telling_feature_gets_the_largest_weight() -> None:
    weights = fit(ASKED)
    assert int(np.argmax(np.abs(weights))) == BODY
    assert weights[BODY] > 0
    assert np.mean([quality(one, weights) for one in ASKED]) > 0.9


def test_hand_set_weights_stay() -> None:
    assert fit(ASKED)[DOCUMENTATION] == pytest.approx(-1.0)
    assert fit(ASKED, fit(ASKED))[DOCUMENTATION] == pytest.approx(-1.0)


def test_a_matching_name_never_counts_against() -> None:
    """Even where the right file is the one whose names match least."""
    name = NAMES.index("name_exact")
    odd = [question("p", number) for number in range(20)]
    for one in odd:
        one.features[:, name] = 1.0 - np.repeat(one.right, 2)
    assert fit(odd)[name] == 0.0


def test_a_fit_is_pulled_to_where_it_is_told() -> None:
    towards = np.zeros(len(NAMES))
    towards[STEM] = 3.0
    pulled, free = fit(ASKED, towards), fit(ASKED)
    assert pulled[STEM] > 2 * abs(free[STEM])


def test_no_question_is_judged_by_weights_that_saw_its_repository() -> None:
    held: list[set[str]] = []

    def fit_without(projects: set[str]) -> np.ndarray:
        held.append(projects)
        assert {one.project for one in without(ASKED, projects)}.isdisjoint(projects)
        return fit(without(ASKED, projects))

    values = cross_validate(ASKED, fit_without)
    assert sorted(name for fold in held for name in fold) == sorted({o.project for o in ASKED})
    assert len(values) == len(ASKED)
    assert np.mean(values) > 0.9


def test_a_feature_that_says_nothing_elsewhere_does_not_help() -> None:
    """What is telling in one repository alone is no use for it: its weights come from others."""
    odd = [question("odd", number, STEM) for number in range(5)]
    values = cross_validate([*ASKED, *odd], lambda held: fit(without([*ASKED, *odd], held)))
    assert np.mean(values[-5:]) < np.mean([quality(one, fit(odd)) for one in odd])
