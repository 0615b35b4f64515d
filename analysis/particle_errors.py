"""Errors of single particles, which whoever gave them may call otherwise than by their rows."""

from collections.abc import Sequence


class ParticleError(ValueError):
    """Something is wrong with particles; it names them by their rows."""

    def __init__(self, text: str, *rows: int) -> None:
        """Take what is wrong.

        Parameters
        ----------
        text : str
            With `{}` for each of the particles.
        *rows : int
            Where they are among the positions.
        """
        self.text, self.rows = text, rows
        super().__init__(text, *rows)

    def __str__(self) -> str:
        """Say what is wrong, with the rows."""
        return self.text.format(*self.rows)

    def naming(self, ids: Sequence[int]) -> str:
        """Say what is wrong, with ids in place of rows.

        Parameters
        ----------
        ids : (n,) int
            Of the particles, by row.
        """
        return self.text.format(*(f"of id {ids[row]}" for row in self.rows))
