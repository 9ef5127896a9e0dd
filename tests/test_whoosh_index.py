"""The search index: what it finds, what it survives, and that it never gives a wrong answer quietly."""

from __future__ import annotations

import itertools
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.search import Document, Found, Index, IndexUnavailable, Request, open_index, whoosh_schema
from spectator.search.query import Clause, parse
from spectator.text.folding import tokens

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
_ids = itertools.count(1)


def document(headline: str, body: str = "", **fields: object) -> Document:
    """A small story; its id counts up, and each is published one day after the one before."""
    number = next(_ids)
    plain = Document(
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
    return replace(plain, **fields)  # type: ignore[arg-type]


SEGUN = document("Ṣẹ́gun wins again", "The governor thanked the voters of Ibadan.", language="yo")
ABIDJAN = document(
    "Vote à Abidjan", "La Côte d'Ivoire élit son président.", language="fr", countries=("cote-d-ivoire",)
)
MALI = document("Mali and Burkina Faso talk", "The Sahel states met in Bamako.", countries=("mali", "burkina-faso"))
MARKET = document(
    "Cotton market", "Prices in Faso and Burkina rose; Mali follows.", section="business", authors=("a-diallo",)
)
HAUSA = document("Ƙungiyar ƙwadago", "Ma'aikata sun yi ɗan taro.", language="ha", section="business")
AMHARIC = document("ሐበሻ ዜና", "አዲስ አበባ", language="am")
ARABIC = document("المُدَرِّسة في القاهرة", "خبر", language="ar", topics=("education",))
STORIES = [SEGUN, ABIDJAN, MALI, MARKET, HAUSA, AMHARIC, ARABIC]
LAST = STORIES[-1].id


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of STORIES that tests only read."""
    index = open_index(tmp_path_factory.mktemp("shared") / "search")
    index.rebuild(STORIES, 7)
    yield index
    index.close()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """An index of STORIES of one's own, at position 7."""
    index = open_index(tmp_path / "search")
    index.rebuild(STORIES, 7)
    yield index
    index.close()


def ids(*documents: Document) -> list[int]:
    return [each.id for each in documents]


def found(index: Index, text: str = "", **fields: object) -> set[int]:
    return set(index.find(Request(text=text, **fields)).ids)  # type: ignore[arg-type]


# What is found


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("segun", SEGUN),
        ("SẸGUN", SEGUN),
        ("ṣẹ́gun", SEGUN),
        ("Cote d'Ivoire", ABIDJAN),
        ("côte d’ivoire", ABIDJAN),
        ("president elit", ABIDJAN),
        ("kungiyar kwadago", HAUSA),
        ("ሀበሻ", AMHARIC),
        ("المدرسة", ARABIC),
    ],
)
def test_accents_and_spellings_do_not_matter(shared: Index, text: str, story: Document) -> None:
    answer = shared.find(Request(text))
    assert (answer.ids, answer.total, answer.mode) == ([story.id], 1, "all")


def test_a_phrase_is_words_in_a_row(shared: Index) -> None:
    assert found(shared, '"Burkina Faso"') == {MALI.id}
    assert found(shared, '"Faso and Burkina"') == {MARKET.id}
    assert found(shared, '"Burkina Bamako"') == set()


def test_a_phrase_may_repeat_a_word(index: Index) -> None:
    once, twice = document("knock on wood"), document("knock knock on wood")
    index.apply({once.id: once, twice.id: twice}, 8)
    assert found(index, '"knock knock"') == {twice.id}
    assert found(index, '"knock knock knock"') == set()


def test_a_minus_excludes(shared: Index) -> None:
    assert found(shared, "mali -cotton") == {MALI.id}
    assert found(shared, 'faso -"burkina faso"') == {MARKET.id}
    assert found(shared, "mali -mali") == set()


def test_with_nothing_but_exclusions_everything_else_is_found(shared: Index) -> None:
    answer = shared.find(Request("-mali -المدرسة"))
    assert answer.ids == ids(AMHARIC, HAUSA, ABIDJAN, SEGUN)


