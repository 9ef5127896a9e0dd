"""The check that a story's script fits its language, against a wrong choice in the form."""

from __future__ import annotations

from spectator.formats import language_name, script_name, tag_problem
from spectator.i18n import gettext
from spectator.models import Article
from spectator.publishing import Draft
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.scripts import detect_script, mismatched_script

SAMPLE = 50_000  # characters of a body in which its script is detected


def find_language_mismatch(draft: Draft, article: Article | None) -> str:
    """Return language and script of a story, such as "en Ethi", if they do not match, else "".

    A mismatch that the stored story already has is accepted.
    """
    tag, text = draft.language.strip(), plain_text(draft.body[:SAMPLE])
    script = "" if tag_problem(tag) else mismatched_script(tag, text)
    if not script:
        return ""
    stored = plain_text(article.body[:SAMPLE]) if article and article.language == tag else ""
    return "" if detect_script(stored) == script else f"{tag} {script}"


def describe_language_mismatch(mismatch: str) -> str:
    """Return the message about a mismatch."""
    tag, _, script = mismatch.partition(" ")
    return gettext(
        "The story is written in %(script)s letters, but its language is %(language)s. "
        "Choose its language, or tick “Keep %(language)s”.",
        script=script_name(script),
        language=language_name(tag),
    )
