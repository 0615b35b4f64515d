"""What the arrays that a panel is made from say of themselves."""

import json
from dataclasses import dataclass

import zarr


@dataclass(frozen=True, slots=True)
class About:
    """What an array of the store says of itself."""

    name: str
    """Of the array."""
    units: str
    """As the store has them."""
    definition: str
    """What it is."""
    parameters: str
    """What its values depend on besides the frames, as JSON; nothing if on nothing."""


def about_array(group: zarr.Group, name: str) -> About:
    """Read the attributes of an array of the store."""
    attributes = dict(group[name].attrs)
    parameters = attributes.get("parameters")
    return About(
        name=name,
        units=str(attributes.get("units", "")),
        definition=str(attributes.get("definition", attributes.get("long_name", ""))),
        parameters=json.dumps(parameters, sort_keys=True) if parameters else "",
    )
