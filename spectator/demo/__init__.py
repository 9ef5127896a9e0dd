"""The demo: stories written for this project, and the editor who may change them."""

from pathlib import Path

STORIES = Path(__file__).parent / "stories.jsonl"
EMAIL = "editor@demo.example"
