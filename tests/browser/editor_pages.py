"""Stories for tests of the rich-text editor, and a person's actions in it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.running_site import CHECKOUT, RunningSite, spectator
from tests.browser.windows import Window

NUMBERS = count(1)
BOATS = CHECKOUT / "static" / "img" / "icon.svg"
FIGURE = (
    '<figure><img src="/media/boats.jpg" alt="Boats" width="4" height="3">'
    "<figcaption>The jetty <cite>Ama Serwaa</cite></figcaption></figure>"
)
TABLE = (
    "<table><thead><tr><th>Ward</th></tr></thead><tbody><tr><td>Keta &amp; Anlo</td></tr>"
    "</tbody></table>"
)
# Every kind of block, some separated by white space, as the server stores it.
MIXED_BODY = "\n".join(
    (
        '<p id="p-1">The first boat leaves at <b>six</b>, <strong>not</strong> <i>five</i>&nbsp;: '
        '<a href="#fn-1" id="fnref-1" rel="noopener">1</a></p><h2>Hours</h2>',
        TABLE,
        '<p dir="rtl" lang="ar">القارب الأول يغادر في <span lang="en" dir="ltr">Suez'
        "</span> الساعة السادسة.</p>\n",
        '<p lang="am">የመጀመሪያው ጀልባ በስድስት ሰዓት ይነሳል።</p>',
        '<p lang="yo">Ọkọ̀ ojú omi àkọ́kọ́ máa ń lọ ní aago mẹ́fà.</p>',
        FIGURE,
        '<iframe src="https://www.youtube.com/embed/x" title="A ferry" width="560" '
        'height="315"></iframe>',
        "<ul>\n<li>One</li>\n<li>Two\n<ol><li>Deep <mark>marked</mark></li></ol></li>\n</ul>",
        "<blockquote>Bare <em>words</em></blockquote><blockquote "
        'cite="https://a.example/"><p>Quoted</p></blockquote>',
        "<details><summary>More</summary><p>Hidden</p></details>",
        "<pre>  a\n    b</pre><hr><h4>Small</h4><dl><dt>T</dt><dd>D</dd></dl>",
        "Loose <em>text</em> and <br> a break",
        '<p>In a <kbd>key</kbd> and <img src="/media/boats.jpg" alt="inside"></p>',
        '<p id="fn-1">A note, <del datetime="2025-01-01">old</del><ins>new</ins>, '
        '<abbr title="a">b</abbr><abbr title="c">d</abbr>'
        '. <a href="#fnref-1" rel="noopener">Back</a></p>',
    )
)
EDITABLE_BLOCKS = "p:not([data-filler]), h2, h3, ul, ol, blockquote"


def import_story(site: RunningSite, directory: Path, body: str, **fields: Any) -> int:
    """Import a story with this body; return its id."""
    slug = f"for-the-editor-{next(NUMBERS)}"
    story = {
        "id": slug,
        "slug": slug,
        "headline": "A story for the editor",
        "section": "business",
        "authors": ["Ama Serwaa"],
        "published_at": "2025-02-01T08:00:00Z",
        "body": body,
    }
    path = directory / f"{slug}.jsonl"
    path.write_text(json.dumps(story | fields) + "\n", encoding="utf-8")
    spectator(site.data_dir, "import", "jsonl", str(path))
    return int(query_value(site, "SELECT id FROM article WHERE slug = ?", slug))


def query_value(site: RunningSite, query: str, *values: Any) -> Any:
    """Return the single value of a query of the site's database."""
    with closing(
        sqlite3.connect(f"file:{site.data_dir / 'spectator.db'}?mode=ro", uri=True)
    ) as database:
        row = database.execute(query, values).fetchone()
    assert row is not None, f"{query}: no row for {values}"
    return row[0]


def stored_body(site: RunningSite, article_id: int) -> str:
    """Return a story's body as stored."""
    return str(query_value(site, "SELECT body FROM article WHERE id = ?", article_id))


def open_story(window: Window, article_id: int) -> Page:
    """Open a story's form and wait for the editor."""
    page = window.open(f"/newsroom/stories/{article_id}")
    expect(editor_text(page)).to_be_visible()
    return page


def open_new(window: Window, source: str = "") -> Page:
    """Open the form of a new story and put this text into it."""
    page = window.open("/newsroom/stories/new")
    expect(editor_text(page)).to_be_visible()
    if source:
        restore(page, source)
    return page


def restore(page: Page, source: str) -> None:
    """Put a text into the form as the script that restores a local draft does."""
    page.evaluate(
        """source => {
          const field = document.getElementById("body");
          field.value = source;
          field.dispatchEvent(new CustomEvent("restored", {bubbles: true}));
        }""",
        source,
    )


def editor_text(page: Page) -> Locator:
    """Return the editable element."""
    return page.locator("#body-editor")


def field_value(page: Page) -> str:
    """Return the value that the field would send.

    The editor writes it a moment after the last change, and at once when the tab is left.
    """
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    value: str = page.locator("#body").input_value()
    return value


def tool(page: Page, name: str) -> Locator:
    """Return a toolbar button."""
    return page.get_by_role("toolbar", name="Formatting").get_by_role(
        "button", name=name, exact=True
    )


def select_text(page: Page, words: str) -> None:
    """Select words in the text as a drag does."""
    page.evaluate(
        """words => {
          const root = document.getElementById("body-editor");
          root.focus();
          const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
          for (let node; (node = walker.nextNode());) {
            const at = node.data.indexOf(words);
            if (at < 0) continue;
            getSelection().setBaseAndExtent(node, at, node, at + words.length);
            return;
          }
          throw new Error(`not in the text: ${words}`);
        }""",
        words,
    )
    page.wait_for_timeout(30)  # Chromium reports a selection a little later


def put_cursor(page: Page, words: str, at_end: bool = True) -> None:
    """Put the cursor after words in the text, or before them."""
    select_text(page, words)
    page.evaluate(f"getSelection().collapseTo{'End' if at_end else 'Start'}()")
    page.wait_for_timeout(30)


def paste(page: Page, html: str) -> None:
    """Paste HTML at the cursor, as a page or a word processor puts it on the clipboard.

    The editor gets the HTML in a later task, so this waits for a text requested after it.
    """
    page.evaluate(
        """html => new Promise(resolve => {
          const data = new DataTransfer();
          data.setData("text/html", html);
          const options = {clipboardData: data, bubbles: true, cancelable: true};
          const event = new ClipboardEvent("paste", options);
          document.getElementById("body-editor").dispatchEvent(event);
          data.items[0].getAsString(() => setTimeout(resolve));
        })""",
        html,
    )


def block_card(page: Page, label: str) -> Locator:
    """Return the card of an opaque block."""
    return page.locator("opaque-block").filter(has=page.get_by_role("group", name=label))


def save(window: Window) -> None:
    """Press the button that saves the story without publishing it."""
    page = window.page
    with page.expect_navigation():
        page.locator("button[name=do][value=update], button[name=do][value=save]").first.click()
