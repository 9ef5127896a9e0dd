"""Keep discarded autosaves; replace names of languages by their tags."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TAGS = {
    "afar": "aa",
    "afrikaans": "af",
    "akan": "ak",
    "amharic": "am",
    "arabic": "ar",
    "bambara": "bm",
    "bemba": "bem",
    "berber": "ber",
    "chichewa": "ny",
    "chinese": "zh",
    "dutch": "nl",
    "dyula": "dyu",
    "english": "en",
    "ewe": "ee",
    "fon": "fon",
    "french": "fr",
    "fula": "ff",
    "german": "de",
    "hausa": "ha",
    "igbo": "ig",
    "italian": "it",
    "kabyle": "kab",
    "kanuri": "kr",
    "kikuyu": "ki",
    "kinyarwanda": "rw",
    "kirundi": "rn",
    "kongo": "kg",
    "lingala": "ln",
    "luganda": "lg",
    "luo": "luo",
    "malagasy": "mg",
    "mooré": "mos",
    "nigerian pidgin": "pcm",
    "northern ndebele": "nd",
    "northern sotho": "nso",
    "n’ko": "nqo",
    "oromo": "om",
    "portuguese": "pt",
    "sango": "sg",
    "shona": "sn",
    "somali": "so",
    "southern ndebele": "nr",
    "southern sotho": "st",
    "spanish": "es",
    "swahili": "sw",
    "swazi": "ss",
    "tigrinya": "ti",
    "tsonga": "ts",
    "tswana": "tn",
    "twi": "tw",
    "venda": "ve",
    "wolof": "wo",
    "xhosa": "xh",
    "yoruba": "yo",
    "zulu": "zu",
}


def upgrade() -> None:
    op.add_column("autosave", sa.Column("discarded_at", sa.DateTime(), nullable=True))
    connection = op.get_bind()
    article = sa.table("article", sa.column("id"), sa.column("language"), sa.column("status"))
    outbox = sa.table(
        "outbox", sa.column("article_id"), sa.column("action"), sa.column("at", sa.DateTime())
    )
    rows = connection.execute(
        sa.select(article).where(sa.func.lower(article.c.language).in_(TAGS))
    ).all()
    now = datetime.now(UTC).replace(tzinfo=None)
    for row in rows:
        tag = TAGS[row.language.lower()]
        connection.execute(sa.update(article).where(article.c.id == row.id).values(language=tag))
        if row.status == "published":
            connection.execute(
                sa.insert(outbox).values(article_id=row.id, action="update", at=now)
            )
