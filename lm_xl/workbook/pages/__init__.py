"""What a reader of the deliverable sees."""
