"""Units of work that a worker runs, and the frame store that they read and write."""
