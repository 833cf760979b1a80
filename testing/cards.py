"""A few skill cards, made up: enough to route questions to."""

from dataclasses import replace

from git_skillmesh.registry.model import Card


def card(card_id: str, title: str, description: str = "", **more: object) -> Card:
    """Return a card; lists may be given as lists."""
    domain, _, name = card_id.partition(".")
    made = Card(card_id, title, domain, f"{domain}/{name}/SKILL.md", description)
    fields = {
        key: tuple(value) if isinstance(value, list) else value for key, value in more.items()
    }
    return replace(made, **fields)  # type: ignore[arg-type]


CARDS = (
    card(
        "cook.bread", "Sourdough bread", "Bake bread with a starter: hydration, proofing, oven.",
        tags=["bread", "sourdough", "baking"], aliases=["baking"],
        examples=["my loaf is flat and dense", "feed a starter", "the crust is too soft"],
        body="# Bread\n\n## When to use\n- The dough does not rise, or the crumb is gummy.\n",
    ),
    card(
        "garden.roses", "Roses in the garden", "Prune roses, treat black spot and feed the soil.",
        tags=["roses", "pruning", "garden"], tool_hints=["secateurs"],
        examples=["when do I cut roses", "yellow leaves with black spots"],
    ),
    card(
        "store.s3", "Object storage with S3", "Buckets, lifecycle rules and presigned URLs in AWS.",
        tags=["s3", "bucket", "aws"], tool_hints=["boto3", "aws s3api"],
        aliases=["object storage"], examples=["share a private file for an hour"],
    ),
    card(
        "web.nextjs", "Next.js applications", "Server rendering, routing with Next.js and React.",
        tags=["next.js", "react", "ssr"], tool_hints=["next/image"],
        examples=["page shows stale data after deploy"],
    ),
    card(
        "lang.cpp", "Modern C++", "Ownership, RAII and ranges in C++20.",
        tags=["c++", "c++20", "raii"], tool_hints=["std::unique_ptr"], aliases=["cpp"],
    ),
    card("stats.tests", "Statistical tests", "Choose a test: t-test, Mann-Whitney, chi-squared."),
)  # fmt: skip
