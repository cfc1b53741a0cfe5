"""Has a message sent to a customer of a brand: once, however often it is run with the same name.

NATS_URL: nats://USER:PASSWORD@HOST:PORT    BRAND: the brand's id
Arguments: a name for the command that no other command of yours has, and the command itself as JSON.
"""

import asyncio
import json
import os
import sys

import nats
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent


async def main(name: str, command: dict) -> None:
    brand = os.environ["BRAND"]
    attributes = {"id": name, "source": f"/{brand}/orders", "type": "send", "datacontenttype": "application/json"}
    event = JSONFormat().write(CloudEvent({**attributes, "specversion": "1.0"}, command))
    connection = await nats.connect(os.environ["NATS_URL"], inbox_prefix=f"_INBOX_{brand}")
    try:
        await connection.jetstream().publish(
            f"switchboard.{brand}.commands.send", event, headers={"Content-Type": "application/cloudevents+json"}
        )
    finally:
        await connection.close()


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
