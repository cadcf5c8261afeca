"""The workbook whose numbers come from the functions."""