def test_a_star_finds_longer_words(shared: Index) -> None:
    answer = shared.find(Request("gover* vot*"))
    assert (answer.ids, answer.prefixes, answer.terms) == ([SEGUN.id], ("gover", "vot"), frozenset())
    assert found(shared, "sahe* -bama*") == set()


def test_every_word_first_and_any_word_only_when_that_finds_nothing(shared: Index) -> None:
    every = shared.find(Request("mali cotton"))
    assert (every.ids, every.mode) == ([MARKET.id], "all")
    either = shared.find(Request("abidjan cotton -sahel"))
    assert (set(either.ids), either.total, either.mode) == ({ABIDJAN.id, MARKET.id}, 2, "any")
    nothing = shared.find(Request("zzz yyy"))
    assert (nothing.ids, nothing.total, nothing.mode) == ([], 0, "all")


def test_a_headline_weighs_more_than_a_body(index: Index) -> None:
    body = document("Weekly review", "The cocoa harvest and more about cocoa beans.")
    headline = document("Cocoa again", "A harvest of beans, reviewed every week by us.")
    index.apply({body.id: body, headline.id: headline}, 8)
    assert index.find(Request("cocoa")).ids == ids(headline, body)


def test_dek_and_names_are_searched(index: Index) -> None:
    story = document("Untitled", dek="What the harvest brings", names="Aminata Diallo Ivory Coast Reuters")
    index.apply({story.id: story}, 8)
    assert found(index, "harvest brings") == found(index, '"ivory coast" diallo') == {story.id}


def test_terms_for_highlighting_are_folded(shared: Index) -> None:
    assert shared.find(Request("Ṣẹ́gun Élit -mali")).terms == {"segun", "elit"}


# Filters, order, pages


def test_filters(shared: Index) -> None:
    assert found(shared, section="business") == {MARKET.id, HAUSA.id}
    assert found(shared, country="burkina-faso") == {MALI.id}
    assert found(shared, topic="education") == {ARABIC.id}
    assert found(shared, author="a-diallo") == {MARKET.id}
    assert found(shared, language="fr") == {ABIDJAN.id}
    assert found(shared, "mali", section="business") == {MARKET.id}
    assert found(shared, "mali -faso", section="business") == set()
    assert found(shared, section="business", language="ha") == {HAUSA.id}


@pytest.mark.parametrize("value", ["nowhere", "\x00", "\ud800", "politics business", "*", "x" * 100_000, "Politics"])
@pytest.mark.parametrize("name", ["section", "country", "topic", "author", "language"])
def test_an_unknown_filter_value_finds_nothing(shared: Index, name: str, value: str) -> None:
    for text in ("", "mali", "-mali", "mali zzz"):
        answer = shared.find(Request(text, **{name: value}))  # type: ignore[arg-type]
        assert (answer.ids, answer.total) == ([], 0)


def test_dates_include_both_days(shared: Index) -> None:
    first, last = ABIDJAN.published_at.date(), MARKET.published_at.date()
    assert found(shared, published_from=first, published_to=last) == {ABIDJAN.id, MALI.id, MARKET.id}
    assert found(shared, "mali", published_to=MALI.published_at.date()) == {MALI.id}
    assert found(shared, "mali", published_from=last) == {MARKET.id}
    assert len(found(shared, published_from=date.min, published_to=date.max)) == len(STORIES)
    assert found(shared, published_from=date.max, published_to=date.min) == set()


def test_the_whole_last_day_counts(index: Index) -> None:
    late = document("Late", published_at=datetime(2030, 5, 6, 23, 59, 59, tzinfo=UTC))
    early = document("Early", published_at=datetime(2030, 5, 7, tzinfo=UTC))
    index.apply({late.id: late, early.id: early}, 8)
    assert found(index, published_from=date(2030, 5, 6), published_to=date(2030, 5, 6)) == {late.id}
    assert found(index, published_from=date(2030, 5, 7)) == {early.id}


