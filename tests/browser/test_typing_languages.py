"""Arabic, Amharic by an input method, and Yoruba with combining marks, typed into every field."""

from __future__ import annotations

import re
import unicodedata

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.windows import Window

pytestmark = pytest.mark.browser

NEW = "/newsroom/stories/new"
# By language: what an input method shows while a word is unfinished, and the text.
TEXTS = {
    "ar": ("", "وصول السفن إلى ميناء بورتسودان"),
    "am": ("selam", "ሰላም ለአዲስ አበባ"),
    "yo": ("", unicodedata.normalize("NFD", "Ṣẹ́gun dé Ìbàdàn ní òwúrọ̀")),
}
LINES = (
    "kicker",
    "headline",
    "dek",
    "source_name",
    "picture_caption",
    "picture_credit",
    "remark",
)
CHIPS = ("authors", "topics")


class Keyboard:
    """An input method: it composes an unfinished word, then replaces it by the finished text."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)

    def compose(self, unfinished: str) -> None:
        """Show an unfinished word, letter by letter."""
        for end in range(1, len(unfinished) + 1):
            position = {"selectionStart": end, "selectionEnd": end}
            self.session.send("Input.imeSetComposition", {"text": unfinished[:end]} | position)

    def type(self, unfinished: str, text: str) -> None:
        """Type a text, after an unfinished word that it replaces."""
        self.compose(unfinished)
        self.session.send("Input.insertText", {"text": text})


@pytest.fixture(params=TEXTS)
def language(request: pytest.FixtureRequest) -> str:
    """Language of the text to type."""
    return str(request.param)


def type_story(page: Page, language: str) -> None:
    """Type a text of the language into every field of the form."""
    keyboard, (unfinished, text) = Keyboard(page), TEXTS[language]
    page.locator("#language").select_option(language)
    page.locator("#section").select_option("health")
    page.locator("details:has(#remark)").evaluate("details => { details.open = true; }")
    for name in LINES:
        page.locator(f"#{name}").focus()
        keyboard.type(unfinished, text)
    for name in CHIPS:
        page.locator(f"#{name}-entry").focus()
        keyboard.type(unfinished, text)
        page.keyboard.press("Enter")
    page.locator("#body-editor").focus()
    keyboard.type(unfinished, text)


def values(page: Page) -> dict[str, str]:
    """Return the text of each field in NFC, without tags."""
    names = (*LINES, *CHIPS, "body")
    return {
        name: unicodedata.normalize(
            "NFC", re.sub(r"<[^>]+>", "", page.locator(f"#{name}").input_value())
        ).strip()
        for name in names
    }


def test_what_is_typed_is_autosaved_restored_saved_and_found(
    writer: Window, language: str
) -> None:
    page = writer.open(NEW)
    expect(page.locator("#body-editor")).to_be_visible()
    type_story(page, language)
    story_text = dict.fromkeys(
        (*LINES, *CHIPS, "body"), unicodedata.normalize("NFC", TEXTS[language][1])
    )
    expect(page.locator("#save-status")).to_contain_text("Saved")
    page.wait_for_function("document.querySelector('#body').value.length > 10")
    assert values(page) == story_text
    expect(page.locator("#save-status")).to_contain_text("Saved")
    form_id = page.locator("[name=copy]").input_value()
    writer.open(f"{NEW}?restore={form_id}")
    expect(page.locator("#body-editor")).to_be_visible()
    assert values(page) == story_text
    with page.expect_navigation():
        page.locator(".bar button[value=save]").click()
    expect(page.locator(".notice")).to_be_visible()
    saved = values(page)
    assert saved == story_text | {"remark": ""}
    word = max(story_text["headline"].split(), key=len)
    expect(page.locator(".chip")).to_have_count(2)
    for _ in range(60):  # the worker indexes the story within a second or two
        writer.open(f"/newsroom/search?q={word}")
        if page.locator(".stories h2", has_text=word).count():
            break
    expect(page.locator(".stories h2", has_text=word).first).to_be_visible()


def test_the_storys_fields_follow_its_language(writer: Window) -> None:
    page = writer.open(NEW)
    editor, headline = page.locator("#body-editor"), page.locator("#headline")
    expect(editor).to_have_attribute("dir", "auto")
    page.locator("#language").select_option("ar")
    for field in (editor, headline, page.locator("#picture_alt")):
        expect(field).to_have_attribute("dir", "rtl")
        expect(field).to_have_attribute("lang", "ar")
    editor.focus()
    Keyboard(page).type("", "Reuters: وصول السفن")
    paragraph = editor.locator("p").first
    assert paragraph.evaluate("p => getComputedStyle(p).direction") == "rtl"
    assert paragraph.evaluate("p => getComputedStyle(p).unicodeBidi") != "plaintext"
    page.locator("#language").select_option("fr")
    expect(editor).to_have_attribute("dir", "auto")
    expect(headline).to_have_attribute("lang", "fr")


@pytest.mark.parametrize(
    ("path", "field", "request_path"),
    [
        (NEW, "#topics-entry", "/newsroom/fragments/suggestions/topics"),
        (NEW, "#source_name", "/newsroom/fragments/suggestions/sources"),
        ("/", "#sitesearch", "/fragments/suggest"),
    ],
)
def test_an_unfinished_word_of_an_input_method_gets_no_suggestions(
    writer: Window, path: str, field: str, request_path: str
) -> None:
    page = writer.open(path)
    page.wait_for_load_state("load")
    page.locator(field).focus()
    page.wait_for_timeout(500)  # suggestions for the empty field, if any
    earlier = [url for url in writer.requests if request_path in url]
    keyboard = Keyboard(page)
    keyboard.compose("selam")
    page.wait_for_timeout(600)  # longer than the pause before suggestions
    assert [url for url in writer.requests if request_path in url] == earlier
    with page.expect_request(lambda request: request_path in request.url) as wanted:
        keyboard.type("", "ሰላም")
    assert "%E1%88%B0" in wanted.value.url
