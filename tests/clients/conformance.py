"""Random requests after the served OpenAPI document find no server error and no
reply that the document does not describe.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from server import BINARY, serving

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]

# Calls that can end or weaken the very token that is in use: they are tried on a
# server of their own, after all others.
FATAL = [
    "croit_logout",
    "croit_change_api_token",
    "croit_delete_api_token",
    "native_change_principal",
    "native_delete_principal",
    "native_delete_token",
]


def call(server, method, path, body=None):
    """Makes one call; answers with the reply."""
    request = urllib.request.Request(
        server.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def settings(server):
    """Random ids lead nowhere: names things that are there, for Astra's paths."""
    account = call(server, "GET", "/api/v1/accounts")["items"][0]["id"]
    app = call(server, "POST", "/api/v1/apps", {"name": "shop"})["id"]
    base = f"/accounts/{account}/core/v1"
    source = {
        "type": "application/astra-hookSource",
        "version": "1.0",
        "name": "seed.sh",
        "sourceType": "script",
        "source": "dHJ1ZQo=",
    }
    source = call(server, "POST", f"{base}/hookSources", source)["id"]
    hook = {
        "type": "application/astra-executionHook",
        "version": "1.3",
        "name": "seed",
        "hookType": "custom",
        "action": "snapshot",
        "stage": "pre",
        "hookSourceID": source,
        "appID": app,
    }
    hook = call(server, "POST", f"{base}/executionHooks", hook)["id"]
    lines = [
        "[parameters]",
        f'"path.account_id" = "{account}"',
        f'"path.project_id" = "{account}"',
        f'"path.app_id" = "{app}"',
    ]
    for noun, own in [
        ("hook_source", source),
        ("execution_hook", hook),
        ("app_execution_hook", hook),
    ]:
        for verb in ("get", "replace"):
            lines += [
                "[[operations]]",
                f'include-operation-id = "astra_{verb}_{noun}"',
                f'parameters = {{ "path.id" = "{own}" }}',
            ]
    return "\n".join(lines) + "\n"


def run(binary, selection, examples, seed):
    """Tries the selected calls on a new server; answers with the status."""
    with serving(binary) as server, tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "schemathesis.toml")
        config.write_text(settings(server))
        command = [
            pathlib.Path(sys.executable).with_name("schemathesis"),
            f"--config-file={config}",
            "run",
            f"{server.url}/openapi.json",
            f"--header=Authorization: Bearer {server.token}",
            f"--header=X-Auth-Token: {server.token}",
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={examples}",
            f"--seed={seed}",
            "--phases=examples,coverage,fuzzing",
            "--suppress-health-check=all",
            "--generation-database=none",
            "--continue-on-failure",
            "--request-timeout=150",
            "--no-color",
        ] + selection
        return subprocess.run(command, cwd=folder).returncode


def main(binary, examples, seed):
    safe = [f"--exclude-operation-id={name}" for name in FATAL]
    fatal = [f"--include-operation-id={name}" for name in FATAL]
    statuses = [run(binary, selection, examples, seed) for selection in (safe, fatal)]
    sys.exit(max(statuses))


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    main(
        pathlib.Path(arguments.get(1, BINARY)).absolute(),
        int(arguments.get(2, 20)),
        int(arguments.get(3, 1)),
    )