def test_without_text_everything_newest_first(shared: Index) -> None:
    newest = ids(*reversed(STORIES))
    assert shared.find(Request()).ids == newest
    assert shared.find(Request("  ", sort="newest")).ids == newest
    assert shared.find(Request(sort="oldest")).ids == newest[::-1]


def test_sorting_by_date(shared: Index) -> None:
    assert shared.find(Request("mali", sort="newest")).ids == ids(MARKET, MALI)
    assert shared.find(Request("mali", sort="oldest")).ids == ids(MALI, MARKET)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
@pytest.mark.parametrize("text", ["", "peace", "zzz peace"])
def test_pages_show_each_story_once_and_then_stop(index: Index, text: str, sort: str) -> None:
    more = [document("Peace talks", f"round {number}") for number in range(23)]
    index.apply({each.id: each for each in more}, 8)
    expected = {each.id for each in (STORIES if not text else []) + more}

    pages = [index.find(Request(text, sort=sort, page=page, per_page=10)) for page in range(1, 6)]  # type: ignore[arg-type]
    seen = [each for page in pages for each in page.ids]
    assert sorted(seen) == sorted(expected)
    assert {page.total for page in pages} == {len(expected)}
    assert pages[-1].ids == []


@pytest.mark.parametrize("page", [0, -1, 51, 10**30])
@pytest.mark.parametrize("text", ["", "mali"])
def test_a_page_out_of_range_is_empty_with_the_true_total(shared: Index, text: str, page: int) -> None:
    answer = shared.find(Request(text, page=page))
    assert (answer.ids, answer.total) == ([], 2 if text else len(STORIES))


def test_a_page_has_between_one_and_a_hundred_stories(shared: Index) -> None:
    assert len(shared.find(Request(per_page=-5)).ids) == 1
    assert len(shared.find(Request(per_page=10**9)).ids) == len(STORIES)


# Hostile text


HOSTILE = [
    "x" * 20_000,
    "word " * 4_000,
    '"',
    '""" mali "',
    "*",
    "**** *a* mali**",
    "[a TO b]",
    "[ TO ]",
    "~",
    "mali~2 ^1e999",
    "\x00\x01\x02\x1b[31m",
    "🎉🇳🇬👩‍👩‍👧",
    "\u202eilam\u200f مالي",
    "\ud800 \udfff",
    "(" * 1000 + "mali" + ")" * 1000,
    "NOT OR x",
    "NOT " * 500,
    "AND AND",
    "id:1 body:* published:[* TO *]",
    "-",
    '--- -"" -* -\'',
    "\u0301\u0301\u0301",
    "%s %(x)s {0} \\ / ' ; DROP TABLE--",
    "a" * 63 + "\u0301" * 200,
    "\n".join("abc"),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("sort", ["relevance", "newest", "nonsense"])
def test_hostile_text_is_an_ordinary_answer(shared: Index, text: str, sort: str) -> None:
    answer = shared.find(Request(text, sort=sort))  # type: ignore[arg-type]
    assert len(answer.ids) == answer.total <= len(STORIES)
    assert shared.position() == 7


@pytest.mark.parametrize("text", ["*", "🎉", "\x00", '"" --', "~"])
def test_text_without_a_word_finds_nothing(shared: Index, text: str) -> None:
    assert shared.find(Request(text)).total == 0


@settings(max_examples=80, deadline=None)
@given(
    st.text(max_size=300) | st.text(alphabet='mali faso"-*é\u0301\u200f()[]~^:*', max_size=300),
    st.sampled_from(["relevance", "newest", "oldest"]),
)
def test_no_text_causes_a_fault(shared: Index, text: str, sort: str) -> None:
    answer = shared.find(Request(text, sort=sort))  # type: ignore[arg-type]
    assert answer.total >= len(answer.ids)
    assert shared.position() == 7


# Right answers, against a plain reading of the documents


SAMPLES = st.lists(st.sampled_from(["mali", "faso", "bamako", "vote", "votes", "peace"]), min_size=1, max_size=5)


def has(story: Document, clause: Clause) -> bool:
    """Whether a story matches a clause, the slow and obvious way."""
    for text in (story.headline, f"{story.dek}\n{story.body}", story.names):
        row = [token.text for token in tokens(text)]
        if clause.is_prefix and any(word.startswith(clause.words[0]) for word in row):
            return True
        size = len(clause.words)
        if any(tuple(row[start : start + size]) == clause.words for start in range(len(row) - size + 1)):
            return True
    return False


def expected(stories: list[Document], text: str) -> set[int]:
    query = parse(text)
    left = [each for each in stories if not any(has(each, clause) for clause in query.excluded)]
    for wanted in (all, any):
        matching = {each.id for each in left if wanted(has(each, clause) for clause in query.wanted)}
        if matching or len(query.wanted) < 2:
            return matching
    return set()


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Index, list[Document]]]:
    """An index in several segments with deletions, and the stories that should be in it."""
    index = open_index(tmp_path_factory.mktemp("segmented") / "search")
    vocabulary = ["mali", "faso", "bamako", "vote", "votes", "peace", "in", "the"]
    made = [
        document(" ".join(row[:3]), " ".join(row * 2), names=" ".join(row[2:]))
        for row in itertools.islice(itertools.permutations(vocabulary, 4), 0, 1680, 28)
    ]
    index.rebuild(made[:40], 1)
    for position, each in enumerate(made[40:44], 2):
        index.apply({each.id: each}, position)
    changed = [replace(each, headline="peace in faso", version=2) for each in made[:5]]
    index.apply({**{each.id: each for each in changed}, **dict.fromkeys(ids(*made[5:9], made[41]))}, 9)
    yield index, [*changed, *made[9:41], *made[42:44]]
    index.close()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["{}", '"{}"', "-{}", '-"{}"', "{}*"]), SAMPLES), min_size=1, max_size=3))
