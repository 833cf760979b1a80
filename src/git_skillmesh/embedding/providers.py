"""A provider's name and a model's name in, an `Embedder` out: built in, or any function of Chroma.

Chroma's embedding functions differ in their arguments, read their keys from the process's own
environment and raise whatever their client raises. This module is the one place that knows; from
here on there is only `Embedder` and `errors`.
"""

from __future__ import annotations

import inspect
import os
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from git_skillmesh.embedding.static import StaticEmbedder
from git_skillmesh.errors import ConfigurationError, SkillmeshError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from git_skillmesh.embedding.protocol import Embedder

BUILT_IN = "builtin"
BATCH = 64  # texts a request; the smallest limit among the providers is 96

# Names that people use for what Chroma registers under another one.
ALIASES = {
    "sentence_transformers": "sentence_transformer",
    "google": "google_gemini",
    "onnx": "onnx_mini_lm_l6_v2",
    "voyage": "voyageai",
    "together": "together_ai",
    "cloudflare": "cloudflare_workers_ai",
}
# Arguments that the model's name is passed as; the server of Hugging Face knows its own model and
# is named by its address.
MODEL_ARGUMENTS = {"huggingface_server": "url", "baseten": "api_base"}
# Arguments that are neither model nor key, and the variable each is read from.
OTHER_ARGUMENTS = {
    ("ollama", "url"): "OLLAMA_HOST",
    ("openai", "api_base"): "OPENAI_BASE_URL",
    ("cloudflare_workers_ai", "account_id"): "CLOUDFLARE_ACCOUNT_ID",
    ("google_vertex", "project_id"): "GOOGLE_CLOUD_PROJECT",
    ("roboflow", "api_url"): "ROBOFLOW_API_URL",
}


def make_embedder(provider: str, name: str, env: Mapping[str, str]) -> Embedder:
    """Return the embedder that EMBEDDING_MODEL_PROVIDER and EMBEDDING_MODEL_NAME ask for.

    An empty provider or `builtin` is the built-in model. Keys and addresses are looked up in
    `env`, under the variable that the provider's own documentation names.

    Raises:
        ConfigurationError: the provider is unknown, or needs more than a name.
        Unavailable: its package, key or model is missing, or its server does not answer.
        Damaged: the built-in model is damaged.
    """
    wanted = provider.strip().lower().replace("-", "_")
    if wanted in ("", BUILT_IN):
        return StaticEmbedder.load()
    known = _known_functions()
    wanted = ALIASES.get(wanted, wanted)
    if wanted not in known:
        raise ConfigurationError(
            f"unknown embedding provider {provider!r}",
            f"set EMBEDDING_MODEL_PROVIDER to one of {', '.join(sorted([BUILT_IN, *known]))}",
        )
    return _configured(wanted, known[wanted], name.strip(), env)


def _known_functions() -> dict[str, Any]:
    try:
        from chromadb.utils.embedding_functions import known_embedding_functions
    except ImportError as error:
        raise Unavailable(
            "embedding providers other than the built-in one need the package chromadb",
            "pip install chromadb",
        ) from error
    return {name.replace("-", "_"): kind for name, kind in known_embedding_functions.items()}


def _configured(provider: str, kind: Any, name: str, env: Mapping[str, str]) -> ConfiguredEmbedder:
    accepted = inspect.signature(kind.__init__).parameters
    arguments: dict[str, str] = {}

    model_argument = MODEL_ARGUMENTS.get(provider) or next(
        (argument for argument in ("model_name", "model") if argument in accepted), None
    )
    if model_argument and name:
        arguments[model_argument] = name
    elif model_argument and accepted[model_argument].default is not inspect.Parameter.empty:
        name = accepted[model_argument].default
    elif model_argument:
        raise ConfigurationError(
            f"the embedding provider {provider} needs a model", "set EMBEDDING_MODEL_NAME"
        )
    for (owner, argument), variable in OTHER_ARGUMENTS.items():
        if owner == provider and env.get(variable):
            arguments[argument] = env[variable]
    keys = _keys(provider, accepted, env)
    _refuse_missing(provider, accepted, {*arguments, "api_key", "api_key_env_var"})

    secrets = list(keys.values())
    try:
        with _environment(keys), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function = kind(**arguments)
    except Exception as error:  # a provider's client may raise anything
        raise _unavailable(provider, error, secrets) from None
    return ConfiguredEmbedder(provider, name, function, secrets)


