"""A story that the site has at hand, through gunicorn: against constant bytes, and asked for again with its ETag."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.sites import BenchSite
from benchmarks.speed import goals
from benchmarks.speed.load import interleaved, loaded, rates, ratio
from benchmarks.speed.servers import Answer, Server, gunicorn

# gunicorn writes these itself, whatever the app says.
OWN_HEADERS = {"server", "date", "connection", "transfer-encoding"}


def figures(site: BenchSite, path: str, folder: Path, seconds: float, rounds: int) -> Iterator[Figure]:
    """Yield a cached story against the same answer as constant bytes, and a 304 against a 200."""
    with gunicorn("wsgi:app", site.environ) as ours:
        answer = ours.ask(path)
        keep(answer, folder)
        environ = site.environ | {"CONSTANT_ANSWER": str(folder)}
        with gunicorn("benchmarks.constant_app:app", environ, ready="/") as constant:
            assert constant.ask(path).body == answer.body
            acts = {"ours": asking(ours, path, seconds), "constant": asking(constant, path, seconds)}
            tag = answer.headers.get("ETag", "")
            has_tag = tag != "" and ours.ask(path, If_None_Match=tag).status == 304
            if has_tag:
                acts["304"] = asking(ours, path, seconds, If_None_Match=tag)
            found = interleaved(acts, rounds)
    packed = answer.headers.get("Content-Encoding", "not compressed")
    note = f"{rates(found['ours'], found['constant'])}; {len(answer.body):,} bytes, {packed}"
    yield goals.CACHED.measured(ratio(found["ours"], found["constant"]), note)
    if has_tag:
        yield goals.REVALIDATED.measured(ratio(found["304"], found["ours"]), rates(found["304"], found["ours"]))
    else:
        yield goals.REVALIDATED.missing("the site answers no 304")


def asking(server: Server, path: str, seconds: float, **headers: str) -> Callable[[], float]:
    """Return an act that gives the answers a second for an address; it raises AssertionError where one was refused."""

    def act() -> float:
        load = loaded(server.url(path), seconds, **headers)
        assert load.refused == 0, load
        return load.rate

    act()  # whoever comes first finds everything warm
    return act


def keep(answer: Answer, folder: Path) -> None:
    """Put an answer where `constant_app` and nginx find it."""
    assert answer.status == 200, answer
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in OWN_HEADERS]
    (folder / "body").write_bytes(answer.body)
    (folder / "headers.json").write_text(json.dumps(headers))
