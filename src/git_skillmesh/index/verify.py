"""Check the local tier against the repository and against itself.

In: an index. Out: one `Problem` for each thing that is wrong. Nothing is changed.
"""

from dataclasses import dataclass

import numpy as np

from ..config import Config
from ..errors import SkillmeshError
from ..git.repository import Repository
from .build import segment_path
from .catalogue import Catalogue
from .maintenance import documents_again
from .segment import open_segment
from .sets import without
from .store import Store
from .sync import resolve
from .vectors import VectorSource, open_vectors, vector_path


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and whether only a rebuild mends it."""

    what: str
    rebuild: bool


def verify(
    repository: Repository, config: Config, store: Store, source: VectorSource | None, sample: int
) -> list[Problem]:
    """Return everything that is wrong with the local tier; [] when all is well."""
    try:
        catalogue = store.reader()
    except FileNotFoundError:
        return [Problem("there is no index", rebuild=False)]
    except SkillmeshError as error:
        return [Problem(str(error), rebuild=True)]
    try:
        problems = [Problem(f"catalogue: {line}", True) for line in _integrity(catalogue)]
        problems += [Problem(line, True) for line in store.check_files(catalogue)]
        if not problems:
            problems += _check_rows(catalogue, store)
            problems += _check_tree(repository, config, catalogue)
        if not problems and source is not None:
            problems += _check_vectors(repository, config, catalogue, store, source, sample)
    except SkillmeshError as error:
        problems = [Problem(str(error), rebuild=True)]
    finally:
        catalogue.close()
    return problems


def _integrity(catalogue: Catalogue) -> list[str]:
    found = [str(row[0]) for row in catalogue.rows("PRAGMA quick_check")]
    return [] if found == ["ok"] else found


def _check_rows(catalogue: Catalogue, store: Store) -> list[Problem]:
    """Compare what the catalogue says of each file with the arrays of its segment."""
    segments = {
        number: open_segment(segment_path(store.stem(number))).files.astype(np.int64) + base
        for number, _, base in catalogue.segments()
    }
    wrong = 0
    for row in catalogue.all_files():
        if not row.chunks:
            continue
        owners = segments.get(row.segment or 0)
        first = row.first_row or 0
        if owners is None or not (owners[first : first + row.chunks] == row.id).all():
            wrong += 1
    stored = catalogue.rows("SELECT (SELECT count(*) FROM chunks), (SELECT sum(chunks) FROM files)")
    problems = []
    if wrong:
        problems.append(Problem(f"{wrong} files point at chunks that are not theirs", True))
    if stored[0][0] != (stored[0][1] or 0):
        problems.append(Problem("the catalogue lost chunks", True))
    return problems


def _check_tree(repository: Repository, config: Config, catalogue: Catalogue) -> list[Problem]:
    """Compare the index with HEAD's tree, listed anew."""
    _, tree = repository.head_tree()
    anew = resolve(repository, catalogue, config, tree, full=True)
    known = resolve(repository, catalogue, config, tree)
    problems = []
    if anew.missing:
        count = len(anew.missing)
        missing = "1 file of HEAD is" if count == 1 else f"{count} files of HEAD are"
        problems.append(Problem(f"{missing} not indexed", False))
    extra = without(known.members, anew.members)
    lost = without(anew.members, known.members) if known.known else extra[:0]
    if len(extra) or len(lost):
        count = len(extra) + len(lost)
        problems.append(Problem(f"{count} files differ between HEAD and the index", True))
    return problems


def _check_vectors(
    repository: Repository,
    config: Config,
    catalogue: Catalogue,
    store: Store,
    source: VectorSource,
    sample: int,
) -> list[Problem]:
    """Embed chunks of some segments anew and compare."""
    models = catalogue.models()
    problems = []
    incomplete = [n for n, _, _ in catalogue.segments() if source.model_id not in models.get(n, ())]
    if incomplete:
        problems.append(Problem(f"{len(incomplete)} segments have no vectors yet", False))
    max_bytes = config.number("index.maxbytes")
    for number, count, base in catalogue.segments()[-sample:]:
        if number in incomplete or count > 1_000:
            continue
        documents = documents_again(repository, catalogue, store, number, base, max_bytes)
        stored = open_vectors(vector_path(store.stem(number), source.model_id))
        anew = source.vectors(documents)
        known = anew.norms > 0
        if not (anew.rows[known] == stored.rows[known]).all():
            problems.append(Problem(f"segment {number}: vectors do not match the text", True))
    return problems
