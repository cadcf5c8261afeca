"""The model: its vocabulary, its stages, and their evaluation on numbers or on cells. It knows no files."""
