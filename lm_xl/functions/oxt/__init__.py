"""The functions in LibreOffice Calc: an add-in made from the registry, and the Python that answers it."""
