"""A byline names a person, or a desk or agency."""

from __future__ import annotations

import pytest

from spectator.text.words.bylines import is_organization


@pytest.mark.parametrize(
    "name",
    [
        "Politics Desk",
        "desk Afrique",
        "Staff Reporter",
        "Our Newsroom",
        "News Agency of Nigeria",
        "La Rédaction",
        "Redação",
        "Nairobi Bureau",
        "Reuters",
        "Agence France-Presse",
        "هيئة التحرير",
        "The African Spectator",
        "Le Monde",
        *("Agencia Nacional", "Agency staff", "Editorial", "Editors", "Le Newswire", "A Redacao"),
        *("Reporters", "The Team", "وكالة", "التحرير", "AFP", "Anadolu", "AP", "Lusa", "Xinhua"),
        *("Associated Press", "Bloomberg", "dpa", "EFE", "Panapress", "TASS"),
    ],
)
def test_desks_and_agencies_are_organizations(name: str) -> None:
    assert is_organization(name, "The African Spectator", "Le Monde")


@pytest.mark.parametrize(
    "name",
    [
        "Amina Diallo",
        "Desky Moyo",
        "Ana Apolo",
        "أحمد سعيد",
        "N'Golo Kanté",
        "",
        "Stafford Mwangi",
    ],
)
def test_people_are_no_organizations(name: str) -> None:
    assert not is_organization(name, "The African Spectator", "")