def test_answers_are_those_of_a_plain_reading(
    segmented: tuple[Index, list[Document]], parts: list[tuple[str, list[str]]]
) -> None:
    index, stories = segmented
    text = " ".join(form.format(" ".join(sample)) for form, sample in parts)
    right = expected(stories, text)
    for sort in ("relevance", "newest"):
        answer = index.find(Request(text, sort=sort, per_page=100))
        assert set(answer.ids) == right
        assert answer.total == len(answer.ids) == len(right)


# Changes


class _Segment:
    def __init__(self, size: int) -> None:
        self.size = size

    def doc_count_all(self) -> int:
        return self.size


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([10_000] + [1] * 7, [10_000] + [1] * 7),
        ([10_000] + [1] * 8, [10_000]),
        ([10_000, 24] + [1] * 7 + [30] * 7, [10_000] + [30] * 7),
        ([10_000] + [30] * 8, [10_000]),
        ([10_000, 500] + [60] * 8, [10_000, 500] + [60] * 4),
        ([190] * 9, [190] * 9),
    ],
)
def test_only_small_segments_are_merged(monkeypatch: pytest.MonkeyPatch, sizes: list[int], kept: list[int]) -> None:
    copied: list[int] = []

    class Reader:
        def __init__(self, storage: object, schema: object, segment: _Segment) -> None:
            self.size = segment.size

        def close(self) -> None:
            copied.append(self.size)

    class Writer:
        storage = schema = None

        def add_reader(self, reader: Reader) -> None:
            assert reader.size < 200

    monkeypatch.setattr(whoosh_schema, "SegmentReader", Reader)
    left = whoosh_schema.merge_small(Writer(), [_Segment(size) for size in sizes])
    assert [each.size for each in left] == kept
    assert sorted([*copied, *kept]) == sorted(sizes)


def test_changes_are_found_and_the_position_moves(index: Index) -> None:
    story = document("Cocoa prices")
    index.apply({story.id: story}, 8)
    assert index.position() == 8
    answer = index.find(Request("cocoa"))
    assert (answer.ids, answer.position) == ([story.id], 8)


