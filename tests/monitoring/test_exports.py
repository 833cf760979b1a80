"""What other programs read: Prometheus' own parser, the official protocol of OpenTelemetry."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from prometheus_client.parser import text_string_to_metric_families

from git_skillmesh.errors import ConfigurationError, Unavailable
from git_skillmesh.monitoring import otlp
from git_skillmesh.monitoring.journal import Event, Journal, Key
from git_skillmesh.monitoring.memory import Memory
from git_skillmesh.monitoring.prometheus import render

BEGAN = 1_700_000_000_000
MEMORY = Memory(3, 1, 9, 4, 2, {"rewarded_implemented": 3, "too_young": 1}, 100, 60, 15, "c0ffee")
ODD = 'a"b\\c\nd\udcff'


def journal() -> Journal:
    made = Journal()
    made.add(
        [
            Event(BEGAN, Key("query", "command", "ok"), 1_500),
            Event(BEGAN + 5, Key("query", "command", "nothing"), 900),
            Event(BEGAN + 9, Key("hook", "post-commit", "ok"), None),
            Event(BEGAN + 9, Key("finding", "no-print", "fired"), None),
            Event(BEGAN + 9, Key("finding", "no-print", "fired"), None),
        ]
    )
    return made


def test_prometheus_reads_what_was_counted() -> None:
    text = render(journal(), MEMORY, ODD)
    families = {one.name: one for one in text_string_to_metric_families(text)}
    assert {name: one.type for name, one in families.items()} == {
        "skillmesh_operations": "counter",
        "skillmesh_operation_duration_seconds": "histogram",
        "skillmesh_findings": "counter",
        "skillmesh_memory_conversations": "gauge",
        "skillmesh_memory_exchanges": "gauge",
        "skillmesh_memory_exchanges_linked": "gauge",
        "skillmesh_memory_verdicts": "gauge",
        "skillmesh_memory_lines": "gauge",
    }
    assert all(one.documentation for one in families.values())
    samples = families["skillmesh_operations"].samples
    assert {one.labels["repository"] for one in samples} == {'a"b\\c\nd\\udcff'}
    counted = [
        (one.labels["kind"], one.labels["by"], one.labels["outcome"], one.value) for one in samples
    ]
    assert counted == [
        ("hook", "post-commit", "ok", 1.0),
        ("query", "command", "nothing", 1.0),
        ("query", "command", "ok", 1.0),
    ]
    durations = families["skillmesh_operation_duration_seconds"].samples
    buckets = [one for one in durations if one.name.endswith("_bucket")]
    assert {one.labels["kind"] for one in buckets} == {"query"}
    assert [one.labels["le"] for one in buckets][:3] == ["0.001", "0.002", "0.004"]
    assert [one.value for one in buckets][:3] == [1.0, 2.0, 2.0]
    assert (buckets[-1].labels["le"], buckets[-1].value) == ("+Inf", 2.0)
    sums = {one.name: one.value for one in durations if "le" not in one.labels}
    assert sums == {
        "skillmesh_operation_duration_seconds_sum": 0.0024,
        "skillmesh_operation_duration_seconds_count": 2.0,
    }
    lines = {one.labels["fate"]: one.value for one in families["skillmesh_memory_lines"].samples}
    assert lines == {"alive": 60.0, "in_substance": 15.0, "gone": 25.0}


def test_nothing_recorded_is_a_text_that_can_be_read() -> None:
    families = list(text_string_to_metric_families(render(Journal(), None, "r")))
    assert [one.samples for one in families] == [[], [], []]


def points(request: ExportMetricsServiceRequest, name: str) -> list[tuple[dict[str, str], int]]:
    (metrics,) = [
        one for one in request.resource_metrics[0].scope_metrics[0].metrics if one.name == name
    ]
    data = metrics.sum if metrics.HasField("sum") else metrics.gauge
    return [
        ({one.key: one.value.string_value for one in point.attributes}, point.as_int)
        for point in data.data_points
    ]


def check(request: ExportMetricsServiceRequest) -> None:
    """Compare what has arrived with what was recorded."""
    (resource,) = request.resource_metrics
    about = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert (about["service.name"], about["repository"]) == ("git-skillmesh", "r")
    assert points(request, "skillmesh.operations") == [
        ({"kind": "hook", "by": "post-commit", "outcome": "ok"}, 1),
        ({"kind": "query", "by": "command", "outcome": "nothing"}, 1),
        ({"kind": "query", "by": "command", "outcome": "ok"}, 1),
    ]
    assert points(request, "skillmesh.findings") == [
        ({"learning": "no-print", "outcome": "fired"}, 2)
    ]
    assert points(request, "skillmesh.memory.verdicts") == [
        ({"verdict": "rewarded_implemented"}, 3), ({"verdict": "too_young"}, 1),
    ]  # fmt: skip
    metrics = {one.name: one for one in resource.scope_metrics[0].metrics}
    histogram = metrics["skillmesh.operation.duration"].histogram
    assert histogram.aggregation_temporality == 2
    assert metrics["skillmesh.operations"].sum.is_monotonic
    (point,) = histogram.data_points
    assert (point.count, point.sum, point.max) == (2, 0.0024, 0.0015)
    assert list(point.bucket_counts[:3]) == [1, 1, 0]
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert sum(point.bucket_counts) == 2
    assert (point.start_time_unix_nano, point.time_unix_nano) == (
        BEGAN * 10**6,
        1_700_000_100 * 10**9,
    )


def request() -> ExportMetricsServiceRequest:
    return otlp.request_of(journal(), MEMORY, "r", now=1_700_000_100)


def test_the_json_is_that_of_the_protocol() -> None:
    text = otlp.json_of(request())
    document = json.loads(text)
    assert "\n" not in text
    metrics = document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    # OTLP/JSON: enumerations are numbers, 64-bit numbers are text.
    assert metrics[0]["sum"]["aggregationTemporality"] == 2
    assert metrics[0]["sum"]["dataPoints"][0]["asInt"] == "1"
    check(ParseDict(document, ExportMetricsServiceRequest()))


class Collector(ThreadingHTTPServer):
    """A collector on loopback: it keeps what it gets and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append((self.path, headers, body))
        status, data = self.server.answers.pop(0) if self.server.answers else (200, b"")
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Collector]:
    made = Collector()
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def collector(server: Collector) -> Collector:
    server.got.clear()
    server.answers.clear()
    return server


