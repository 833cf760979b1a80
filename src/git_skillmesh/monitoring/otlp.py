"""What is recorded as OpenTelemetry metrics: written to a file, or sent to a collector.

In: the `Journal`, `Memory`, the name of the repository. Out: an `ExportMetricsServiceRequest` of
the official protocol, as OTLP/JSON or, to a collector's HTTP endpoint, as protobuf. Sums and
histograms are cumulative from the time recording began. Loaded by its command alone.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)

from .. import __version__
from ..errors import ConfigurationError, Unavailable
from ..machine import is_loopback
from .findings import KIND
from .journal import Journal, durations
from .memory import Memory
from .prometheus import BOUNDS
from .tally import Tally

PATH = "/v1/metrics"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
_SECONDS = 10.0
_ATTEMPTS = 3
_AGAIN = (429, 502, 503, 504)
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
Labels = Mapping[str, str]


def request_of(
    journal: Journal, memory: Memory | None, repository: str, now: float | None = None
) -> ExportMetricsServiceRequest:
    """Return all metrics as of now (seconds of the epoch)."""
    until = int((time.time() if now is None else now) * 1e9)
    times = _Times(journal.began * 1_000_000 or until, until)
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    about = {
        "service.name": "git-skillmesh", "service.version": __version__, "repository": repository
    }  # fmt: skip
    resource.resource.attributes.extend(_attributes(about))
    scope = resource.scope_metrics.add()
    scope.scope.name, scope.scope.version = "git_skillmesh.monitoring", __version__
    scope.metrics.extend(_recorded(journal, times))
    if memory is not None:
        scope.metrics.extend(_of_memory(memory, times))
    return request


def json_of(request: ExportMetricsServiceRequest) -> str:
    """Return the request as OTLP/JSON: a line, as the file exporter of a collector writes it."""
    document = MessageToDict(request, use_integers_for_enums=True)
    return json.dumps(document, separators=(",", ":"))


def address_of(where: str) -> str:
    """Return the address that metrics are sent to. Raises `ConfigurationError`."""
    try:
        parts = urlsplit(where)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query:
        raise ConfigurationError("not the address of a collector", "as in http://127.0.0.1:4318")
    return where.rstrip("/") + PATH if parts.path in ("", "/") else where


def headers_of(address: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of OTEL_EXPORTER_OTLP_HEADERS. Raises `ConfigurationError`.

    What may be a key goes to no other machine without TLS.
    """
    found = {}
    for pair in environ.get(HEADERS, "").split(","):
        name, equals, value = pair.partition("=")
        if name.strip() and equals:
            found[unquote(name.strip())] = unquote(value.strip())
    parts = urlsplit(address)
    if found and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"{HEADERS} is set, and {parts.hostname} is another machine without TLS", "use https"
        )
    return found


