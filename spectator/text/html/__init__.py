"""HTML of stories: cleaned, cut into blocks, paragraphs, embeds."""
