"""The campaign: its file, grid, plan, driver, status, queries and command line."""
