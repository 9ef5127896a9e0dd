"""Slots: how many threads of a web process the newsroom and one person may occupy.

With four threads, one always remains for readers. While one person opens costly pages, while large
bodies arrive slowly, or while the newsroom searches, another remains for the rest of the newsroom.
Requests that wait take turns, so that neither strangers nor one person hold up everybody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

# What all requests of a kind have instead of a person.
STRANGERS, PICTURES, SEARCHES = b"", b"pictures", b"searches"
ANONYMOUS_KINDS = frozenset({STRANGERS, PICTURES, SEARCHES})


class SlotUser(NamedTuple):
    """A request that needs a slot; `person` has logged in, or is its kind if nobody has.

    However many sessions a person has, they count together. `network` is the client's, for requests
    without a person. A large body `has_ended` if its session has; its text is only shown again.
    `is_search` says that it searches for the newsroom.
    """

    is_large: bool
    person: bytes
    network: str = ""
    has_ended: bool = False
    is_search: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether people who have logged in come first."""
        return self.has_ended or self.person in ANONYMOUS_KINDS

    @property
    def owner(self) -> tuple[bytes, str]:
        """Whose requests take turns with those of others."""
        return self.person, self.network


class RequestSlots:
    """The slots of a process with this many threads."""

    def __init__(self, threads: int) -> None:
        self.limit = max(1, threads - 1)
        self.limit_of_one_kind = max(1, threads // 2)  # large bodies, searches, or one person
        # A large body may take hours to arrive, and nobody else could save or send a picture.
        self.limit_of_large = max(1, self.limit_of_one_kind // 2)  # bodies of one person
        self.users: Counter[SlotUser] = Counter()

    def take(self, user: SlotUser) -> bool:
        """Take a slot for a request, and return whether there was one."""
        own = [other for other in self.users.elements() if other.person == user.person]
        is_free = self.users.total() < self.limit and len(own) < self.limit_of_one_kind
        if user.is_large:
            large = [other for other in self.users.elements() if other.is_large]
            ended_count = sum(other.has_ended for other in large)
            is_free = (
                is_free
                and len(large) < self.limit_of_one_kind
                and sum(other.is_large for other in own) < self.limit_of_large
                and not (user.has_ended and ended_count >= self.limit_of_large)
            )
        if user.is_search:
            # The index answers one search of the newsroom after another.
            searches = [other for other in self.users.elements() if other.is_search]
            has_none = not any(other.is_search for other in own)
            is_free = is_free and len(searches) < self.limit_of_one_kind and has_none
        if is_free:
            self.users[user] += 1
        return is_free

    def release(self, user: SlotUser) -> None:
        """Give a slot back."""
        self.users[user] -= 1
        self.users += Counter()  # drops users without a slot


def turns(waiting: Sequence[SlotUser]) -> list[int]:
    """Return the positions of waiting requests, oldest first, in the order of their turns.

    Requests of people who have logged in come first. Otherwise the person or the network with the
    fewest waiting requests comes first.
    """
    sizes = Counter(user.owner for user in waiting)

    def rank(position: int) -> tuple[bool, int]:
        user = waiting[position]
        return user.is_anonymous, sizes[user.owner]

    return sorted(range(len(waiting)), key=rank)


def surplus(waiting: Sequence[SlotUser], limit: int, limit_of_kind: int) -> list[int]:
    """Return the positions of waiting requests to refuse: the newest of those who have the most.

    At most `limit_of_kind` of each kind without a person may wait, and `limit` of all.
    """
    by_owner: dict[tuple[bytes, str], list[int]] = {}
    for position, user in enumerate(waiting):
        by_owner.setdefault(user.owner, []).append(position)
    refused: list[int] = []
    for kind in ANONYMOUS_KINDS:
        owners = [positions for owner, positions in by_owner.items() if owner[0] == kind]
        refused += _take_newest(owners, limit_of_kind)
    return refused + _take_newest(list(by_owner.values()), limit)


def _take_newest(owners: Sequence[list[int]], limit: int) -> list[int]:
    """Remove the newest positions of the largest owner until `limit` are left; return them."""
    excess = sum(map(len, owners)) - limit
    return [max(owners, key=len).pop() for _ in range(excess)]
