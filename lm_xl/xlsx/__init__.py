"""The only room that opens a package, parses its XML or spells an address."""
