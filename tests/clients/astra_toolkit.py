"""The vendor's own toolkit makes, lists, changes and removes a script and an
execution hook on the built server.
"""

import base64
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import urllib.request

import yaml
from server import BINARY, behind_tls, serving

TEXT = "#!/bin/sh\necho \"$1 $HOOK_PARAM_POD_NAME\"\n"


def native(server, method, path, body=None):
    """Calls the native interface; answers with the reply."""
    request = urllib.request.Request(
        f"{server.url}/api/v1{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.loads(reply.read() or "null")


def main(binary):
    with serving(binary) as server, behind_tls(server.url) as (address, certificate):
        account = native(server, "GET", "/accounts")["items"][0]["id"]
        container = {
            "podName": "db-0",
            "podLabels": [{"name": "tier", "value": "db"}],
            "containerImage": "postgres:17",
            "containerName": "db",
            "namespaceName": "shop",
        }
        app = native(server, "POST", "/apps", {"name": "shop", "containers": [container]})
        with tempfile.TemporaryDirectory() as folder:
            config = {
                "headers": {"Authorization": f"Bearer {server.token}", "accept": "application/json"},
                "uid": account,
                "astra_project": address,
                "verifySSL": True,
            }
            pathlib.Path(folder, "config.yaml").write_text(yaml.safe_dump(config))
            os.environ["ASTRATOOLKITS_CONF"] = folder
            os.environ["REQUESTS_CA_BUNDLE"] = certificate
            os.chdir(folder)
            use(server, app)
    print("the toolkit got what it asked for")


def use(server, app):
    import astraSDK

    source = base64.b64encode(TEXT.encode()).decode()
    script = astraSDK.scripts.createScript(quiet=False).main("freeze.sh", source, "Be quiet")
    assert script["name"] == "freeze.sh" and script["description"] == "Be quiet", script
    assert script["sourceMD5Checksum"] == hashlib.md5(source.encode()).hexdigest(), script
    found = astraSDK.scripts.getScripts(quiet=True).main(nameFilter="freeze.sh")
    assert found["items"] == [script], found
    table = astraSDK.scripts.getScripts(quiet=True, output="table").main()
    assert "freeze.sh" in table and script["id"] in table, table

    changed = base64.b64encode((TEXT + "echo done\n").encode()).decode()
    script = astraSDK.scripts.updateScript().main(script["id"], source=changed)
    assert script["source"] == changed and script["description"] == "Be quiet", script

    hook = astraSDK.hooks.createHook(quiet=False).main(
        app["id"],
        "freeze",
        script["id"],
        "pre",
        "snapshot",
        ["frozen"],
        [{"type": "podLabel", "value": "^tier=db$"}],
        containerRegex="postgres",
        description="Before a snapshot",
    )
    assert hook["appID"] == app["id"] and len(hook["matchingCriteria"]) == 2, hook

    hooks = astraSDK.hooks.getHooks(quiet=True).main()
    assert hooks["items"] == [hook], hooks

    event = {"specversion": "1.0", "id": "1", "source": "/clients", "type": "snapshot.pre"}
    task = native(server, "POST", "/events?wait=60", event | {"subject": app["id"]})["task"]
    assert task["hookState"] == "success", task
    assert task["executions"][0]["stdout"] == "frozen db-0\ndone\n", task

    # A script in use stays, and the toolkit says so by False.
    assert astraSDK.scripts.destroyScript().main(script["id"]) is False
    assert astraSDK.hooks.destroyHook(quiet=False).main(app["id"], hook["id"]) is True
    assert astraSDK.scripts.destroyScript(quiet=False).main(script["id"]) is True
    assert astraSDK.hooks.getHooks(quiet=True).main()["items"] == []
    assert astraSDK.scripts.getScripts(quiet=True).main(nameFilter="freeze.sh")["items"] == []


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else BINARY)
