"""Prints each event of a brand once.

NATS_URL: nats://USER:PASSWORD@HOST:PORT    BRAND: the brand's id    DATABASE: a file that remembers what was seen
With a number as argument it ends when nothing has come for so many seconds; otherwise it runs on.
"""

import asyncio
import os
import sqlite3
import sys

import nats
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent


def handle(database: sqlite3.Connection, body: bytes) -> None:
    event = JSONFormat().read(CloudEvent, body)
    with database:  # What you do and the note that it is done belong in one transaction.
        known = database.execute("INSERT OR IGNORE INTO seen (id) VALUES (?)", (event.get_id(),))
        if known.rowcount == 1:
            print(body.decode(), flush=True)


async def main(quiet: float | None) -> None:
    database = sqlite3.connect(os.environ["DATABASE"])
    database.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)")
    brand = os.environ["BRAND"]
    connection = await nats.connect(os.environ["NATS_URL"], inbox_prefix=f"_INBOX_{brand}")
    events = await connection.jetstream().pull_subscribe(
        f"switchboard.{brand}.>", durable=f"{brand}-printer", stream="switchboard"
    )
    while True:
        try:
            messages = await events.fetch(100, timeout=quiet or 30)
        except asyncio.TimeoutError:
            if quiet is None:
                continue
            break
        for message in messages:
            if ".commands." not in message.subject:
                handle(database, message.data)
            await message.ack()
    await connection.close()


asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else None))
