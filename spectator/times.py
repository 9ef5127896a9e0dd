"""Times in the newsroom's time zone: ambiguous times from forms, display, months and days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from spectator.formats import (
    format_day_and_month,
    format_long_date,
    format_short_date,
    join_date_and_time,
)
from spectator.i18n import gettext

# The regions of the names in the tz database.
_ZONE_REGIONS = (
    *("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/"),
    *("Europe/", "Indian/", "Pacific/"),
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """One possible meaning of an ambiguous time: an aware datetime in UTC and its label."""

    at: datetime
    label: str

    @property
    def value(self) -> str:
        """Return the form value of the choice."""
        return f"{self.at:%Y-%m-%dT%H:%MZ}"


def possible_moments(wall_time: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the UTC datetimes that a wall-clock time may mean, earliest first.

    There are two if clocks change at that time, otherwise one.
    """
    folds = [wall_time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return sorted(set(folds))


def is_skipped(wall_time: datetime, zone: ZoneInfo) -> bool:
    """Return whether a wall-clock time does not exist because clocks go forward."""
    return all(
        moment.astimezone(zone).replace(tzinfo=None) != wall_time
        for moment in possible_moments(wall_time, zone)
    )


def time_choices(wall_time: datetime, zone: ZoneInfo) -> list[TimeChoice]:
    """Return the choices for a time that is skipped or repeated, an empty list for other times."""
    moments = possible_moments(wall_time, zone)
    if len(moments) == 1:
        return []
    return [TimeChoice(moment, format_moment(moment, zone)) for moment in moments]


def explain_ambiguous_time(wall_time: datetime, zone: ZoneInfo) -> str:
    """Return the question about a time that is skipped or repeated."""
    first, second = possible_moments(wall_time, zone)
    before, after = first.astimezone(zone), second.astimezone(zone)
    day, time = format_long_date(wall_time.date()), f"{wall_time:%H:%M}"
    if is_skipped(wall_time, zone):
        return gettext(
            "Clocks in %(zone)s go forward on %(day)s, so %(time)s does not exist. "
            "Choose which time you mean.",
            zone=zone.key,
            day=day,
            time=time,
        )
    return gettext(
        "Clocks in %(zone)s go back on %(day)s, so %(time)s happens twice: "
        "first as %(first)s, then as %(second)s. Choose which time you mean.",
        zone=zone.key,
        day=day,
        time=time,
        first=utc_offset(before),
        second=utc_offset(after),
    )


def format_moment(moment: datetime, zone: ZoneInfo) -> str:
    """Return a time in a zone and in UTC: 31 Oct 2027, 01:30 Africa/Cairo (30 Oct, 23:30 UTC)."""
    local, utc = moment.astimezone(zone), moment.astimezone(UTC)
    if zone.key == "UTC":
        return join_date_and_time(format_short_date(utc.date()), f"{utc:%H:%M} UTC")
    time = f"{utc:%H:%M} UTC"
    if utc.date() != local.date():
        time = join_date_and_time(format_day_and_month(utc.date()), time)
    day = format_short_date(local.date())
    return join_date_and_time(day, f"{local:%H:%M} {zone.key} ({time})")


@cache
def time_zone_names() -> list[str]:
    """Return the names of the world's time zones: Africa's first, then UTC, then all others.

    Names such as Etc/GMT+1 or US/Eastern, which only old systems need, are left out.
    """
    names = [name for name in available_timezones() if name.startswith(_ZONE_REGIONS)]
    return sorted(
        [*names, "UTC"], key=lambda name: (not name.startswith("Africa/"), name != "UTC", name)
    )


def utc_offset(local: datetime) -> str:
    """Return the UTC offset of a local time: UTC+1, UTC+05:30."""
    minutes = int((local.utcoffset() or UTC.utcoffset(local)).total_seconds()) // 60
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02}:{rest:02}" if rest else f"UTC{sign}{hours}"


def zone_abbreviation(local: datetime) -> str:
    """Return the abbreviation of a local time's zone (EAT, WAT, GMT), or its UTC offset."""
    name = local.tzname() or ""
    return "GMT" if name == "UTC" else name if name.isalpha() else utc_offset(local)


def has_whole_minute_offset(local: datetime) -> bool:
    """Return whether the UTC offset has whole minutes, like +03:00.

    Historical local mean times do not.
    """
    return (local.utcoffset() or timedelta()) % timedelta(minutes=1) == timedelta()


def month_key(moment: datetime, zone: tzinfo) -> int:
    """Return the month in a time zone as a number: 202605 for May 2026."""
    local = moment.astimezone(zone)
    return local.year * 100 + local.month


def day_start(day: date, zone: tzinfo) -> int:
    """Return the first second of a day in a time zone, in seconds since 1970 (UTC).

    It computes with integers, because datetimes overflow near the first and the last year.
    """
    offset = datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset() or timedelta()
    return (day.toordinal() - _EPOCH_DAY) * 86_400 - int(offset.total_seconds())


def day_end(day: date, zone: tzinfo) -> float:
    """Return the first second after a day in a time zone, infinity for the calendar's last day."""
    return day_start(day + timedelta(days=1), zone) if day < date.max else float("inf")
