"""The change log: what consumers read of it."""

from __future__ import annotations

from collections.abc import Callable

from spectator import outbox


def test_a_read_of_changes_ends_before_the_story_that_is_one_too_many(
    story: Callable[..., int],
) -> None:
    ids = [story() for _ in range(3)]
    start = outbox.newest_number() - 3
    read = [outbox.articles_with_actions_after(start, {"publish"}, limit) for limit in (1, 2, 9)]
    assert read == [
        ({ids[0]}, start + 1),
        (set(ids[:2]), start + 2),
        (set(ids), start + 3),
    ]
