"""Updates of the indexes and of related stories, for tests of the newsroom's pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from spectator import indexing
from spectator.related import RelatedConsumer


@pytest.fixture
def update_indexes(app: Flask) -> Callable[[], None]:
    """Return a function that updates both indexes and related stories as the worker does."""

    def run_consumers() -> None:
        index, newsroom = (
            make(app.config["DATA_DIR"])
            for make in (indexing.open_public_index, indexing.open_newsroom_index)
        )
        consumer = RelatedConsumer()
        while (
            indexing.catch_up(index)
            or indexing.catch_up(newsroom, indexing.NEWSROOM)
            or consumer.catch_up(index)
        ):
            pass

    return run_consumers