def test_an_update_replaces(index: Index) -> None:
    for version in range(2, 14):
        index.apply({MALI.id: replace(MALI, headline=f"Edition number{version}", version=version)}, 6 + version)
        assert found(index, f"number{version}") == {MALI.id}
        assert found(index, f"number{version - 1}") == set()
        assert index.find(Request()).total == len(STORIES)
    assert index.versions()[MALI.id] == 13


def test_a_removed_story_is_gone_and_may_come_back(index: Index) -> None:
    index.apply({MALI.id: None, 10**6: None}, 8)
    assert found(index, "mali") == {MARKET.id}
    assert MALI.id not in index.versions()
    index.apply({MALI.id: MALI}, 9)
    assert found(index, "mali") == {MALI.id, MARKET.id}


def test_an_empty_change_only_moves_the_position(index: Index) -> None:
    index.apply({}, 12)
    assert index.position() == index.find(Request("mali")).position == 12


def test_many_changes_in_one_commit(index: Index) -> None:
    more = [document("Peace talks") for _ in range(5)]
    changes: dict[int, Document | None] = {each.id: each for each in more}
    changes |= {MALI.id: replace(MALI, headline="Peace", version=2), MARKET.id: None}
    index.apply(changes, 8)
    assert found(index, "peace") == {*ids(*more), MALI.id}
    assert found(index, "cotton") == set()


def test_small_segments_are_merged_and_emptied_ones_go(index: Index, tmp_path: Path) -> None:
    more = [document("Peace talks") for _ in range(20)]
    for position, each in enumerate(more, 8):
        index.apply({each.id: each}, position)
    segments = list((tmp_path / "search" / "current").glob("*.trm"))
    assert 1 <= len(segments) <= 8
    for position, each in enumerate([*more, *STORIES], 28):
        index.apply({each.id: None}, position)
    assert index.find(Request()).total == index.find(Request("peace")).total == 0
    index.apply({MALI.id: MALI}, 99)
    assert found(index, "mali") == {MALI.id}


def test_an_index_of_many_parts_wants_a_rebuild(index: Index) -> None:
    assert not index.is_scattered()
    for position in range(8, 33):
        index.apply({each.id: each for each in (document("Bulk") for _ in range(200))}, position)
    assert index.is_scattered()


def test_versions(index: Index) -> None:
    index.apply({MALI.id: replace(MALI, version=5)}, 8)
    assert index.versions() == {each.id: 1 for each in STORIES} | {MALI.id: 5}


def test_a_change_on_top_of_another_position_is_refused(index: Index) -> None:
    index.apply({}, 8, after=7)
    with pytest.raises(IndexUnavailable):
        index.apply({MALI.id: None}, 9, after=7)
    assert (index.position(), found(index, "mali sahel")) == (8, {MALI.id})


def test_a_failed_change_leaves_the_last_commit(index: Index) -> None:
    broken = replace(MALI, version="two")  # type: ignore[arg-type]
    with pytest.raises(struct.error):
        index.apply({MARKET.id: None, MALI.id: broken}, 8)
    assert found(index, "mali") == {MALI.id, MARKET.id}
    assert index.position() is None  # what failed may have been the index: a rebuild will tell


def test_a_long_word_and_an_empty_story_can_be_indexed(index: Index) -> None:
    long, empty = document("x" * 100_000, section=""), document("", language="")
    index.apply({long.id: long, empty.id: empty}, 8)
    assert found(index, "x" * 150) == {long.id}
    assert index.find(Request()).total == len(STORIES) + 2


# Rebuilding


def test_a_rebuild_replaces_everything(index: Index, tmp_path: Path) -> None:
    done: list[int] = []
    index.rebuild(iter([MALI, MARKET]), 11, done.append)
    assert done == [1, 2]
    assert (index.position(), index.find(Request()).ids) == (11, ids(MARKET, MALI))
    assert len(list((tmp_path / "search").glob("generation-*"))) == 1