def test_a_collector_gets_protobuf_and_the_headers(collector: Collector) -> None:
    address = otlp.address_of(collector.url)
    headers = otlp.headers_of(address, {otlp.HEADERS: "api-key=a%20b, x-scope = team"})
    otlp.send(request(), address, headers)
    ((path, sent, body),) = collector.got
    assert (path, sent["content-type"]) == ("/v1/metrics", "application/x-protobuf")
    assert (sent["api-key"], sent["x-scope"]) == ("a b", "team")
    check(ExportMetricsServiceRequest.FromString(body))


def test_what_passes_is_tried_again_and_what_does_not_is_told(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    address = otlp.address_of(collector.url)
    collector.answers = [(503, b""), (429, b"")]
    otlp.send(request(), address)
    assert len(collector.got) == 3
    collector.answers = [(503, b"")] * 3
    with pytest.raises(Unavailable, match="answers 503: it is busy"):
        otlp.send(request(), address)
    collector.answers = [(401, b"no\nkey")]
    with pytest.raises(Unavailable, match="answers 401: no key"):
        otlp.send(request(), address)
    collector.answers = [(302, b"")]
    with pytest.raises(Unavailable, match="answers 302"):
        otlp.send(request(), address)
    assert len(collector.got) == 8


def test_points_that_were_refused_are_told(collector: Collector) -> None:
    refused = ExportMetricsServiceResponse()
    refused.partial_success.rejected_data_points = 4
    refused.partial_success.error_message = "too old"
    collector.answers = [(200, refused.SerializeToString())]
    with pytest.raises(Unavailable, match="took all but 4 points: too old"):
        otlp.send(request(), otlp.address_of(collector.url))


def test_nobody_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    with pytest.raises(Unavailable, match="the metrics cannot be sent"):
        otlp.send(request(), "http://127.0.0.1:9/v1/metrics")


@pytest.mark.parametrize(
    "where", ["ftp://host", "http://", "http://me:word@host", "http://host:99999", "http://h?x=1"]
)
def test_other_addresses_are_refused(where: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address of a collector"):
        otlp.address_of(where)


def test_an_address_with_a_path_stays_as_it_is() -> None:
    assert otlp.address_of("https://host/otlp/v1/metrics") == "https://host/otlp/v1/metrics"
    assert otlp.address_of("http://host:4318/") == "http://host:4318/v1/metrics"


def test_a_key_goes_to_no_other_machine_without_tls(tmp_path: Path) -> None:
    environ = {otlp.HEADERS: "api-key=secret"}
    with pytest.raises(ConfigurationError) as told:
        otlp.headers_of("http://example.org/v1/metrics", environ)
    assert "secret" not in str(told.value)
    assert otlp.headers_of("https://example.org/v1/metrics", environ) == {"api-key": "secret"}
