"""The demo: stories written for this project, and the email of the demo editor."""

from pathlib import Path

STORIES = Path(__file__).parent / "stories.jsonl"
EMAIL = "editor@demo.example"
