"""Handing one piece of work to a worker, and telling its answer from the loss of the worker."""

import asyncio
from typing import Any

from distributed import Client
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from glasscreep.campaign.seat import Seat
from glasscreep.campaign.work import Call


async def answer(client: Client, call: Call, seat: Seat) -> Any:
    """Have a worker do a piece of work.

    Parameters
    ----------
    client : distributed.Client
        Asynchronous.
    call : Call
        What to do.
    seat : Seat
        Where.

    Returns
    -------
    object
        What the function returned; None if its worker was lost before.
    """
    where = {"workers": [seat.worker]} if seat.worker else {}
    future = client.submit(
        call.function, call.argument, resources={seat.pool: 1}, pure=False, **where
    )
    answered = asyncio.ensure_future(future.result())
    # Without this, what is sent to a worker that has just gone would wait for it for ever.
    lost = asyncio.ensure_future(seat.lost.wait())
    try:
        await asyncio.wait({answered, lost}, return_when=asyncio.FIRST_COMPLETED)
        return answered.result() if answered.done() else None
    except (KilledWorker, FutureCancelledError, CommClosedError):
        return None
    finally:
        lost.cancel()
        answered.cancel()
        future.release()
