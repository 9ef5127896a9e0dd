"""Dates, numbers and names of languages and countries in the language of the page, from CLDR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError, dates, lists, numbers

from spectator.i18n import SOURCE_LANGUAGE, current_language, gettext
from spectator.text.places.gazetteer import find_country
from spectator.text.words import languages
from spectator.text.words.folding import fold
from spectator.text.words.scripts import SCRIPT_NAMES


@dataclass(frozen=True, slots=True)
class _Style:
    """How a language writes dates: CLDR patterns, and how it joins a date and a time."""

    locale: Locale
    long_date: str
    short_date: str
    day_and_month: str
    date_with_weekday: str
    month_and_year: str
    date_and_time: str  # {1} is the date, {0} the time


# "22 November 2026", as most of Africa writes it; CLDR's English is that of the United States.
_ENGLISH = ("d MMMM y", "d MMM y", "d MMM", "EEE d MMM", "MMMM y", "{1}, {0}")


@cache
def _style(language: str) -> _Style:
    locale = Locale.parse(language, sep="-")
    if locale.language == SOURCE_LANGUAGE:
        return _Style(locale, *_ENGLISH)
    skeletons = locale.datetime_skeletons
    return _Style(
        locale,
        locale.date_formats["long"].pattern,
        skeletons["yMMMd"].pattern,
        skeletons["MMMd"].pattern,
        skeletons["MMMEd"].pattern,
        skeletons["yMMMM"].pattern,
        str(locale.datetime_formats["medium"]),
    )


def _current_style() -> _Style:
    return _style(current_language())


@lru_cache(maxsize=2000)
def _format_date(day: date, pattern_name: str, language: str) -> str:
    """Return a date in one of the patterns of `_Style`.

    Cached, because the stories of a page share a few dates.
    """
    style = _style(language)
    return dates.format_date(day, getattr(style, pattern_name), style.locale)


def _as_date(day: date) -> date:
    return day.date() if isinstance(day, datetime) else day


def format_long_date(day: date) -> str:
    """Return a date such as 22 November 2026."""
    return _format_date(_as_date(day), "long_date", current_language())


def format_short_date(day: date) -> str:
    """Return a date such as 22 Nov 2026."""
    return _format_date(_as_date(day), "short_date", current_language())


def format_day_and_month(day: date) -> str:
    """Return a date without its year, such as 22 Nov."""
    return _format_date(_as_date(day), "day_and_month", current_language())


def format_date_with_weekday(day: date) -> str:
    """Return a recent date with its weekday, such as Sun 22 Nov."""
    return _format_date(_as_date(day), "date_with_weekday", current_language())


def format_month(year: int, month: int) -> str:
    """Return a month such as November 2026."""
    style = _current_style()
    return dates.format_date(date(year, month, 1), style.month_and_year, style.locale)


def join_date_and_time(day: str, time: str) -> str:
    """Return a written date and a written time as one text: 22 Nov 2026, 15:05."""
    return _current_style().date_and_time.replace("{1}", day).replace("{0}", time)


def format_number(number: float, decimals: int = 0) -> str:
    """Return a number with its digits in groups: 12,345 or 12 345."""
    pattern = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
    return numbers.format_decimal(number, pattern, locale=_current_style().locale)


def format_percentage(share: float) -> str:
    """Return a share between 0 and 1 in whole percent: 12% or 12 %."""
    return numbers.format_percent(share, locale=_current_style().locale)


def format_list(texts: Sequence[str]) -> str:
    """Return texts as one, with the last two joined by “and”."""
    return lists.format_list(texts, locale=_current_style().locale)


def format_month_name(month: int) -> str:
    """Return the name of a month on its own, such as November."""
    return dates.format_date(date(2000, month, 1), "LLLL", _current_style().locale)


def language_name(tag: str) -> str:
    """Return the name of a language tag, with subtags in brackets; an unknown tag unchanged."""
    if current_language() == SOURCE_LANGUAGE:
        return languages.language_name(tag)
    first, _, rest = tag.partition("-")
    name = _current_style().locale.languages.get(first.lower())
    if name is None:
        return languages.language_name(tag)
    return f"{name} ({rest})" if rest else str(name)


def country_name(name: str) -> str:
    """Return the name of a country, given its English one; an unknown name unchanged."""
    language = current_language()
    return name if language == SOURCE_LANGUAGE else _translate_country(name, language)


@cache
def _translate_country(name: str, language: str) -> str:
    country = find_country(name)
    if country is None:
        return name
    return str(_style(language).locale.territories.get(country.code, name))


def script_name(code: str) -> str:
    """Return the name of a script, such as Arabic; its ISO 15924 code must be in SCRIPT_NAMES."""
    english = SCRIPT_NAMES[code]
    if current_language() == SOURCE_LANGUAGE:
        return english
    return str(_current_style().locale.scripts.get(code, english))


def native_language_name(tag: str) -> str:
    """Return what the speakers of a language call it: Français, Kiswahili."""
    first = tag.partition("-")[0].lower()
    try:
        name = Locale.parse(first).languages.get(first)
    except (UnknownLocaleError, ValueError):
        name = None
    name = name or languages.language_name(first)
    return f"{name[:1].upper()}{name[1:]}"


def language_choices() -> list[tuple[str, str]]:
    """Return the (tag, name) pairs of stories' languages that a form offers, sorted by name."""
    choices = [(tag, language_name(tag)) for tag, _ in languages.language_choices()]
    return sorted(choices, key=lambda choice: fold(choice[1]))


def tag_problem(tag: str) -> str:
    """Return what is wrong with a language tag, as a message for an editor; "" if valid."""
    if not tag:
        return gettext("Choose a language.")
    if languages.is_usable_tag(tag):
        return ""
    if suggestion := languages.suggest_tag(tag):
        return gettext(
            "“%(tag)s” is not a language tag. Use “%(suggestion)s”.",
            tag=tag[:40],
            suggestion=suggestion,
        )
    return gettext(
        "“%(tag)s” is not a language tag. Use a tag such as en, pt-BR or ha-Arab.", tag=tag[:40]
    )
