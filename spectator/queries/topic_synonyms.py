"""Names of topics in other languages, for searches."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice

from sqlalchemy import BindParameter, Select, bindparam, exists, or_, select

from spectator.db import db
from spectator.models import NameTranslation, Topic
from spectator.queries.listings import is_public_listing
from spectator.text.places.gazetteer import name_words
from spectator.text.words.folding import tokens

Words = tuple[str, ...]

# Of a search, in words; of a name, in words; and the topics whose names it may contain.
MAX_WORDS, MAX_NAME_WORDS, MAX_TOPICS = 20, 8, 20
_MARKS = {"spaced": " ", "hyphenated": "-"}  # between words, by the name of the parameter


def _select_names() -> Select[int, str, str]:
    """Return the query of the names of public topics of which one is in the parameters."""
    spaced: BindParameter[str] = bindparam("spaced", expanding=True)
    hyphenated: BindParameter[str] = bindparam("hyphenated", expanding=True)
    is_translation = (NameTranslation.kind == "topic") & (NameTranslation.words != "")
    translated = select(NameTranslation.owner_id).where(
        is_translation, NameTranslation.words.in_(spaced)
    )
    is_own_name = Topic.folded_form.in_(spaced) | Topic.ascii_form.in_(hyphenated)
    has_translation = exists().where(is_translation, NameTranslation.owner_id == Topic.id)
    ids = (
        select(Topic.id)
        .where(or_(Topic.id.in_(translated), is_own_name & has_translation))
        .where(is_public_listing("topic", Topic))
        .limit(MAX_TOPICS)
    )
    return (
        select(Topic.id, Topic.name, NameTranslation.words)
        .join(NameTranslation, NameTranslation.owner_id == Topic.id)
        .where(is_translation, Topic.id.in_(ids))
        .order_by(Topic.id, NameTranslation.language)
    )


_SELECT_NAMES = _select_names()  # building it takes longer than running it


def topic_synonyms(text: str) -> dict[Words, tuple[Words, ...]]:
    """Return the other names of topics by each name of them, if the text contains one as words.

    These are the names of public topics, in all languages, as folded words.
    """
    words = [token.text for token in islice(tokens(text), MAX_WORDS)]
    runs = {
        tuple(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + MAX_NAME_WORDS) + 1)
    }
    names_by_topic = _names_of_topics(runs) if runs else {}
    synonyms: dict[Words, dict[Words, None]] = defaultdict(dict)
    for names in names_by_topic.values():
        for name in names:
            synonyms[name] |= dict.fromkeys(other for other in names if other != name)
    return {name: tuple(others) for name, others in synonyms.items() if others}


def _names_of_topics(runs: set[Words]) -> dict[int, dict[Words, None]]:
    """Return the names of the translated public topics with one of these names, by id."""
    values = {name: [mark.join(run) for run in runs] for name, mark in _MARKS.items()}
    names: dict[int, dict[Words, None]] = defaultdict(dict)
    for topic_id, name, translated_words in db.session.execute(_SELECT_NAMES, values):
        names[topic_id] |= dict.fromkeys((name_words(name), tuple(translated_words.split())))
    return names
