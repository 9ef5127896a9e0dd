"""Moments in the newsroom's time zone: as typed, including those that daylight saving skips or repeats; as shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """One of the moments that a typed time may mean: aware, in UTC, and how to say it."""

    at: datetime
    label: str

    @property
    def value(self) -> str:
        """Return the moment as a form sends it."""
        return f"{self.at:%Y-%m-%dT%H:%MZ}"


def possible_moments(wall_time: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return the moments in UTC, earliest first, that a wall-clock time may mean: one, or two where clocks change."""
    folds = [wall_time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return sorted(set(folds))


def is_skipped(wall_time: datetime, zone: ZoneInfo) -> bool:
    """Say whether clocks jump over a wall-clock time."""
    return all(
        moment.astimezone(zone).replace(tzinfo=None) != wall_time
        for moment in possible_moments(wall_time, zone)
    )


def time_choices(wall_time: datetime, zone: ZoneInfo) -> list[TimeChoice]:
    """Return what to ask about a time that is skipped or comes twice; nothing for all others."""
    found = possible_moments(wall_time, zone)
    return [TimeChoice(each, format_moment(each, zone)) for each in found] if len(found) > 1 else []


def explain_ambiguous_time(wall_time: datetime, zone: ZoneInfo) -> str:
    """Return why a time has to be asked about."""
    first, second = possible_moments(wall_time, zone)
    before, after = first.astimezone(zone), second.astimezone(zone)
    day = f"{wall_time.day} {wall_time:%B %Y}"
    if is_skipped(wall_time, zone):
        return f"On {day} clocks in {zone.key} go forward, and {wall_time:%H:%M} does not exist. Which do you mean?"
    return (
        f"On {day} clocks in {zone.key} go back, and {wall_time:%H:%M} comes twice: "
        f"first as {utc_offset(before)}, then as {utc_offset(after)}. Which do you mean?"
    )


def format_moment(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment in the newsroom's zone with UTC beside it: 31 Oct 2027, 01:30 Africa/Cairo (UTC+2; 23:30 UTC)."""
    local, utc = moment.astimezone(zone), moment.astimezone(UTC)
    if zone.key == "UTC":
        return f"{utc.day} {utc:%b %Y, %H:%M} UTC"
    other_day = f"{utc.day} {utc:%b}, " if utc.date() != local.date() else ""
    return f"{local.day} {local:%b %Y, %H:%M} {zone.key} ({other_day}{utc:%H:%M} UTC)"


def utc_offset(local: datetime) -> str:
    """Return the distance from UTC that a local moment has: UTC+1, UTC+05:30."""
    minutes = int((local.utcoffset() or UTC.utcoffset(local)).total_seconds()) // 60
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return f"UTC{sign}{hours:02}:{rest:02}" if rest else f"UTC{sign}{hours}"


def zone_abbreviation(local: datetime) -> str:
    """Return what readers know a local moment's zone by: EAT, WAT, GMT; its distance from UTC where it has no name."""
    name = local.tzname() or ""
    return "GMT" if name == "UTC" else name if name.isalpha() else utc_offset(local)


def has_whole_minutes(local: datetime) -> bool:
    """Return whether the distance from UTC can be written as +03:00; local mean times of long ago cannot."""
    return (local.utcoffset() or timedelta()) % timedelta(minutes=1) == timedelta()


def month_key(moment: datetime, zone: tzinfo) -> int:
    """Return the month in a time zone as a number: 202605 for May 2026."""
    local = moment.astimezone(zone)
    return local.year * 100 + local.month


def day_start(day: date, zone: tzinfo) -> int:
    """Return the first second of a day in a time zone, counted from 1970 in UTC.

    Plain numbers, because timestamps overflow at both ends of time.
    """
    distance = datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset() or timedelta()
    return (day.toordinal() - _EPOCH_DAY) * 86_400 - int(distance.total_seconds())


def day_end(day: date, zone: tzinfo) -> float:
    """Return the second that follows a day in a time zone, infinity after the last day of the calendar."""
    return day_start(day + timedelta(days=1), zone) if day < date.max else float("inf")