def test_an_empty_index_answers(tmp_path: Path) -> None:
    index = open_index(tmp_path / "search")
    index.rebuild([], 0)
    assert index.position() == 0
    for text in ("", "mali", '"mali faso"', "mali*", "-mali", "mali faso"):
        assert index.find(Request(text, section="politics")).total == 0
        assert index.find(Request(text)).total == 0
    assert index.versions() == {}
    index.apply({MALI.id: MALI}, 1)
    assert found(index, "mali") == {MALI.id}
    index.close()


def test_a_reader_keeps_the_old_generation_until_the_switch(index: Index, tmp_path: Path) -> None:
    other = open_index(tmp_path / "search")

    def stories() -> Iterator[Document]:
        yield MALI
        assert found(other, "cotton") == {MARKET.id}
        other.apply({MARKET.id: replace(MARKET, headline="Millet")}, 8)
        assert found(other, "millet") == {MARKET.id}
        yield SEGUN

    index.rebuild(stories(), 7)
    assert other.position() == 7
    assert found(other, "cotton") == found(other, "millet") == set()
    assert found(other, "mali") == {MALI.id}
    other.close()


def test_files_held_open_answer_while_the_directory_is_gone(index: Index, tmp_path: Path) -> None:
    assert found(index, "mali") == {MALI.id, MARKET.id}
    shutil.rmtree(tmp_path / "search")
    assert found(index, '"burkina faso"') == {MALI.id}
    assert index.position() is None
    index.rebuild(STORIES, 9)
    assert (index.position(), found(index, "mali")) == (9, {MALI.id, MARKET.id})


def test_a_failed_rebuild_leaves_the_old_index_and_no_rubbish(index: Index, tmp_path: Path) -> None:
    def stories() -> Iterator[Document]:
        yield MALI
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="the database is gone"):
        index.rebuild(stories(), 8)
    assert (index.position(), index.find(Request()).total) == (7, len(STORIES))
    assert len(list((tmp_path / "search").glob("generation-*"))) == 1


def test_only_one_rebuild_at_a_time(index: Index, tmp_path: Path) -> None:
    def stories() -> Iterator[Document]:
        with pytest.raises(IndexUnavailable):
            open_index(tmp_path / "search").rebuild([], 1)
        yield MALI

    index.rebuild(stories(), 8)
    assert index.find(Request()).ids == [MALI.id]


