"""What the page of the report is made of."""
