"""Creep and plasticity of glasses, as campaigns of simulations."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glasscreep.campaign.opened import open_campaign as open

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def __getattr__(name: str) -> Any:
    # Workers import this package, and have no use for what opening a campaign imports.
    if name == "open":
        from glasscreep.campaign.opened import open_campaign

        return open_campaign
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
