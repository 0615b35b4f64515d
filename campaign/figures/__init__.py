"""The figures of Wu and Ruiz Pestana (2023), from a campaign."""
