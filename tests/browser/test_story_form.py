"""Features of the story form: counts, shortcuts, links to errors, other editors, the picture."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import AXE
from tests.browser.editor_pages import import_story, query_value, restore
from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import draw_picture
from tests.browser.test_every_page import NARROW, OVERFLOWING, SCHEMES, violations
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

NEW_STORY_PATH = "/newsroom/stories/new"
MEGABYTE = 1024 * 1024


@pytest.fixture
def writer(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of a logged-in editor."""
    with open_window(browser, site, storage_state=editor_state) as window:
        yield window


@pytest.fixture
def plain_editor(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of a logged-in editor without JavaScript."""
    with open_window(browser, site, has_script=False, storage_state=editor_state) as window:
        yield window


def word_count(page: Page) -> Locator:
    return page.locator("#counts .word-count")


def fill_required(page: Page, headline: str) -> None:
    page.locator("#headline").fill(headline)
    page.locator("#section").select_option("business")
    restore(page, "The first boat leaves at six.")


def test_lengths_of_headline_and_dek_are_counted(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    length = page.locator("#headline-length")
    expect(length).to_have_text("")
    page.locator("#headline").fill("x")
    expect(length).to_have_text("1 character")
    page.locator("#headline").fill(f" {'ẹ́' * 70} ")
    expect(length).to_have_text("70 characters")
    page.locator("#headline").fill("x" * 71)
    expect(length).to_have_text("71 characters – long: search engines show about 70")
    expect(page.locator("#headline")).to_have_accessible_description(length.inner_text())
    page.locator("#dek").fill("x" * 160)
    expect(page.locator("#dek-length")).to_have_text("160 characters")
    page.locator("#dek").fill("x" * 161)
    expect(page.locator("#dek-length")).to_have_text(
        "161 characters – long: search engines show about 160"
    )
    expect(page.locator("#dek")).to_have_accessible_description(
        re.compile("One line below the headline. 161")
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", "0 words"),
        ("One", "1 word · 1 min read"),
        ("One two.\n\nThree – four", "4 words · 1 min read"),
        ("<p>un<em>believ</em>able</p><p>news</p>", "2 words · 1 min read"),
        ("<ul><li>One</li><li>two</li></ul>", "2 words · 1 min read"),
        ("<p>Rice &amp; fish&nbsp;: caf&eacute; <!-- not this --></p>", "3 words · 1 min read"),
        (
            '<figure><iframe src="https://a.example/">nor this</iframe></figure><p>5 < 6</p>',
            "2 words · 1 min read",
        ),
        ("የመጀመሪያው፡ጀልባ ይነሳል።", "3 words · 1 min read"),
        ("word " * 1150, "1,150 words · 5 min read"),
    ],
)
def test_words_of_the_story_are_counted(writer: Window, body: str, expected: str) -> None:
    page = writer.open(NEW_STORY_PATH)
    restore(page, body)
    expect(word_count(page)).to_have_text(expected)


def test_typing_updates_the_word_count_but_not_the_page_weight(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    page.locator("#weight").evaluate(
        "weight => { window.weight = weight; weight.textContent = '12 KB'; }"
    )
    page.locator("#body-editor").click()
    page.keyboard.type("Three more words")
    expect(word_count(page)).to_have_text("3 words · 1 min read")
    expect(page.locator("#counts > #weight")).to_have_text("12 KB")
    assert page.evaluate("window.weight === document.getElementById('weight')")


def test_the_form_of_a_stored_story_shows_the_same_reading_time_as_its_page(
    writer: Window, tmp_path: Path
) -> None:
    article_id = import_story(writer.site, tmp_path, "<p>" + "word " * 700 + "</p>")
    page = writer.open(f"/newsroom/stories/{article_id}")
    expect(word_count(page)).to_have_text("700 words · 3 min read")
    page.get_by_role("link", name="On the site").click()
    expect(page.locator("main")).to_contain_text("3 min read")


@pytest.mark.parametrize("key", ["Control+s", "Meta+s"])
def test_a_shortcut_saves(writer: Window, key: str) -> None:
    page = writer.open(NEW_STORY_PATH)
    headline = f"Saved by {key}"
    fill_required(page, headline)
    page.locator("#body-editor").click()
    page.keyboard.press(key)
    page.wait_for_url(re.compile("/newsroom/stories/[0-9]+"))
    assert (
        query_value(writer.site, "SELECT status FROM article WHERE headline = ?", headline)
        == "draft"
    )


def test_pressing_the_save_shortcut_twice_saves_once(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    fill_required(page, "Pressed twice")
    methods: list[str] = []

    def delay(route: Route) -> None:
        methods.append(route.request.method)
        time.sleep(1)
        route.fallback()

    page.route("**" + NEW_STORY_PATH, delay)
    page.evaluate(
        """() => [0, 400].forEach(delay => setTimeout(() => {
          const options = {key: "s", ctrlKey: true, bubbles: true};
          document.body.dispatchEvent(new KeyboardEvent("keydown", options));
        }, delay))"""
    )
    page.wait_for_url(re.compile("/newsroom/stories/[0-9]+"))
    assert methods == ["POST"]


def test_a_shortcut_publishes_only_after_the_dialog_is_confirmed(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    fill_required(page, "Published by a key")
    page.locator("#authors-entry").fill("Ama Serwaa")
    page.keyboard.press("Control+Shift+Enter")
    dialog = page.get_by_role("dialog", name="Publish this story?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Enter")  # on the focused button, which cancels
    expect(dialog).to_be_hidden()
    assert writer.path == NEW_STORY_PATH
    page.keyboard.press("Control+Shift+Enter")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Publish").click()
    assert (
        query_value(
            writer.site, "SELECT status FROM article WHERE headline = 'Published by a key'"
        )
        == "published"
    )


def test_shortcuts_change_a_published_story_only_after_confirmation(
    writer: Window, tmp_path: Path
) -> None:
    article_id = import_story(writer.site, tmp_path, "<p>The first boat.</p>")
    page = writer.open(f"/newsroom/stories/{article_id}")
    before = query_value(writer.site, "SELECT headline FROM article WHERE id = ?", article_id)
    page.locator("#headline").fill("Updated by a key")
    # With Alt these are other shortcuts.
    prevented = page.evaluate(
        """() => ["Enter", "s"].map(key => {
          const options = {key, ctrlKey: true, altKey: true, bubbles: true, cancelable: true};
          const event = new KeyboardEvent("keydown", options);
          document.getElementById("headline").dispatchEvent(event);
          return event.defaultPrevented;
        })"""
    )
    assert prevented == [False, False]
    page.keyboard.press("Control+s")  # does not change a published story
    expect(page.locator("#save-status")).to_contain_text("Saved", timeout=8000)
    assert (
        query_value(writer.site, "SELECT headline FROM article WHERE id = ?", article_id)
        == before
    )
    page.keyboard.press("Control+Shift+Enter")
    with page.expect_navigation():
        page.get_by_role("dialog", name="Publish these changes?").get_by_role(
            "button", name="Update"
        ).click()
    expect(page.locator(".notice")).to_be_visible()
    assert (
        query_value(writer.site, "SELECT headline FROM article WHERE id = ?", article_id)
        == "Updated by a key"
    )


@pytest.mark.parametrize(
    "name", ["slug", "source_name", "source_url", "picture_credit", "published_at"]
)
def test_enter_in_a_single_line_field_saves_a_draft(writer: Window, name: str) -> None:
    page = writer.open(NEW_STORY_PATH)
    headline = f"Saved by Enter in {name}"
    fill_required(page, headline)
    with page.expect_navigation():
        page.locator(f"#{name}").press("Enter")
    expect(page.locator(".notice")).to_have_text("Saved.")
    assert (
        query_value(writer.site, "SELECT status FROM article WHERE headline = ?", headline)
        == "draft"
    )


def test_enter_on_a_published_story_only_autosaves(writer: Window, tmp_path: Path) -> None:
    article_id = import_story(writer.site, tmp_path, "<p>The last boat.</p>")
    page = writer.open(f"/newsroom/stories/{article_id}")
    path = writer.path
    page.locator("#note").fill("A half-typed no")
    page.locator("#source_name").fill("Lake Transport Office")
    page.locator("#source_name").press("Enter")
    expect(page.locator("#save-status")).to_contain_text("Saved", timeout=8000)
    assert writer.path == path
    expect(page.locator("#note")).to_have_value("A half-typed no")
    assert (
        query_value(
            writer.site, "SELECT count(*) FROM correction WHERE article_id = ?", article_id
        )
        == 0
    )
    assert (
        query_value(writer.site, "SELECT source_name FROM article WHERE id = ?", article_id) == ""
    )
    assert (
        query_value(writer.site, "SELECT count(*) FROM autosave WHERE article_id = ?", article_id)
        == 1
    )


def test_enter_on_a_published_story_without_script_publishes_nothing(
    plain_editor: Window, tmp_path: Path
) -> None:
    article_id = import_story(plain_editor.site, tmp_path, "<p>No boat.</p>")
    page = plain_editor.open(f"/newsroom/stories/{article_id}")
    page.locator("#note").fill("A half-typed no")
    with page.expect_navigation():
        page.locator("#source_name").press("Enter")
    expect(page.locator(".notice")).to_contain_text("Changes saved, not published.")
    expect(page.locator("#note")).to_have_value("A half-typed no")
    assert (
        query_value(
            plain_editor.site, "SELECT count(*) FROM correction WHERE article_id = ?", article_id
        )
        == 0
    )


def test_shortcuts_do_nothing_while_a_dialog_is_open(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    fill_required(page, "Not saved under a dialog")
    page.get_by_role("toolbar").get_by_role("button", name="Link", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Control+s")
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_be_visible()
    assert writer.path == NEW_STORY_PATH


def test_the_error_summary_is_focused_and_links_to_the_fields(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    page.locator("#countries-entry").fill("Atlantis")
    page.locator("#source_url").fill("not a link")
    writer.expected_statuses = {422}
    with page.expect_navigation():
        page.locator("button[name=do][value=publish]").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.wait_for_timeout(300)
    expect(page.get_by_role("alert")).to_be_focused()
    selectors = {
        "Countries": "#countries-entry",
        "Story": "#body-editor",
        "Section": "#section",
        "Source link": "#source_url",
        "Headline": "#headline",
    }
    for name, selector in selectors.items():
        page.get_by_role("alert").get_by_role("link", name=name, exact=True).click()
        expect(page.locator(selector)).to_be_focused()
        expect(page.locator(selector)).to_be_in_viewport()
    page.get_by_role("button", name="HTML").click()
    page.get_by_role("alert").get_by_role("link", name="Story", exact=True).click()
    expect(page.locator("#body")).to_be_focused()


def test_other_editors_are_announced_once(scripted_writer: Window, tmp_path: Path) -> None:
    article_id = import_story(scripted_writer.site, tmp_path, "<p>The first boat.</p>")
    responses = [
        "",
        "<span>Ama is also editing.</span>",
        "\n <span>Ama is also editing.</span>",
        "",
        "<b>Kofi saved.</b>",
    ]
    page, pending = scripted_writer.page, list(responses)
    page.route(
        "**/presence",
        lambda route: route.fulfill(status=200, content_type="text/html", body=pending.pop(0)),
    )
    page.clock.install()
    with page.expect_response("**/presence"):
        scripted_writer.open(f"/newsroom/stories/{article_id}")
    messages = page.evaluate_handle(
        """() => {
          const status = document.querySelector("#presence + [role=status]");
          const messages = [];
          const observer = new MutationObserver(() => messages.push(status.textContent));
          observer.observe(status, {childList: true});
          return messages;
        }"""
    )
    while pending:
        with page.expect_response("**/presence"):
            page.clock.run_for(8100)
        page.clock.run_for(300)
    expect(page.locator("#presence")).to_have_text("Kofi saved.")
    assert messages.json_value() == ["Ama is also editing.", "", "Kofi saved."]


def test_a_selected_picture_is_named_and_needs_alt_text(writer: Window, tmp_path: Path) -> None:
    page = writer.open(NEW_STORY_PATH)
    picture, alt = page.locator("#picture"), page.locator("#picture_alt")
    hint = page.get_by_text("Required with a picture")
    picture.set_input_files(draw_picture(tmp_path / "boats.png", (90, 60)))
    expect(page.locator("#picture-selected-note")).to_have_text(
        re.compile(r"^boats\.png, \d+ KB$")
    )
    expect(hint).to_be_visible()
    expect(alt).to_have_attribute("aria-required", "true")
    expect(alt).to_have_accessible_description(
        re.compile("Required with a picture: describe what it shows\\.$")
    )
    alt.fill("Boats")
    expect(hint).to_have_count(0)
    expect(alt).to_have_attribute("aria-required", "false")


def test_a_picture_that_is_too_large_is_not_sent(writer: Window, tmp_path: Path) -> None:
    page = writer.open(NEW_STORY_PATH)
    picture = page.locator("#picture")
    (tmp_path / "huge.jpg").write_bytes(b"x" * (40 * MEGABYTE + 1))
    (tmp_path / "large.jpg").write_bytes(b"x" * (40 * MEGABYTE))
    picture.set_input_files(tmp_path / "huge.jpg")
    message = page.get_by_role("alert")
    expect(message).to_have_text("huge.jpg is larger than 40 MB. Choose a smaller picture.")
    expect(picture).to_have_accessible_description(re.compile("huge.jpg"))
    expect(picture).to_have_attribute("aria-invalid", "true")
    assert picture.evaluate("field => field.files.length") == 0
    expect(page.get_by_text("Required with a picture")).to_have_count(0)
    picture.set_input_files(tmp_path / "large.jpg")
    expect(message).to_have_count(0)
    expect(page.locator("#picture-selected-note")).to_have_text("large.jpg, 40 MB")
    assert picture.evaluate("field => [field.files.length, field.ariaInvalid]") == [1, "false"]


def test_the_form_fits_the_screen_and_is_accessible(writer: Window, tmp_path: Path) -> None:
    page = writer.open(NEW_STORY_PATH)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.locator("#headline").fill("A long headline " * 6)
    page.locator("#picture").set_input_files(
        draw_picture(tmp_path / f"{'boats' * 20}.png", (90, 60))
    )
    for width in (NARROW, {"width": 1280, "height": 900}):
        page.set_viewport_size(width)  # type: ignore[arg-type]
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
            assert page.evaluate(OVERFLOWING) == []
