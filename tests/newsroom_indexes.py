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

    def update() -> None:
        public_index = indexing.open_public_index(app.config["DATA_DIR"])
        newsroom_index = indexing.open_newsroom_index(app.config["DATA_DIR"])
        related = RelatedConsumer()
        # Each call does one step of work. The loop ends when none of the three had any left;
        # related stories wait until both indexes are up to date.
        while (
            indexing.catch_up(public_index)
            or indexing.catch_up(newsroom_index, indexing.NEWSROOM)
            or related.catch_up(public_index)
        ):
            pass

    return update