def _keys(provider: str, accepted: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hold the provider's key, as far as they are set."""
    own = getattr(accepted.get("api_key_env_var"), "default", None)
    required = isinstance(own, str)
    variable = own if isinstance(own, str) else f"{provider.split('_')[0].upper()}_API_KEY"
    usual = variable.removeprefix("CHROMA_") if provider != "chroma_cloud_qwen" else variable
    found = {name: env[name] for name in (variable, usual) if env.get(name)}
    if required and not found:
        raise Unavailable(f"the embedding provider {provider} needs a key", f"set {usual}")
    if required and variable not in found:
        found[variable] = found[usual]
    return found


def _refuse_missing(provider: str, accepted: Mapping[str, Any], given: set[str]) -> None:
    for argument, parameter in accepted.items():
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if argument == "self" or argument in given or variadic:
            continue
        if parameter.default is parameter.empty:
            variable = OTHER_ARGUMENTS.get((provider, argument))
            raise ConfigurationError(
                f"the embedding provider {provider} needs {argument}, "
                + ("which is not set" if variable else "which no setting can give"),
                f"set {variable}" if variable else "choose another EMBEDDING_MODEL_PROVIDER",
            )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Show `variables` to a client that looks for its key only in the process's environment."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class ConfiguredEmbedder:
    """An `Embedder` that asks an embedding function of Chroma."""

    def __init__(self, provider: str, name: str, function: Any, secrets: Sequence[str]) -> None:
        self._provider = provider
        self._name = name
        self._function = function
        self._secrets = secrets
        self._dimension: int | None = None

    @property
    def model_id(self) -> str:
        """Provider and model, as in `openai:text-embedding-3-small`."""
        return f"{self._provider}:{self._name}"

    @property
    def dimension(self) -> int:
        """Length of every vector, found by a first call when none was made yet.

        Raises:
            Unavailable: the provider does not answer.
        """
        if self._dimension is None:
            return len(self._ask(self._function, ["dimension"])[0])
        return self._dimension

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, `[len(texts), dimension]`: unit length; blank texts give zeros.

        Raises:
            Unavailable: the provider does not answer, or not with vectors.
        """
        filled = [place for place, text in enumerate(texts) if text.strip()]
        rows = [
            self._ask(self._function, [texts[place] for place in filled[start : start + BATCH]])
            for start in range(0, len(filled), BATCH)
        ]
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        if filled:
            vectors[filled] = np.concatenate(rows)
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the vector `[dimension]` of a query; some models embed queries in their own way.

        Raises:
            Unavailable: the provider does not answer, or not with vectors.
        """
        if not text.strip():
            return np.zeros(self.dimension, np.float32)
        row: NDArray[np.float32] = self._ask(self._function.embed_query, [text])[0]
        return row

    def _ask(self, function: Any, texts: list[str]) -> NDArray[np.float32]:
        try:
            vectors = np.asarray(function(input=texts), dtype=np.float32)
        except Exception as error:  # a provider's client may raise anything
            raise _unavailable(self._provider, error, self._secrets) from None
        known = self._dimension or (vectors.shape[1] if vectors.ndim == 2 else 0)
        if not known or vectors.shape != (len(texts), known) or not np.isfinite(vectors).all():
            raise Unavailable(
                f"the embedding provider {self._provider} answered {len(texts)} texts with an "
                f"array of shape {vectors.shape}",
                "check EMBEDDING_MODEL_NAME",
            )
        self._dimension = known
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
        return unit


def _unavailable(provider: str, error: Exception, secrets: Sequence[str]) -> SkillmeshError:
    """Turn what a client raised into one line without keys and control characters."""
    text = str(error)
    missing = re.search(r"pip install ([\w.-]+(?:\[[\w,-]+\])?)", text)
    if missing:
        return Unavailable(
            f"the embedding provider {provider} needs the package {missing[1]}",
            f"pip install {missing[1]}",
        )
    for secret in secrets:
        text = text.replace(secret, "***")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
    return Unavailable(
        f"the embedding provider {provider} failed ({type(error).__name__}: {line})",
        "check EMBEDDING_MODEL_PROVIDER, EMBEDDING_MODEL_NAME and the network",
    )
