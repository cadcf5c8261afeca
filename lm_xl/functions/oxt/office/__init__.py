"""What the add-in carries into LibreOffice, whose own Python runs it: 3.8 or newer, the standard library and nothing of lm_xl."""
