"""Checks the chat page and the widget in Chromium against a running gateway with its sandbox.

    python Tests/EndToEnd/browser/run.py --url http://127.0.0.1:8080 --instance salon-web --sandbox http://127.0.0.1:8090 --out shots

Prints one JSON line per check, {"name", "ok", "detail", "seconds"}; exit code 1 when one failed, 2 when the gateway does not answer.
"""

import argparse
import concurrent.futures
import json
import pathlib
import sys
import time
import traceback
import urllib.request

import access_checks
import brand_checks
import embed_checks
import payload_checks
import restart_checks
import tab_checks
import talk_checks

# The long ones first: side by side they hide the short ones.
CHECKS = {
    "payloads": payload_checks.payloads,
    "offline-hang": talk_checks.offline_hang,
    "embed-refused": embed_checks.refused,
    "offline-cut": talk_checks.offline_cut,
    "accessibility": access_checks.accessibility,
    "embed-allowed": embed_checks.allowed,
    "booking": talk_checks.booking,
    "keyboard": talk_checks.keyboard,
    "tabs": tab_checks.tabs,
    "reload": talk_checks.reload,
    "busy": talk_checks.busy,
    "origins": embed_checks.forged_origins,
}
# They ask for more than a running gateway, so they run only when they are named.
SPECIAL = {"brand-data": brand_checks.brand_data, "restart": restart_checks.restart}


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="of the gateway, without a slash at its end")
    parser.add_argument("--instance", default="salon-web")
    parser.add_argument("--sandbox", required=True, help="URL of the sandbox")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for screenshots")
    parser.add_argument("--words", default="I'd like a haircut tomorrow at 3pm", help="what the guest begins with")
    parser.add_argument("--wish", type=json.loads, help='what is answered when more is asked: {"service", "day", "hour"} (drawn)')
    parser.add_argument("--only", action="append", choices=[*CHECKS, *SPECIAL], help="run only this check; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, help="so many checks at the same time")
    parser.add_argument("--gateway-pid-file", type=pathlib.Path, help="for restart: holds the id of the gateway's process while it is ready")
    parser.add_argument("--payload-brand-data", action="store_true", help="for brand-data: the configuration holds markup in names, button titles and the question, with {user.name} in it")
    parser.add_argument("--allowed-host", action="append", help="hosts whose pages may embed (127.0.0.1 and localhost)")
    arguments = parser.parse_args()
    arguments.allowed_host = arguments.allowed_host or ["127.0.0.1", "localhost"]
    return arguments


def main():
    setup = parsed()
    try:
        urllib.request.urlopen(f"{setup.url}/chat/{setup.instance}", timeout=10).close()
    except OSError as problem:
        print(f"{setup.url}/chat/{setup.instance}: {problem}", file=sys.stderr)
        return 2
    chosen = {name: check for name, check in {**CHECKS, **SPECIAL}.items() if name in (setup.only or CHECKS)}
    with concurrent.futures.ThreadPoolExecutor(setup.jobs) as pool:
        results = list(pool.map(lambda one: report(setup, *one), chosen.items()))
    return 0 if all(results) else 1


def report(setup, name, check):
    began = time.monotonic()
    try:
        ok, detail = check(setup)
    except Exception as problem:  # One broken check must not hide the others.
        place = traceback.extract_tb(problem.__traceback__)[-1]
        ok, detail = False, f"{type(problem).__name__} at {pathlib.Path(place.filename).name}:{place.lineno}: {problem}"
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"name": name, "ok": bool(ok), "detail": str(detail)[:2000], "seconds": seconds}, ensure_ascii=False), flush=True)
    return ok


if __name__ == "__main__":
    sys.exit(main())