def send(
    request: ExportMetricsServiceRequest, address: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send metrics to a collector; what passes is tried again. Raises `Unavailable`."""
    import httpx
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
    from tenacity.wait import wait_random_exponential

    sent = {**(headers or {}), "Content-Type": "application/x-protobuf"}
    body = request.SerializeToString()
    # What is for this machine goes through no proxy: that would be another one.
    proxied = not is_loopback(urlsplit(address).hostname or "")
    tries = Retrying(
        stop=stop_after_attempt(_ATTEMPTS), wait=wait_random_exponential(0.2, 2.0),
        retry=retry_if_exception_type((_Again, httpx.TransportError)), reraise=True,
    )  # fmt: skip
    try:
        with httpx.Client(timeout=_SECONDS, follow_redirects=False, trust_env=proxied) as client:
            answer = tries(lambda: _posted(client.post(address, content=body, headers=sent)))
    except _Again as error:
        raise Unavailable(f"the collector answers {error}", "it is busy, try again") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable("the metrics cannot be sent", why) from None
    if not 200 <= answer.status_code < 300:
        raise Unavailable(f"the collector answers {answer.status_code}", _said(answer))
    _check_accepted(answer.content)


class _Again(Exception):
    """The collector asks to be asked again."""


def _posted(answer: Any) -> Any:
    if answer.status_code in _AGAIN:
        raise _Again(answer.status_code)
    return answer


def _said(answer: Any) -> str:
    kind = answer.headers.get("content-type", "")
    return (
        " ".join(answer.text.split())[:200]
        if kind.startswith(("text/", "application/json"))
        else ""
    )


def _check_accepted(data: bytes) -> None:
    from google.protobuf.message import DecodeError

    try:
        partial = ExportMetricsServiceResponse.FromString(data).partial_success
    except DecodeError:  # an answer in JSON says it as well, and 2xx has been said
        return
    if partial.rejected_data_points:
        raise Unavailable(
            f"the collector took all but {partial.rejected_data_points} points",
            " ".join(partial.error_message.split())[:200],
        )


class _Times:
    """From when to when a point counts, in nanoseconds of the epoch."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def number(self, labels: Labels, value: int) -> NumberDataPoint:
        """Return a point of a sum."""
        return NumberDataPoint(
            attributes=_attributes(labels), start_time_unix_nano=self.start,
            time_unix_nano=self.end, as_int=value,
        )  # fmt: skip

    def gauge(self, labels: Labels, value: int) -> NumberDataPoint:
        """Return a point of a gauge, which has no beginning."""
        return NumberDataPoint(
            attributes=_attributes(labels), time_unix_nano=self.end, as_int=value
        )

    def histogram(self, labels: Labels, tally: Tally) -> HistogramDataPoint:
        """Return durations as a point of a histogram."""
        upto = [tally.up_to(bound) for bound in BOUNDS]
        counts = [one - before for one, before in zip(upto, [0, *upto], strict=False)]
        return HistogramDataPoint(
            attributes=_attributes(labels), start_time_unix_nano=self.start,
            time_unix_nano=self.end, count=tally.timed, sum=tally.total / 1e6,
            bucket_counts=[*counts, tally.timed - upto[-1]], explicit_bounds=BOUNDS,
            max=tally.most / 1e6,
        )  # fmt: skip


def _recorded(journal: Journal, times: _Times) -> Iterable[Metric]:
    done = Metric(name="skillmesh.operations", unit="{operation}",
                  description="What was done, by whom, and how it ended")  # fmt: skip
    taken = Metric(name="skillmesh.operation.duration", unit="s", description="How long it took")
    found = Metric(name="skillmesh.findings", unit="{finding}",
                   description="Findings of learnings: fired, fixed, suppressed")  # fmt: skip
    for key, tally in sorted(journal.ever.items()):
        if key.kind == KIND:
            labels = {"learning": key.label, "outcome": key.outcome}
            found.sum.data_points.append(times.number(labels, tally.count))
            continue
        labels = {"kind": key.kind, "by": key.label, "outcome": key.outcome}
        done.sum.data_points.append(times.number(labels, tally.count))
    for (kind, label), tally in durations(journal.ever).items():
        taken.histogram.data_points.append(times.histogram({"kind": kind, "by": label}, tally))
    for metric in (done, found):
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = _CUMULATIVE, True
    taken.histogram.aggregation_temporality = _CUMULATIVE
    return [done, taken, found]


def _of_memory(memory: Memory, times: _Times) -> Iterable[Metric]:
    subagents = {"no": memory.conversations, "yes": memory.subagents}
    rows: list[tuple[str, str, str, Mapping[str, int]]] = [
        ("conversations", "{conversation}", "subagent", subagents),
        ("exchanges", "{exchange}", "", {"": memory.exchanges}),
        ("exchanges.linked", "{exchange}", "", {"": memory.linked}),
        ("verdicts", "{exchange}", "verdict", memory.verdicts),
        ("lines", "{line}", "fate", memory.fates),
    ]
    for name, unit, label, values in rows:
        metric = Metric(name=f"skillmesh.memory.{name}", unit=unit)
        for value, count in values.items():
            metric.gauge.data_points.append(times.gauge({label: value} if label else {}, count))
        yield metric


def _attributes(labels: Labels) -> list[KeyValue]:
    return [
        KeyValue(key=name, value=AnyValue(string_value=_text(value)))
        for name, value in labels.items()
    ]


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()
