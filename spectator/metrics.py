"""Counts and times of requests, in the format of Prometheus and shared by the web processes.

Each web process writes to a file of its own below `metrics/` in the data directory. The files are
numbered, and a process takes the lowest number that is free, so there are never more files than
processes at one time, and the successor of a process continues its counts.

The client library takes some 15 MB and a fraction of a second to load, so only processes that
need it do.
"""

from __future__ import annotations

import fcntl
import functools
import logging
import os
import shutil
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from spectator.pagecache import RESULT_ENVIRON_KEY, Hit
from spectator.search_paths import without_edition

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client.registry import Collector, CollectorRegistry

log = logging.getLogger(__name__)
DIRECTORY = "metrics"  # in the data directory
MAX_PROCESSES = 200
# A file is created with its final size: a process that writes to the memory of a file that cannot
# grow on a full disk is killed. A series has some 2,000 bytes.
FILE_BYTES, MAX_SERIES = {"histogram": 1_000_000, "counter": 100_000}, 400
NAME, LABELS = "spectator_request_seconds", ("kind", "status", "cache")
HITS_NAME, HIT_LABELS = "spectator_page_cache_hits", ("kind", "status")
HITS_INTERVAL_SECONDS = 2.0
SLOW_SECONDS = 1.0
BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, SLOW_SECONDS, 5.0)  # seconds
MONITORING = "monitoring"
KINDS = {  # by the first part of the path
    "": "front",
    "newsroom": "newsroom",
    "fragments": "fragment",
    "search": "search",
    "media": "picture",
    "static": "static",
    "healthz": MONITORING,
    "readyz": MONITORING,
    "metrics": MONITORING,
}


class RequestTotals(NamedTuple):
    """Requests since the site's start, without those of monitoring: all, failed, slow."""

    requests: int = 0
    errors: int = 0
    slow: int = 0


class RequestMetrics:
    """WSGI middleware that measures requests by the kind of their page, never by their URL.

    It measures what the page cache's fast path did not answer. The page cache remembers its hits,
    which are counted every few seconds, so that they cost next to nothing.
    """

    def __init__(self, app: WSGIApplication, hits: deque[Hit]) -> None:
        self.app = app
        self.hits = hits
        self.lock = Lock()
        self.series: dict[tuple[str, str, str], Callable[[float], None]] = {}

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Call the application and measure the time until its response begins."""
        started = perf_counter()
        status = "500"

        def start(text: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = text[:3]
            return start_response(text, headers, exc_info)

        try:
            return self.app(environ, start)
        finally:
            cache = environ.get(RESULT_ENVIRON_KEY, "none")
            if cache != "hit":
                kind = kind_of(environ.get("PATH_INFO", ""))
                self.observe(kind, status, cache, perf_counter() - started)

    def observe(self, kind: str, status: str, cache: str, seconds: float) -> None:
        """Count a request."""
        key = (kind, status, cache)
        observe = self.series.get(key)
        if observe is None:
            if len(self.series) >= MAX_SERIES - 1:
                key = ("other", "other", "other")
            observe = self.series[key] = self.histogram.labels(*key).observe
        observe(seconds)

    @functools.cached_property
    def histogram(self) -> Any:
        """The histogram of all requests."""
        from prometheus_client import CollectorRegistry, Histogram

        description = "Seconds until a response begins; cache is the page cache's answer."
        return Histogram(NAME, description, LABELS, buckets=BUCKETS, registry=CollectorRegistry())

    @functools.cached_property
    def hit_counter(self) -> Any:
        """The counter of the page cache's hits."""
        import prometheus_client

        description = "Requests answered with a stored page, in a fraction of a millisecond."
        registry = prometheus_client.CollectorRegistry()
        return prometheus_client.Counter(HITS_NAME, description, HIT_LABELS, registry=registry)

    def count_hits(self) -> None:
        """Count the hits that the page cache has remembered."""
        with self.lock:
            counts = Counter(self.hits.popleft() for _ in range(len(self.hits)))
            for (path, status), number in counts.items():
                self.hit_counter.labels(kind_of(path), status[:3]).inc(number)

    def count_hits_regularly(self) -> None:
        """Start a thread that counts hits as long as the process runs."""

        def run() -> None:
            while True:
                time.sleep(HITS_INTERVAL_SECONDS)
                self.count_hits()

        Thread(target=run, name="hits", daemon=True).start()

    def register(self, registry: CollectorRegistry) -> None:
        """Add the measurements of all web processes to a registry."""
        self.count_hits()
        if directory := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry.register(_shared_collector(Path(directory)))
        else:
            registry.register(self.histogram)
            registry.register(self.hit_counter)


def kind_of(path: str) -> str:
    """Return the kind of the page at a path."""
    if path.endswith("feed.xml"):
        return "feed"
    kind = KINDS.get(without_edition(path)[1:].partition("/")[0])
    if kind is None:
        kind = "list" if path.endswith("/") else "story"
    return kind


def share(data_dir: Path) -> None:
    """Let this process share its measurements; called before its first request.

    Without space for the file, the process measures for itself alone.
    """
    from prometheus_client import values

    directory = data_dir / DIRECTORY
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        number = _take_number(directory)
        for kind, size in FILE_BYTES.items():
            _create_file(directory / f"{kind}_{number}.db", size)
    except OSError as error:
        log.warning("the requests of this process are missing in the metrics: %s", error)
        return
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    values.ValueClass = _value_class(number)


def _value_class(number: int) -> Any:
    """Return the class of the client library's values that are stored in a numbered file."""
    from prometheus_client import values

    create: Any = values.MultiProcessValue
    return create(lambda: number)


def _shared_collector(directory: Path) -> Collector:
    """Return the sum of the measurements in all files of a directory."""
    from prometheus_client import multiprocess

    create: Any = multiprocess.MultiProcessCollector
    collector: Collector = create(None, str(directory))
    return collector


def _take_number(directory: Path) -> int:
    """Return the lowest number that no other process has, until this process ends."""
    for number in range(MAX_PROCESSES):
        handle = os.open(directory / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return number  # The kernel releases the lock, however the process ends.
    raise OSError(f"{MAX_PROCESSES} processes have their files in {directory}")


def _create_file(path: Path, size: int) -> None:
    """Create a file of measurements with `size` bytes, unless there is one."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(handle, 0, size)
    finally:
        os.close(handle)


def clear(data_dir: Path) -> None:
    """Delete the measurements of an earlier run; the site must not run."""
    shutil.rmtree(data_dir / DIRECTORY, ignore_errors=True)


def render(app_metrics: RequestMetrics, *collectors: Collector) -> bytes:
    """Return the measurements, and those of some collectors, in the text format of Prometheus."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    app_metrics.register(registry)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


def read_totals(data_dir: Path) -> RequestTotals:
    """Return the requests of all web processes since the site's start."""
    directory = data_dir / DIRECTORY
    if not directory.is_dir():
        return RequestTotals(0, 0, 0)
    requests = errors = fast = 0
    for metric in _shared_collector(directory).collect():
        for sample in metric.samples:
            if sample.labels["kind"] == MONITORING:
                continue
            if sample.name == f"{HITS_NAME}_total":
                requests += int(sample.value)
                fast += int(sample.value)
            elif sample.name == f"{NAME}_count":
                requests += int(sample.value)
                errors += int(sample.value) if sample.labels["status"].startswith("5") else 0
            elif sample.name == f"{NAME}_bucket" and sample.labels["le"] == str(SLOW_SECONDS):
                fast += int(sample.value)
    return RequestTotals(requests, errors, requests - fast)
