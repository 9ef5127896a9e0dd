"""Checks of texts while tests run: catalogues have each, log lines and threads have a name."""

from __future__ import annotations

import logging
import threading
from gettext import GNUTranslations, NullTranslations
from typing import TypeVar

import pytest
from babel.support import LazyProxy

from spectator import i18n

# A catalogue that is complete; English has none, because texts are written in it.
COMPLETE = "fr"
T = TypeVar("T", bound=NullTranslations)
_problems: list[str] = []


def take_problems() -> list[str]:
    """Return the problems since the last call."""
    problems = list(_problems)
    _problems.clear()
    return problems


def check_texts(patch: pytest.MonkeyPatch) -> None:
    """Note every text that is looked up but not in the catalogues, such as an empty one."""
    messages = known_messages()
    patch.setattr(i18n, "GNUTranslations", _checking(GNUTranslations, messages))
    patch.setattr(i18n, "NullTranslations", _checking(NullTranslations, messages))
    i18n.load_catalogue.cache_clear()


def known_messages() -> frozenset[str]:
    """Return every text of the catalogues, the singular of those with a number."""
    keys = vars(i18n.load_catalogue(COMPLETE))["_catalog"]
    messages = (key if isinstance(key, str) else key[0] for key in keys)
    return frozenset(message.rpartition("\4")[2] for message in messages) - {""}


def lazy_message(text: LazyProxy) -> str:
    """Return the English text of an entry of a table."""
    message = text._args[-1]
    assert isinstance(message, str)
    return message


def _checking(base: type[T], messages: frozenset[str]) -> type[T]:
    def check(*texts: str) -> None:
        if texts[0] not in messages or not all(texts):
            _problems.append(f"no catalogue has the text {texts}")

    class CheckingTranslations(base):  # type: ignore[misc, valid-type]
        def gettext(self, message: str) -> str:
            check(message)
            return str(super().gettext(message))

        def pgettext(self, context: str, message: str) -> str:
            check(message, context)
            return str(super().pgettext(context, message))

        def ngettext(self, singular: str, plural: str, count: int) -> str:
            check(singular, plural)
            return str(super().ngettext(singular, plural, count))

    return CheckingTranslations


class LogChecker(logging.Handler):
    """Handler that notes log lines without words, or whose values do not fit."""

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().strip(" :"):
            _problems.append(f"an empty log line of {record.name}:{record.lineno}")


def check_threads() -> None:
    """Note running threads without a name, which profilers and dumps of threads show."""
    for thread in threading.enumerate():
        if not thread.name:
            _problems.append(f"a thread has no name: {thread}")
