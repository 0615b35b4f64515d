"""The Dask scheduler of a campaign, open to those with the campaign's certificates alone."""

import resource

import dask
from bokeh.settings import settings
from distributed import Scheduler, Security

ROUTES = (
    "distributed.http.scheduler.info",
    "distributed.http.scheduler.prometheus",
    "distributed.http.health",
    "distributed.http.statics",
)
"""What its HTTP server has beside the dashboard; all of it is for looking, nothing for changing.

Whatever a user's configuration of Dask adds is left out: `api` retires workers, `proxy` leads on to
other machines.
"""
ORIGINS = ("localhost", "127.0.0.1")
"""Whose pages may read the dashboard: at any port, since a tunnel may begin at another."""


def scheduler_of(
    security: Security, *, host: str | None = None, interface: str | None = None
) -> Scheduler:
    """Make, but not start, a scheduler.

    Parameters
    ----------
    security : distributed.Security
        Certificates, shown by all who want to talk to it.
    host, interface : str, optional
        Where it listens; everywhere if neither is given. The dashboard, which asks for no
        certificate, is on loopback in any case.
    """
    _allow_connections()
    # By default a page from anywhere, open in the browser of who looks at the dashboard, may.
    settings.allowed_ws_origin = list(ORIGINS)
    with dask.config.set({"distributed.scheduler.http.routes": list(ROUTES)}):
        return Scheduler(
            port=0,
            protocol="tls://",
            security=security,
            dashboard_address="127.0.0.1:0",
            host=host,
            interface=interface,
        )


def _allow_connections() -> None:
    """Raise the limit of open files as far as it goes: 1024 are too few for hundreds of workers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
