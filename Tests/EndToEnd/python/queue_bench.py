"""No-op jobs through other people's queues, for `switchboard bench queue`.

One JSON object on stdout: a queue's name to jobs, seconds to put them in, seconds to work them off. Each queue is as durable as it can be
made, and is left out when it was not asked for.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
import time

os.environ.setdefault("dramatiq_queue_prefetch", "64")


def result(jobs, put_in, worked_off):
    total = put_in + worked_off
    return {
        "jobs": jobs,
        "enqueue_per_s": round(jobs / put_in),
        "work_per_s": round(jobs / worked_off),
        "per_s": round(jobs / total),
    }


def wait_for(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the jobs did not end in time")
        time.sleep(0.002)


def huey(jobs, workers):
    from huey import SqliteHuey

    with tempfile.TemporaryDirectory() as folder:
        queue = SqliteHuey("bench", filename=os.path.join(folder, "huey.db"), fsync=True, results=False)
        done = 0
        lock = threading.Lock()

        @queue.task()
        def nothing():
            nonlocal done
            with lock:
                done += 1

        began = time.monotonic()
        for _ in range(jobs):
            nothing()
        put_in = time.monotonic() - began
        consumer = queue.create_consumer(workers=workers, worker_type="thread", periodic=False, initial_delay=0.01, max_delay=0.01)
        began = time.monotonic()
        consumer.start()
        wait_for(lambda: done >= jobs)
        worked_off = time.monotonic() - began
        consumer.stop(graceful=True)
        return result(jobs, put_in, worked_off)


def dramatiq(jobs, workers, url):
    import dramatiq as library
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=url, middleware=[])
    broker.client.flushdb()
    library.set_broker(broker)
    done = 0
    lock = threading.Lock()

    def nothing():
        nonlocal done
        with lock:
            done += 1

    actor = library.actor(nothing)
    began = time.monotonic()
    for _ in range(jobs):
        actor.send()
    put_in = time.monotonic() - began
    worker = library.Worker(broker, worker_threads=workers, worker_timeout=10)
    began = time.monotonic()
    worker.start()
    wait_for(lambda: done >= jobs)
    worked_off = time.monotonic() - began
    worker.stop()
    broker.close()
    return result(jobs, put_in, worked_off)


async def procrastinate(jobs, workers, url):
    import procrastinate as library

    app = library.App(connector=library.PsycopgConnector(conninfo=url, min_size=4, max_size=16))

    @app.task()
    async def nothing():
        pass

    async with app.open_async():
        try:
            await app.schema_manager.apply_schema_async()
        except library.exceptions.ConnectorException:
            pass  # It stands from an earlier run.
        began = time.monotonic()
        gate = asyncio.Semaphore(16)

        async def defer():
            async with gate:
                await nothing.defer_async()

        await asyncio.gather(*(defer() for _ in range(jobs)))
        put_in = time.monotonic() - began
        began = time.monotonic()
        await app.run_worker_async(wait=False, concurrency=workers, listen_notify=False, install_signal_handlers=False)
        return result(jobs, put_in, time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--redis", help="redis://… for dramatiq")
    parser.add_argument("--postgres", help="postgresql://… for procrastinate")
    options = parser.parse_args()
    out = {"huey (SQLite, fsync)": huey(options.jobs, options.workers)}
    if options.redis:
        out["dramatiq (Redis, appendfsync always, prefetch 64)"] = dramatiq(options.jobs, options.workers, options.redis)
    if options.postgres:
        slow = min(options.jobs, 3000)
        out["procrastinate (PostgreSQL)"] = asyncio.run(procrastinate(slow, options.workers, options.postgres))
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
