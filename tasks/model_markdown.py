"""The card of a model as a page for people."""

from collections.abc import Iterable

from glasscreep.tasks.model_card import ModelCard
from glasscreep.tasks.units import PRESSURE, TEMPERATURE, unit_after


def markdown(card: ModelCard, name: str) -> str:
    """Write a card as Markdown.

    Parameters
    ----------
    card : ModelCard
        What the model was learnt from.
    name : str
        Of the model's file.

    Returns
    -------
    str
    """
    kelvin, pressure, area, time, length, density = (
        unit_after(dimensions, card.units)
        for dimensions in (TEMPERATURE, PRESSURE, "length^2", "time", "length", "1 / length^3")
    )
    points = ", ".join(
        f"T {temperature:g}{kelvin} at {stress:g}{pressure}" for temperature, stress in card.points
    )
    return "\n".join(
        [
            f"# Looseness of {card.species} particles",
            "",
            f"A model of how much the structure around an {card.species} particle looks like that",
            f"around loose ones: those whose D2min is above {card.threshold:g}{area} in {card.interval} steps",
            f"of {card.timestep:g}{time}. It is no probability: it was learnt from as many loose as tight.",
            "",
            "## Use",
            "",
            "```",
            f"glasscreep looseness {name} FILE --output looseness.xyz",
            "```",
            "",
            "It ranks particles by structure, in glasses like those below. Its probabilities are",
            "those of a balanced sample, far above how rare loose particles are.",
            "",
            "## Learnt from",
            "",
            *_table(
                ("campaign", card.campaign),
                ("runs", ", ".join(card.runs)),
                ("temperature, stress", points),
                ("train replicas", ", ".join(map(str, card.train_replicas))),
                ("test replicas", ", ".join(map(str, card.test_replicas))),
                ("seed", card.seed),
                ("units", card.units),
                ("number density", f"{card.number_density:.4g}{density}"),
                *((f"share of {name}", share) for name, share in card.composition.items()),
                *(
                    (f"nearest {pair}", f"{distance:.4g}{length}")
                    for pair, distance in card.nearest_distances.items()
                ),
            ),
            "",
            "## Scores on the test replicas",
            "",
            *_table(*card.scores.items()),
            "",
            "## Features",
            "",
            *(f"{place}. `{feature}`" for place, feature in enumerate(card.features, 1)),
            "",
            *_table(*card.preset.items()),
            "",
            "## Made with",
            "",
            *_table(*card.versions.items()),
            "",
        ]
    )


def _table(*rows: tuple[str, object]) -> Iterable[str]:
    yield from ("| | |", "|---|---|")
    for key, value in rows:
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        yield f"| {key} | {shown} |".replace("\n", " ")
