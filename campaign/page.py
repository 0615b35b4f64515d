"""Puts the campaign's page into Dask's dashboard, and its JSON beside it.

This is the one place that knows how Dask's dashboard is made. Where another version of Dask makes it
otherwise, the campaign goes on without the page, and says so in the log.
"""

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from distributed import Scheduler
from tornado.web import RequestHandler

from glasscreep.campaign.page_data import Feed
from glasscreep.campaign.page_strain import Curves
from glasscreep.slurm.scheduler import ORIGINS

if TYPE_CHECKING:
    from glasscreep.campaign.directory import Prepared

NAME = "campaign"
JSON_ROUTE = "/json/campaign.json"
"""Where Dask has JSON of its own; not among its pages."""
# Beneath the name whose words go where Dask's do: driver.log, or the controller's log.
_logger = logging.getLogger("distributed.dashboard.glasscreep")


class _CampaignJson(RequestHandler):
    """Answers with the last snapshot."""

    def initialize(self, feed: Feed) -> None:
        self._feed = feed

    async def get(self) -> None:
        # A page from elsewhere may have a name of its own lead here; its browser then tells that name.
        if self.request.host_name not in ORIGINS:
            self.send_error(403)
            return
        self.set_header("Content-Type", "application/json")
        self.finish(await asyncio.to_thread(self._feed.as_json))


@contextmanager
def campaign_page(scheduler: Scheduler, prepared: "Prepared", feed: Feed) -> Iterator[None]:
    """Have the dashboard of a scheduler show a campaign meanwhile.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        A scheduler that has started, in this process.
    prepared : Prepared
        The campaign and its directory.
    feed : Feed
        Tells how far the campaign is.
    """
    curves = Curves(prepared.directory)
    # Whenever a page is closed, Bokeh has all garbage of the process collected, in the loop. What is
    # there by now stays for as long as the campaign, and need not be gone through each time.
    gc.freeze()
    try:
        _add(scheduler, prepared, feed, curves)
    except Exception:  # whatever it is, no simulation should end for want of a page
        _logger.warning("the dashboard of this Dask takes no page of the campaign", exc_info=True)
    try:
        yield
    finally:
        gc.unfreeze()
        curves.close()


def _add(scheduler: Scheduler, prepared: "Prepared", feed: Feed, curves: Curves) -> None:
    from distributed.dashboard.components.scheduler import BOKEH_THEME, env
    from distributed.dashboard.core import BokehApplication
    from distributed.dashboard.scheduler import template_variables
    from tornado.ioloop import IOLoop

    from glasscreep.campaign.page_figures import Labels
    from glasscreep.campaign.page_style import TEMPLATE
    from glasscreep.campaign.page_view import View

    campaign = prepared.campaign
    labels = Labels.of(campaign.model.units)
    steps = campaign.creep.frame_interval, campaign.creep.steps
    first, last = (number * campaign.model.timestep for number in steps)

    def show(_: Scheduler, variables: dict[str, Any], document: Any) -> None:
        document.title = f"Campaign {campaign.name}"
        document.theme, document.template = BOKEH_THEME, env.from_string(TEMPLATE)
        document.template_variables.update(variables)
        View(document, feed, curves, labels, (first, last))

    shared = template_variables(scheduler)
    pages = BokehApplication({f"/{NAME}": show}, scheduler, prefix="", template_variables=shared)
    scheduler.http_application.add_application(pages)
    pages.initialize(IOLoop.current())
    pages.start()
    routes = [(JSON_ROUTE, _CampaignJson, {"feed": feed})]
    scheduler.http_application.add_handlers(r".*", routes)
    shared["pages"].insert(0, NAME)  # the same list in the variables of all other pages
