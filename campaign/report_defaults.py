"""What `glasscreep report` does if not told otherwise."""

PAGE = "report.html"
"""In the campaign directory."""
PARTICLES = 20_000
"""Most particles of a frame that the page shows in three dimensions."""
