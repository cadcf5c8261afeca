"""The rules of a good workbook, by subject."""
