"""The form of the two question files: whom each question belongs to, and fair halves."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from git_skillmesh.yamlnodes import read_yaml

QUESTIONS = Path(__file__).parents[2] / "benchmarks" / "skills"
EXPERTS = frozenset(
    """
    viz.matplotlib-seaborn ml.sklearn-modeling ml.gradient-boosting ml.model-export
    dl.pytorch-training stats.scipy-statsmodels scipy.optimization-signal
    chemistry.rdkit-cheminformatics graph.networkx-analytics cv.opencv-image-processing
    geo.geopandas-spatial nlp.spacy-transformers docs.pdf-generation docs.slides-pptx
    data.schema-normalization
    cloud.aws-s3 cloud.aws-lambda cloud.aws-vpc cloud.terraform cloud.docker cloud.kubernetes
    infra.github-actions
    web.fastapi web.flask web.auth-jwt web.auth-oauth web.sqlalchemy web.rest-design
    data.pandas-advanced data.sql-queries data.time-series finance.quantitative
    finance.financial-modeling data.spark data.dbt
    sec.owasp-web sec.secrets-management sec.container-security sec.dependency-scanning
    sec.iam-policies sec.penetration-testing
    fe.react fe.nextjs fe.react-native fe.css-architecture fe.accessibility fe.state-management
    sys.rust sys.go sys.cpp-modern sys.concurrency sys.systems-design sys.memory-management
    ml.feature-engineering ml.hyperparameter-tuning dl.transformers-finetuning dl.langchain-agents
    git.history-surgery git.hooks-and-automation test.pytest api.graphql ops.observability
    ops.incident-response db.postgresql-performance
    """.split()  # noqa: SIM905  a list of 64 literals reads worse
)
KINDS = {"everyday": 104, "work": 56, "technical": 56, "shared-words": 24}


def read(name: str) -> list[dict[str, str]]:
    """Return the questions of a file, read as strictly as a card is."""
    questions = read_yaml((QUESTIONS / name).read_bytes()).value()
    assert isinstance(questions, list)
    return questions


def normal(text: str) -> str:
    """Return a text without what makes no other question of it: case, accents, punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode()))


PARAPHRASES = read("paraphrases.yaml")
OFF_TOPIC = read("off-topic.yaml")


def test_there_are_sixty_four_experts() -> None:
    assert len(EXPERTS) == 64


@pytest.mark.parametrize(("questions", "field"), [(PARAPHRASES, "expert"), (OFF_TOPIC, "kind")])
def test_questions_have_these_fields_and_no_others(
    questions: list[dict[str, str]], field: str
) -> None:
    for question in questions:
        assert list(question) == ["id", field, "text", "half"]
        assert all(isinstance(value, str) and value.strip() == value for value in question.values())
        assert question["half"] in ("tune", "test")
        assert 2 <= len(question["text"].split()) <= 30, question


def test_ids_are_unique() -> None:
    counts = Counter(question["id"] for question in PARAPHRASES + OFF_TOPIC)

    assert [name for name, count in counts.items() if count > 1] == []


def test_no_question_is_asked_twice() -> None:
    counts = Counter(normal(question["text"]) for question in PARAPHRASES + OFF_TOPIC)

    assert [text for text, count in counts.items() if count > 1] == []


def test_every_expert_has_eight_questions_or_more() -> None:
    counts = Counter(question["expert"] for question in PARAPHRASES)

    assert set(counts) == EXPERTS
    assert [name for name, count in counts.items() if count < 8] == []


def test_off_topic_questions_are_of_four_kinds() -> None:
    assert Counter(question["kind"] for question in OFF_TOPIC) == KINDS


@pytest.mark.parametrize(("questions", "field"), [(PARAPHRASES, "expert"), (OFF_TOPIC, "kind")])
def test_halves_are_equal_within_each_group(questions: list[dict[str, str]], field: str) -> None:
    halves = Counter((question[field], question["half"]) for question in questions)

    for group in {question[field] for question in questions}:
        assert halves[group, "tune"] == halves[group, "test"], group
