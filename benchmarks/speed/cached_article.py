"""Speed of a cached story served by gunicorn: ÷ constant bytes, and of a 304 ÷ a 200."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals
from benchmarks.speed.load import format_rates, interleave, median_ratio, run_wrk
from benchmarks.speed.servers import Response, Server, run_gunicorn

# gunicorn adds these headers itself, so the constant app must not send them.
GUNICORN_HEADERS = {"server", "date", "connection", "transfer-encoding"}


def figures(
    site: BenchSite, path: str, folder: Path, seconds: float, rounds: int
) -> Iterator[Figure]:
    """Yield the rate of a cached story ÷ constant bytes, and of its 304 ÷ its 200."""
    with run_gunicorn("wsgi:app", site.environ) as server:
        response = server.get(path)
        save_response(response, folder)
        environ = site.environ | {"CONSTANT_RESPONSE": str(folder)}
        with run_gunicorn("benchmarks.constant_app:app", environ, ready_path="/") as constant:
            assert constant.get(path).body == response.body
            runs = {
                "site": load_run(server, path, seconds),
                "constant": load_run(constant, path, seconds),
            }
            tag = response.headers.get("ETag", "")
            has_tag = tag != "" and server.get(path, If_None_Match=tag).status == 304
            if has_tag:
                runs["304"] = load_run(server, path, seconds, If_None_Match=tag)
            results = interleave(runs, rounds)
    encoding = response.headers.get("Content-Encoding", "not compressed")
    rates = format_rates(results["site"], results["constant"])
    note = f"{rates}; {len(response.body):,} bytes, {encoding}"
    yield goals.CACHED.with_value(median_ratio(results["site"], results["constant"]), note)
    if has_tag:
        yield goals.REVALIDATED.with_value(
            median_ratio(results["304"], results["site"]),
            format_rates(results["304"], results["site"]),
        )
    else:
        yield goals.REVALIDATED.as_missing("the site does not send 304")


def load_run(server: Server, path: str, seconds: float, **headers: str) -> Callable[[], float]:
    """Return a function that measures a URL's responses a second; AssertionError if one
    has status 400 or more.
    """

    def run() -> float:
        load = run_wrk(server.url(path), seconds, **headers)
        assert load.error_responses == 0, load
        return load.rate

    run()  # warm up
    return run


def save_response(response: Response, folder: Path) -> None:
    """Save a response for `constant_app` to read."""
    assert response.status == 200, response
    headers = [
        (name, value)
        for name, value in response.headers.items()
        if name.lower() not in GUNICORN_HEADERS
    ]
    (folder / "body").write_bytes(response.body)
    (folder / "headers.json").write_text(json.dumps(headers))
