"""Small stories in several languages for the tests of search."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from spectator.search import Document, Index, SearchRequest, open_index

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
_ids = itertools.count(1)


def document(headline: str, body: str = "", **fields: object) -> Document:
    """Return a small story with the next id, published a day after the one with the id before."""
    number = next(_ids)
    story = Document(
        id=number,
        version=1,
        headline=headline,
        dek="",
        body=body,
        names="",
        section="politics",
        countries=(),
        topics=(),
        authors=(),
        language="en",
        published_at=START + timedelta(days=number),
    )
    return replace(story, **fields)  # type: ignore[arg-type]


SEGUN = document("Ṣẹ́gun wins again", "The governor thanked the voters of Ibadan.", language="yo")
ABIDJAN = document(
    "Vote à Abidjan",
    "La Côte d'Ivoire élit son président.",
    language="fr",
    countries=("cote-d-ivoire",),
)
MALI = document(
    "Mali and Burkina Faso talk",
    "The Sahel states met in Bamako.",
    countries=("mali", "burkina-faso"),
)
MARKET = document(
    "Cotton market",
    "Prices in Faso and Burkina rose; Mali follows.",
    section="business",
    authors=("a-diallo",),
)
HAUSA = document(
    "Ƙungiyar ƙwadago", "Ma'aikata sun yi ɗan taro.", language="ha", section="business"
)
AMHARIC = document("ሐበሻ ዜና", "አዲስ አበባ", language="am")
ARABIC = document("المُدَرِّسة في القاهرة", "خبر", language="ar", topics=("education",))
STORIES = [SEGUN, ABIDJAN, MALI, MARKET, HAUSA, AMHARIC, ARABIC]


def document_ids(*documents: Document) -> list[int]:
    return [document.id for document in documents]


def search_ids(index: Index, text: str = "", **fields: object) -> set[int]:
    return set(index.find(SearchRequest(text=text, **fields)).ids)  # type: ignore[arg-type]


@contextmanager
def open_samples(directory: Path) -> Iterator[Index]:
    """Open a new index of STORIES in this directory, at offset 7."""
    index = open_index(directory)
    index.rebuild(STORIES, 7)
    yield index
    index.close()
