"""Attacks on the story form that no other module tests, and the list of tests for all attacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.newsroom_client import (
    NEW_STORY,
    create_story,
    get_article,
    post,
    story_form,
)

ROOT = Path(__file__).parents[1]
SECTIONS = re.findall(
    r"(?ms)^## (A\d+[a-e]?) (.+?)(?=^## )", (ROOT / "docs/security.md").read_text()
)
ATTACKS = [
    *"A1 A4 A5 A14 A15 A16 A18 A19 A20 A21 A22 A23".split(),
    *"A27a A27b A27c A27d A27e A28 A29 A33 A34 A35 A36".split(),
]
FIELDS = (
    "headline",
    "dek",
    "body",
    "authors",
    "topics",
    "source_name",
    "picture_alt",
    "picture_caption",
    "note",
)


def test_every_defence_in_the_list_of_attacks_names_existing_tests() -> None:
    assert [attack for attack, _ in SECTIONS] == ATTACKS
    # A drill may have the name of a unit test's module.
    texts: dict[str, str] = {}
    for path in (*ROOT.glob("tests/*.py"), *ROOT.glob("tests/*/test_*.py")):
        texts[path.stem] = texts.get(path.stem, "") + path.read_text()
    for attack, table in SECTIONS:
        header, *rows = re.findall(r"^\| (.+) \| (.+) \|$", table, re.MULTILINE)
        assert header == ("defence", "tests") and rows, attack
        for defence, tests in rows:
            references = re.findall(r"`(\w+)\.(test_\w+)`", tests)
            assert references, defence
            for module, test in references:
                assert f"def {test}(" in texts.get(module, ""), f"{attack}: {module}.{test}"


@pytest.mark.parametrize(
    "evil", ["{{7*7}}", "{% raw %}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "{{config}}"]
)
def test_a_template_in_any_field_is_text(
    newsroom: FlaskClient, client: FlaskClient, evil: str
) -> None:
    sent = story_form(
        **dict.fromkeys(FIELDS, f"x {evil} y"),
        section="health",
        slug="evil",
        do="publish",
        countries="",
    )
    article_id = create_story(newsroom, **sent)
    for page in (
        client.get("/health/evil"),
        newsroom.get(f"/newsroom/stories/{article_id}"),
        client.get("/feed.xml"),
    ):
        assert "x 49 y" not in page.text
        assert "SECRET_KEY" not in page.text
    assert get_article(article_id).headline == f"x {evil} y"


@pytest.mark.parametrize(
    "evil", ["a\x00b", "a\ud800b", "a\u202eb", "a\u2066b", "a\ufeffb", "a\x1bb", "a\u200bb"]
)
def test_invisible_characters_are_removed_from_names(newsroom: FlaskClient, evil: str) -> None:
    text = evil.encode("utf-8", "replace").decode()
    article_id = create_story(newsroom, headline=text, authors=text, topics=text, body=text)
    article = get_article(article_id)
    for value in (article.headline, article.authors[0].name, article.topics[0].name):
        assert not re.search("[\x00\x1b\ud800-\udfff\u202e\u2066\u200b\ufeff]", value)
    # A text may need direction marks.
    assert not re.search("[\x00\x1b\ud800-\udfff]", article.body)


def test_too_many_fields_and_invalid_numbers_cause_no_internal_error(
    newsroom: FlaskClient,
) -> None:
    many = story_form() | {f"field{number}": "x" for number in range(2000)}
    assert post(newsroom, NEW_STORY, many).status_code == 413
    for number in ("1e9", "-1", "NaN", "9" * 400, "0x10", "1.5", "٣"):
        assert newsroom.get(f"/newsroom/stories/?page={number}").status_code == 200
        assert newsroom.get(f"/newsroom/stories/{number}/history").status_code == 404
    article_id = create_story(newsroom)
    for query in ("from=9" + "9" * 400, "from=-1&to=x", "to=NaN"):
        assert (
            newsroom.get(f"/newsroom/stories/{article_id}/history/compare?{query}").status_code
            == 200
        )
