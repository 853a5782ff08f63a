"""Nova's own client and OpenStack's SDK hand external events in at the built server.

Keystone is a few lines here: whoever knows the password gets the server's token and
a catalog that leads to the server.
"""

import contextlib
import http.server
import json
import pathlib
import sys
import threading
import time
import urllib.request

from server import BINARY, serving

PASSWORD = "hunter2"
SCRIPT = '#!/bin/sh\necho "$HOOK_EVENT $HOOK_SERVER_NAME ${HOOK_PARAM_TAG-none}"\n'
NOWHERE = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"


def native(server, method, path, body=None, kind="application/json"):
    """Calls the native interface; answers with the reply."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    request = urllib.request.Request(
        f"{server.url}/api/v1{path}",
        method=method,
        data=body,
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": kind},
    )
    with urllib.request.urlopen(request) as reply:
        return json.loads(reply.read() or "null")


@contextlib.contextmanager
def keystone(server, project, compute):
    """Issues the server's token for the password; tells where, and what it was asked."""
    asked = []

    class Keystone(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def say(self, status, body, **headers):
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            asked.append(f"GET {self.path}")
            link = {"rel": "self", "href": f"{address}/v3/"}
            self.say(200, {"version": {"id": "v3.14", "status": "stable", "links": [link]}})

        def do_POST(self):
            asked.append(f"POST {self.path}")
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            user = body["auth"]["identity"]["password"]["user"]
            if self.path != "/v3/auth/tokens" or user["password"] != PASSWORD:
                message = "The request you have made requires authentication."
                error = {"code": 401, "title": "Unauthorized", "message": message}
                return self.say(401, {"error": error})
            domain = {"id": "default", "name": "Default"}
            endpoint = {
                "id": "1",
                "interface": "public",
                "region": "here",
                "region_id": "here",
                "url": compute,
            }
            token = {
                "methods": ["password"],
                "expires_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + 3600)),
                "issued_at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
                "user": {"id": "1", "name": user["name"], "domain": domain},
                "project": {"id": project, "name": "operator", "domain": domain},
                "roles": [{"id": "1", "name": "admin"}],
                "catalog": [{"type": "compute", "id": "1", "name": "nova", "endpoints": [endpoint]}],
            }
            self.say(201, {"token": token}, X_Subject_Token=server.token)

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keystone)
    address = f"http://127.0.0.1:{listener.server_address[1]}"
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield f"{address}/v3", asked
    finally:
        listener.shutdown()


def stage(server):
    """Enters two instances and a hook for each name; answers with the ids of both."""
    source = native(server, "POST", "/sources?name=tell", SCRIPT.encode(), "text/x-shellscript")
    for event in ("network-vif-plugged", "volume-extended", "power-update", "volume-reimaged"):
        native(server, "POST", "/hooks", {"source": source["number"], "event": event, "servers": "all"})
    one = native(server, "POST", "/servers", {"name": "vm-1", "host": "compute-1"})
    other = native(server, "POST", "/servers", {"name": "vm-2"})
    return one["uuid"], other["uuid"]


def printed(server, count):
    """What the hooks of the first tasks have printed, in the order of the events."""
    for _ in range(600):
        tasks = native(server, "GET", "/tasks?limit=1000")["items"][::-1]
        if len(tasks) >= count and all(task["state"] == "FINISHED" for task in tasks):
            break
        time.sleep(0.05)
    tasks = [native(server, "GET", f"/tasks/{task['number']}") for task in tasks]
    return ["".join(run["stdout"] for run in task["executions"]).strip() for task in tasks]


def codes(events):
    return [(event["code"], event["status"]) for event in events]


def credentials(address):
    return {
        "auth_url": address,
        "username": "neutron",
        "password": PASSWORD,
        "project_name": "operator",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }


def session(address):
    from keystoneauth1 import loading
    from keystoneauth1 import session as sessions

    auth = loading.get_plugin_loader("password").load_from_options(**credentials(address))
    return sessions.Session(auth=auth)


def with_novaclient(address, vm, homeless):
    """Nova's own client, at the versions that services ask for."""
    import novaclient
    from novaclient import api_versions, client, exceptions

    nova = client.Client("2.1", session=session(address))
    versions = nova.versions.get_current()
    assert (versions.id, versions.version, versions.min_version) == ("v2.1", "2.104", "2.1"), versions

    plugged = {"name": "network-vif-plugged", "server_uuid": vm, "tag": "port-7"}
    events = nova.server_external_events.create([plugged])
    assert codes(events) == [(200, "completed")], events
    assert events[0]["tag"] == "port-7" and events[0]["server_uuid"] == vm, events

    events = nova.server_external_events.create(
        [plugged, {"name": "network-changed", "server_uuid": NOWHERE}, {"name": "network-changed", "server_uuid": homeless}]
    )
    assert codes(events) == [(200, "completed"), (404, "failed"), (422, "failed")], events

    # A name of a later version, too early and in time.
    extended = {"name": "volume-extended", "server_uuid": vm, "tag": "volume-7"}
    try:
        nova.server_external_events.create([extended])
        raise AssertionError("2.1 knows no volume-extended")
    except exceptions.BadRequest as error:
        assert "'volume-extended' is not one of ['network-changed'" in str(error), error
        assert error.request_id.startswith("req-"), error.request_id
    nova = client.Client("2.51", session=session(address))
    events = nova.server_external_events.create([extended, {"name": "volume-extended", "server_uuid": vm}])
    assert codes(events) == [(200, "completed"), (400, "failed")], events

    # The highest that client and server both know.
    highest = api_versions.discover_version(nova, api_versions.APIVersion("2.latest"))
    assert highest == novaclient.API_MAX_VERSION, highest
    nova = client.Client(highest, session=session(address))
    events = nova.server_external_events.create([{"name": "power-update", "server_uuid": vm, "tag": "POWER_OFF"}])
    assert codes(events) == [(200, "completed")], events

    try:
        nova.server_external_events.create([{"name": "network-changed", "server_uuid": NOWHERE}])
        raise AssertionError("nothing was accepted")
    except exceptions.NotFound as error:
        assert "No instances found for any event" in str(error), error


