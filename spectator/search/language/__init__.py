"""What a search means: queries, the shared analyser, spelling and suggestions."""
