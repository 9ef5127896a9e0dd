"""A cached story through gunicorn, against constant bytes and against a 304."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals
from benchmarks.speed.load import format_rates, interleave, median_ratio, run_wrk
from benchmarks.speed.servers import Answer, Server, run_gunicorn

# gunicorn writes these itself, whatever the app says.
GUNICORN_HEADERS = {"server", "date", "connection", "transfer-encoding"}


def figures(
    site: BenchSite, path: str, folder: Path, seconds: float, rounds: int
) -> Iterator[Figure]:
    """Yield a cached story against constant bytes, and a 304 against a 200."""
    with run_gunicorn("wsgi:app", site.environ) as server:
        answer = server.get(path)
        save_answer(answer, folder)
        environ = site.environ | {"CONSTANT_ANSWER": str(folder)}
        with run_gunicorn("benchmarks.constant_app:app", environ, ready="/") as constant:
            assert constant.get(path).body == answer.body
            runs = {
                "site": load_run(server, path, seconds),
                "constant": load_run(constant, path, seconds),
            }
            tag = answer.headers.get("ETag", "")
            has_tag = tag != "" and server.get(path, If_None_Match=tag).status == 304
            if has_tag:
                runs["304"] = load_run(server, path, seconds, If_None_Match=tag)
            results = interleave(runs, rounds)
    packed = answer.headers.get("Content-Encoding", "not compressed")
    rates = format_rates(results["site"], results["constant"])
    note = f"{rates}; {len(answer.body):,} bytes, {packed}"
    yield goals.CACHED.with_value(median_ratio(results["site"], results["constant"]), note)
    if has_tag:
        yield goals.REVALIDATED.with_value(
            median_ratio(results["304"], results["site"]),
            format_rates(results["304"], results["site"]),
        )
    else:
        yield goals.REVALIDATED.as_missing("the site answers no 304")


def load_run(server: Server, path: str, seconds: float, **headers: str) -> Callable[[], float]:
    """Return a function that measures a URL's responses a second; AssertionError on a refusal."""

    def run() -> float:
        load = run_wrk(server.url(path), seconds, **headers)
        assert load.refused == 0, load
        return load.rate

    run()  # the first measured run finds everything warm
    return run


def save_answer(answer: Answer, folder: Path) -> None:
    """Save a response where `constant_app` and nginx read it."""
    assert answer.status == 200, answer
    headers = [
        (name, value)
        for name, value in answer.headers.items()
        if name.lower() not in GUNICORN_HEADERS
    ]
    (folder / "body").write_bytes(answer.body)
    (folder / "headers.json").write_text(json.dumps(headers))
