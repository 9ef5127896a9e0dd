"""Undocumented details of Whoosh: their expected layout is checked before an index is opened."""

from __future__ import annotations

import errno
import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from spectator import indexing
from spectator.commands import main
from spectator.db import db
from spectator.operations import doctor
from spectator.search import EngineFaultError, SearchRequest, engine_fault, open_index
from spectator.search.whoosh import internals
from tests.conftest import use_site
from tests.search_samples import MALI, STORIES

ROOT = Path(__file__).resolve().parent.parent
WHOOSH3 = "whoosh.codec.whoosh3"
# A Whoosh that fails half-way leaves files open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def fresh_check() -> Iterator[None]:
    """Check the layout again, in the test and after it."""
    internals._has_layout.cache_clear()
    yield
    internals._has_layout.cache_clear()
    gc.collect()


@pytest.fixture
def other_layout(monkeypatch: pytest.MonkeyPatch, fresh_check: None) -> None:
    """Give Whoosh a posting list without the expected blocks."""
    monkeypatch.delattr(f"{WHOOSH3}.W3LeafMatcher._read_data")


def test_the_pinned_release_has_the_expected_layout(fresh_check: None) -> None:
    assert engine_fault() == ""
    name, version = internals.EXPECTED_RELEASE.lower().split()
    assert f"\n{name}=={version} " in (ROOT / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("attribute", "replacement"),
    [
        (f"{WHOOSH3}.W3LeafMatcher._next_block", lambda chain: setattr(chain, "_blocklength", 0)),
        (f"{WHOOSH3}.W3LeafMatcher.block_max_id", lambda chain: 0),
        (f"{WHOOSH3}.W3TermsReader.items_from", lambda terms, name, prefix: terms.items()),
        (f"{WHOOSH3}.W3TermsReader.indexed_field_names", lambda terms: []),
        (f"{WHOOSH3}.W3PerDocReader.deleted_docs", lambda documents: [0]),
        ("whoosh.codec.base.Automata.find_matches", staticmethod(lambda dfa, cursor: [])),
        ("whoosh.index.TOC._filename", classmethod(lambda cls, name, number: f"{number}.list")),
    ],
)
def test_any_other_layout_is_detected(
    attribute: str, replacement: object, monkeypatch: pytest.MonkeyPatch, fresh_check: None
) -> None:
    monkeypatch.setattr(attribute, replacement)
    assert "Whoosh-Reloaded 2.7.5" in engine_fault()


def test_the_layout_is_checked_once_per_process(
    monkeypatch: pytest.MonkeyPatch, fresh_check: None, tmp_path: Path
) -> None:
    checks = []
    monkeypatch.setattr(internals, "_read_sample", lambda: checks.append(1))
    for _ in range(3):
        with pytest.raises(EngineFaultError):
            open_index(tmp_path).rebuild([], 1)
    assert len(checks) == 1


def test_a_full_disk_is_not_taken_for_another_layout(
    monkeypatch: pytest.MonkeyPatch, fresh_check: None
) -> None:
    def fill_disk() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(internals, "_read_sample", fill_disk)
        assert engine_fault() == ""
    monkeypatch.setattr(internals, "_read_sample", dict)
    assert engine_fault() != ""


def test_another_layout_leaves_the_index_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_check: None
) -> None:
    index = open_index(tmp_path / "search")
    index.rebuild(STORIES, 7)
    files = sorted(path.name for path in (tmp_path / "search" / "current").iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(internals, "_read_sample", dict)
        internals._has_layout.cache_clear()
        other = open_index(tmp_path / "search")
        for operation in (
            lambda: other.find(SearchRequest("mali")),
            lambda: other.suggest("mali"),
            lambda: other.apply({MALI.id: None}, 8),
            lambda: other.rebuild(STORIES, 8),
        ):
            with pytest.raises(EngineFaultError, match="Whoosh-Reloaded"):
                operation()
        assert other.offset() is None
    internals._has_layout.cache_clear()
    assert sorted(path.name for path in (tmp_path / "search" / "current").iterdir()) == files
    assert index.offset() == 7
    index.close()


def test_a_site_with_another_whoosh_reports_that_search_is_off(
    app: Flask,
    client: FlaskClient,
    runner: FlaskCliRunner,
    story: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    other_layout: None,
) -> None:
    story(headline="Ports of the coast")
    addresses = (
        "/",
        "/search?q=ports",
        "/fragments/search?q=ports",
        "/fragments/suggest?q=ports",
    )
    responses = [client.get(address) for address in addresses]
    assert [response.status_code for response in responses] == [200, 503, 200, 503]
    index = indexing.open_public_index(app.config["DATA_DIR"])
    assert indexing.catch_up(index) is False, "the worker waits for the right release"
    sentence = engine_fault()
    assert sentence.startswith("Search is off because the installed Whoosh 2.7.5 does not store")
    assert "Whoosh-Reloaded 2.7.5; run `.venv/bin/pip install" in sentence
    db.session.rollback()
    assert [line for line in doctor.problems(app) if "earch" in line] == [sentence]
    use_site(app, monkeypatch)
    reindex = runner.invoke(main, ["reindex"])
    assert reindex.exit_code == 1 and reindex.output.endswith(f"spectator: {sentence}\n")
    monkeypatch.undo()
    internals._has_layout.cache_clear()
    missing = [client.get(address).data for address in addresses]
    assert [response.data for response in responses] == missing, "the same as without an index"
    assert indexing.catch_up(index) is True
