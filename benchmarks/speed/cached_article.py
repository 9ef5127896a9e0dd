"""A story that the site has at hand, through gunicorn: against constant bytes, and asked for again with its ETag."""

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
    """Yield a cached story against the same answer as constant bytes, and a 304 against a 200."""
    with run_gunicorn("wsgi:app", site.environ) as ours:
        answer = ours.get(path)
        save_answer(answer, folder)
        environ = site.environ | {"CONSTANT_ANSWER": str(folder)}
        with run_gunicorn("benchmarks.constant_app:app", environ, ready="/") as constant:
            assert constant.get(path).body == answer.body
            acts = {
                "ours": load_run(ours, path, seconds),
                "constant": load_run(constant, path, seconds),
            }
            tag = answer.headers.get("ETag", "")
            has_tag = tag != "" and ours.get(path, If_None_Match=tag).status == 304
            if has_tag:
                acts["304"] = load_run(ours, path, seconds, If_None_Match=tag)
            found = interleave(acts, rounds)
    packed = answer.headers.get("Content-Encoding", "not compressed")
    note = f"{format_rates(found['ours'], found['constant'])}; {len(answer.body):,} bytes, {packed}"
    yield goals.CACHED.with_value(median_ratio(found["ours"], found["constant"]), note)
    if has_tag:
        yield goals.REVALIDATED.with_value(
            median_ratio(found["304"], found["ours"]), format_rates(found["304"], found["ours"])
        )
    else:
        yield goals.REVALIDATED.as_missing("the site answers no 304")


def load_run(server: Server, path: str, seconds: float, **headers: str) -> Callable[[], float]:
    """Return an act that gives the answers a second for an address; it raises AssertionError where one was refused."""

    def act() -> float:
        load = run_wrk(server.url(path), seconds, **headers)
        assert load.refused == 0, load
        return load.rate

    act()  # whoever comes first finds everything warm
    return act


def save_answer(answer: Answer, folder: Path) -> None:
    """Put an answer where `constant_app` and nginx find it."""
    assert answer.status == 200, answer
    headers = [
        (name, value)
        for name, value in answer.headers.items()
        if name.lower() not in GUNICORN_HEADERS
    ]
    (folder / "body").write_bytes(answer.body)
    (folder / "headers.json").write_text(json.dumps(headers))
