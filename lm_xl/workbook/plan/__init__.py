"""What each cell of the deliverable computes."""
