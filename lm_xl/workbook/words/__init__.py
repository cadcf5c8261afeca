"""The words of the deliverable."""