def with_sdk(address, vm, token):
    """OpenStack's SDK, by its compute proxy and by the adapter that services use."""
    import openstack
    from openstack import exceptions

    cloud = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth=credentials(address),
        region_name="here",
        compute_default_microversion="2.93",
    )
    data = cloud.compute.get_endpoint_data()
    assert (data.min_microversion, data.max_microversion) == ((2, 1), (2, 104)), data
    reimaged = {"name": "volume-reimaged", "server_uuid": vm, "tag": "volume-9"}
    made = list(cloud.compute.create_server_external_events([reimaged]))
    assert [(event.code, event.status, event.tag) for event in made] == [(200, "completed", "volume-9")], made

    reply = cloud.compute.post("/os-server-external-events", json={"events": [reimaged]})
    assert reply.headers["OpenStack-API-Version"] == "compute 2.93", reply.headers
    assert reply.headers["X-Openstack-Request-Id"].startswith("req-"), reply.headers

    mixed = [reimaged | {"server_uuid": NOWHERE}, reimaged]
    made = cloud.compute.create_server_external_events(mixed)
    assert [(event.code, event.status) for event in made] == [(404, "failed"), (200, "completed")]
    try:
        list(cloud.compute.create_server_external_events(mixed[:1]))
        raise AssertionError("nothing was accepted")
    except exceptions.NotFoundException as error:
        assert "No instances found for any event" in str(error), error

    for body, microversion, status, text in [
        ({"events": []}, "2.93", 400, "[] should be non-empty"),
        ({"events": [reimaged]}, "2.92", 400, "'volume-reimaged' is not one of"),
        ({"events": [reimaged]}, "2.105", 406, "Minimum is 2.1 and maximum is 2.104"),
        ({"events": [mixed[0]]}, "2.93", 404, "No instances found for any event"),
    ]:
        reply = cloud.compute.post(
            "/os-server-external-events", json=body, microversion=microversion, raise_exc=False
        )
        assert reply.status_code == status and text in reply.text, (status, reply.text)
        try:
            exceptions.raise_from_response(reply)
            raise AssertionError("the SDK sees no failure")
        except exceptions.HttpException as error:
            assert error.status_code == status and text in str(error), error

    # A service that acts for a user sends its own token along.
    for service, status in [(token, 200), ("th_wrong", 401)]:
        reply = cloud.compute.post(
            "/os-server-external-events",
            json={"events": [reimaged]},
            headers={"X-Service-Token": service},
            raise_exc=False,
        )
        assert reply.status_code == status, reply.text
    assert reply.headers["WWW-Authenticate"].startswith('Keystone uri="http://127.0.0.1:'), reply.headers


def main(binary):
    with serving(binary) as server:
        project = native(server, "GET", "/accounts")["items"][0]["id"]
        vm, homeless = stage(server)
        with keystone(server, project, f"{server.url}/v2.1") as (address, asked):
            with_novaclient(address, vm, homeless)
            with_sdk(address, vm, server.token)
            assert asked.count("POST /v3/auth/tokens") >= 2, asked
        # A catalog of before 2.1 had the project in it.
        with keystone(server, project, f"{server.url}/v2.1/{project.replace('-', '')}") as (address, _):
            from novaclient import client

            nova = client.Client("2.1", session=session(address))
            events = nova.server_external_events.create([{"name": "network-changed", "server_uuid": vm}])
            assert codes(events) == [(200, "completed")], events
        runs = printed(server, 9)
        expected = [
            "network-vif-plugged vm-1 port-7",
            "network-vif-plugged vm-1 port-7",
            "volume-extended vm-1 volume-7",
            "power-update vm-1 POWER_OFF",
            *["volume-reimaged vm-1 volume-9"] * 4,
            # No hook waits for this one.
            "",
        ]
        assert runs == expected, runs
    with serving(binary, "--nova-all-failed", "modern") as server:
        project = native(server, "GET", "/accounts")["items"][0]["id"]
        with keystone(server, project, f"{server.url}/v2.1") as (address, _):
            from novaclient import client

            nova = client.Client("2.1", session=session(address))
            events = nova.server_external_events.create([{"name": "network-changed", "server_uuid": NOWHERE}])
            assert codes(events) == [(404, "failed")], events
    print("novaclient and the SDK got what they asked for")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else BINARY)
