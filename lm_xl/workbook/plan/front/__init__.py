"""The front of the deliverable: the pages that a client reads, each a view of what the calculation sheets hold."""
