"""Checks the chat page and the widget in Chromium against a running gateway with its sandbox.

    python Tests/EndToEnd/browser/run.py --url http://127.0.0.1:8080 --instance salon-web --sandbox http://127.0.0.1:8090 --out shots

Prints one JSON line per check, {"name", "ok", "detail"}; exit code 1 when one failed, 2 when the gateway does not answer.
"""

import argparse
import json
import pathlib
import sys
import traceback
import urllib.request

import access_checks
import embed_checks
import payload_checks
import talk_checks

CHECKS = {
    "booking": talk_checks.booking,
    "reload": talk_checks.reload,
    "busy": talk_checks.busy,
    "offline-cut": talk_checks.offline_cut,
    "offline-hang": talk_checks.offline_hang,
    "keyboard": talk_checks.keyboard,
    "accessibility": access_checks.accessibility,
    "payloads": payload_checks.payloads,
    "embed-allowed": embed_checks.allowed,
    "embed-refused": embed_checks.refused,
    "origins": embed_checks.forged_origins,
}


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="of the gateway, without a slash at its end")
    parser.add_argument("--instance", default="salon-web")
    parser.add_argument("--sandbox", required=True, help="URL of the sandbox")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for screenshots")
    parser.add_argument("--words", default="I'd like a haircut tomorrow at 3pm", help="what the guest begins with")
    parser.add_argument("--only", action="append", choices=list(CHECKS), help="run only this check; may be repeated")
    parser.add_argument("--payload-brand-data", action="store_true", help="brand data holds payloads too: look for them in answers")
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
    failed = False
    for name, check in CHECKS.items():
        if setup.only and name not in setup.only:
            continue
        try:
            ok, detail = check(setup)
        except Exception as problem:  # One broken check must not hide the others.
            place = traceback.extract_tb(problem.__traceback__)[-1]
            ok, detail = False, f"{type(problem).__name__} at {pathlib.Path(place.filename).name}:{place.lineno}: {problem}"
        failed |= not ok
        print(json.dumps({"name": name, "ok": bool(ok), "detail": str(detail)[:2000]}, ensure_ascii=False), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