def test_the_directory_is_ours_alone(index: Index, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        index.rebuild(STORIES, 8)
    finally:
        os.umask(before)
    for path in (tmp_path / "search", (tmp_path / "search" / "current").resolve()):
        assert path.stat().st_mode & 0o777 == 0o700


# Damage


def test_a_missing_index(tmp_path: Path) -> None:
    index = open_index(tmp_path / "nowhere")
    assert index.position() is None
    for attempt in (lambda: index.find(Request("mali")), index.versions, lambda: index.apply({}, 1)):
        with pytest.raises(IndexUnavailable):
            attempt()


def files(tmp_path: Path, pattern: str) -> list[Path]:
    chosen = list((tmp_path / "search" / "current").glob(pattern))
    assert chosen
    return chosen


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def scribble(path: Path) -> None:
    path.write_bytes(b"\xff" * path.stat().st_size)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("harm", [truncate, empty, scribble, Path.unlink], ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("pattern", ["*.toc", "*.trm", "*.pst", "*.article.col", "*"])
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_damage_is_noticed_and_a_rebuild_heals_it(
    index: Index, tmp_path: Path, harm: Callable[[Path], None], pattern: str, is_open: bool
) -> None:
    if is_open:
        assert found(index, "mali") == {MALI.id, MARKET.id}
    else:
        index.close()
    for path in files(tmp_path, pattern):
        harm(path)
    try:
        assert found(index, "mali") == {MALI.id, MARKET.id}  # what is held open, or not read for this
    except IndexUnavailable:
        assert index.position() is None
        assert open_index(tmp_path / "search").position() is None
        assert pattern == "*" or files(tmp_path, "damaged")
    else:
        assert is_open
    index.rebuild(STORIES, 8)
    assert (index.position(), found(index, "mali")) == (8, {MALI.id, MARKET.id})
    assert not list((tmp_path / "search" / "current").glob("damaged"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_reader_says_so_even_where_it_cannot_write(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path) -> None:
        raise OSError(28, "No space left on device")

    index.close()
    for path in files(tmp_path, "*.trm"):
        truncate(path)
    monkeypatch.setattr(Path, "touch", full)
    for _ in range(3):
        with pytest.raises(IndexUnavailable):
            index.find(Request("mali"))
    assert index.position() is None


@pytest.mark.parametrize("text", [b"", b"7", b"-7\n", b"seven\n", b"7\n7\n", b"\xff\n", b"9" * 40 + b"\n"])
def test_a_position_that_makes_no_sense_asks_for_a_rebuild(index: Index, tmp_path: Path, text: bytes) -> None:
    files(tmp_path, "position")[0].write_bytes(text)
    assert index.position() is None
    with pytest.raises(IndexUnavailable):
        open_index(tmp_path / "search").find(Request("mali"))


def test_a_dangling_link_asks_for_a_rebuild(index: Index, tmp_path: Path) -> None:
    shutil.rmtree((tmp_path / "search" / "current").resolve())
    assert index.position() is None
    index.rebuild(STORIES, 8)
    assert index.position() == 8


# Threads and processes


def test_threads_search_under_commits_and_never_get_a_wrong_answer(index: Index) -> None:
    stop = time.monotonic() + 1.5
    wrong: list[object] = []

    def search(text: str, right: list[int]) -> None:
        while time.monotonic() < stop:
            try:
                answer = index.find(Request(text, sort="newest"))
                if answer.ids != right:
                    wrong.append((text, answer))
            except Exception as error:
                wrong.append(error)

    cases = [
        ("mali faso", ids(MARKET, MALI)),
        ('"burkina faso"', ids(MALI)),
        ("ḍan ta*", ids(HAUSA)),
        ("ivoire", ids(ABIDJAN)),
    ]
    threads = [threading.Thread(target=search, args=case) for case in cases]
    for thread in threads:
        thread.start()
    position = 7
    while time.monotonic() < stop:
        position += 1
        index.apply({10**6 + position % 40: replace(SEGUN, id=10**6 + position % 40, version=position)}, position)
    for thread in threads:
        thread.join()
    assert position > 9
    assert wrong == []


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from spectator.search import Document, open_index

index = open_index(Path(sys.argv[1]))
for number in range(1, 6):
    story = Document(10**7 + number, 1, f"Headline serial{number}", "", "", "", "politics", (), (), (), "en",
                     datetime(2030, 1, number, tzinfo=UTC))
    index.apply({story.id: story}, 100 + number)
    print(number, flush=True)
    sys.stdin.readline()
"""


def test_what_one_process_writes_another_finds(index: Index, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "search")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin
        assert writer.stdout
        for number in range(1, 6):
            assert writer.stdout.readline() == f"{number}\n"
            answer = index.find(Request(f"serial{number}"))
            assert (answer.ids, answer.position) == ([10**7 + number], 100 + number)
            writer.stdin.write("\n")
            writer.stdin.flush()
    assert writer.returncode == 0


def _in_child(work: Callable[[], bool]) -> bool:
    """Whether `work` was true in a forked child."""
    child = os.fork()
    if child == 0:
        is_right = False
        try:
            is_right = work()
        finally:
            os._exit(0 if is_right else 1)
    return os.waitpid(child, 0)[1] == 0


def test_a_forked_child_opens_its_own_files(index: Index) -> None:
    answers: list[Found] = [index.find(Request("mali"))]
    assert _in_child(lambda: [index.find(Request("mali")) for _ in range(20)] == answers * 20)
    assert index.find(Request("mali")) == answers[0]
