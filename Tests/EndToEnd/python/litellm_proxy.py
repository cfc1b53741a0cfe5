"""Runs LiteLLM's proxy on loopback in front of an OpenAI-compatible endpoint, and nothing beyond this machine.

usage: litellm_proxy.py --port PORT --backend URL --folder DIR
The proxy's key is taken from LITELLM_MASTER_KEY, the backend's from BACKEND_KEY (any when it is missing).
"""

import argparse
import json
import os
import pathlib
import sys

options = argparse.ArgumentParser()
options.add_argument("--port", required=True)
options.add_argument("--backend", required=True)
options.add_argument("--folder", required=True)
given = options.parse_args()

# Prices come with the package, and nobody is told that it runs.
os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_TELEMETRY="False",
    DO_NOT_TRACK="1",
    NO_PROXY="127.0.0.1,localhost",
)

configuration = {
    "model_list": [
        {
            "model_name": "gpt-4o-mini",
            "litellm_params": {
                "model": "openai/gpt-4o-mini",
                "api_base": given.backend,
                "api_key": os.environ.get("BACKEND_KEY", "none-is-needed"),
            },
        }
    ],
    "litellm_settings": {"telemetry": False, "num_retries": 0},
}
# JSON is YAML too.
path = pathlib.Path(given.folder) / "litellm.yaml"
path.write_text(json.dumps(configuration))

import litellm  # noqa: E402  The environment must be set before.

sys.argv = ["litellm", "--config", str(path), "--host", "127.0.0.1", "--port", given.port, "--telemetry", "False"]
litellm.run_server()
