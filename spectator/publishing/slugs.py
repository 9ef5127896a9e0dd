"""The rules for slugs of stories and their redirects, for saves and imports.

A slug that was ever public is never given to another story; drafts reserve none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import current_app
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from spectator.i18n import gettext
from spectator.models import Article, Redirect
from spectator.models.article import EVER_PUBLIC, EVER_PUBLIC_STATUSES
from spectator.publishing.validation import ValidationError
from spectator.text.words.slugs import LANGUAGE_CODES, numbered_slug, slugify

MAX_SLUG_NUMBER = 10_000


class SlugLookup:
    """The owners of slugs: for each slug the story that is or was public under it.

    It queries the database for slugs that it has not looked up before.
    """

    def __init__(self, session: Session, wanted: Iterable[str]) -> None:
        self.session = session
        self.owners: dict[str, int | None] = {}
        self.last_numbers: dict[str, int] = {}  # the last number given to each slug
        self._load_owners(wanted)

    def unique_slug(
        self, slug: str, headline: str, article_id: int | None, current: str = ""
    ) -> str:
        """Return `slug`, or without one the first unused slug made from the headline.

        `current` is the story's present slug: if `slug` equals it and another story has taken it
        meanwhile, it gets a number. Raises ValidationError if a new slug belongs to another story.
        """
        wanted = slug or slugify(headline)
        if not self.is_taken(wanted, article_id):
            return wanted
        if slug and slug != current:
            raise ValidationError(
                {
                    "slug": gettext(
                        "Another story has the address “%(slug)s”. Choose a different one.",
                        slug=slug,
                    )
                }
            )
        if re.fullmatch(re.escape(slugify(headline)) + r"-[0-9]+", wanted, re.ASCII):
            wanted = slugify(headline)  # already numbered: replace the number
        is_new = article_id not in self.owners.values()
        first = self.last_numbers.get(wanted, 2) if is_new else 2
        for number in range(first, MAX_SLUG_NUMBER):
            numbered = numbered_slug(wanted, number)
            if numbered not in self.owners:
                # When one number is taken, the next ones often are too, so load many at once.
                self._load_owners(
                    numbered_slug(wanted, n) for n in range(number, 2 * number + 30)
                )
            if not self.is_taken(numbered, article_id):
                self.last_numbers[wanted] = number
                return numbered
        if is_new:  # an import may have thousands more of them, and each search takes 8 ms
            self.last_numbers[wanted] = MAX_SLUG_NUMBER
        raise ValidationError(
            {
                "slug": gettext(
                    "Too many stories have this headline. Type a web address for this one."
                )
            }
        )

    def is_taken(self, slug: str, article_id: int | None) -> bool:
        """Return whether another story is or was public under the slug, or an edition needs it.

        It does if URLs of stories begin with their slugs.
        """
        self._load_owners([slug])
        owner = self.owners[slug]
        if owner is None and slug in LANGUAGE_CODES:
            return str(current_app.config["PERMALINK"]).startswith("/<slug>/")
        return owner not in (None, article_id)

    def _load_owners(self, slugs: Iterable[str]) -> None:
        new = [slug for slug in slugs if slug not in self.owners]
        if not new:
            return
        self.owners.update(dict.fromkeys(new))
        former = select(Redirect.slug, Redirect.article_id).where(Redirect.slug.in_(new))
        current = select(Article.slug, Article.id).where(Article.slug.in_(new), EVER_PUBLIC)
        self.owners.update(self.session.execute(former.union(current)).all())


class RedirectWriter:
    """The redirects that change because stories get new slugs or stop being public."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str | int]] = []
        self.reclaimed: list[str] = []

    def add_change(
        self, article_id: int, before: tuple[str, str], after: tuple[str, str]
    ) -> None:
        """Collect what a change of a story's (slug, status) does to its redirects.

        A public story leaves a redirect at its old slug, and one at its current slug when it stops
        being public. A story that gets a former slug again needs no redirect there.
        """
        (old_slug, old_status), (slug, status) = before, after
        if old_status in EVER_PUBLIC_STATUSES and slug != old_slug:
            self.rows.append({"slug": old_slug, "article_id": article_id})
        if old_status in EVER_PUBLIC_STATUSES and status not in EVER_PUBLIC_STATUSES:
            self.rows.append({"slug": slug, "article_id": article_id})
        elif slug != old_slug:
            self.reclaimed.append(slug)

    def write(self, session: Session) -> None:
        """Write the redirects inside the caller's `db.write()`."""
        rows = {row["slug"]: row for row in self.rows}
        if changed := [*self.reclaimed, *rows]:
            session.execute(delete(Redirect).where(Redirect.slug.in_(changed)))
        if rows:
            session.execute(insert(Redirect), list(rows.values()))


def unique_slug(
    session: Session, slug: str, headline: str, article_id: int | None, current: str = ""
) -> str:
    """Return what `SlugLookup.unique_slug` returns, for a single story."""
    lookup = SlugLookup(session, [slug or slugify(headline)])
    return lookup.unique_slug(slug, headline, article_id, current)


def set_slug(session: Session, article: Article, slug: str) -> None:
    """Give a story an unused slug, `slug` if possible; a public story leaves a redirect."""
    current = article.slug or ""
    slug = unique_slug(session, slug, article.headline, article.id, current)
    if current and slug != current:
        redirects = RedirectWriter()
        redirects.add_change(article.id, (current, article.status), (slug, article.status))
        redirects.write(session)
    article.slug = slug
