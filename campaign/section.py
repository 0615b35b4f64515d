"""What every table of a campaign file has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of a campaign file: nothing converted, no key unknown."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )
