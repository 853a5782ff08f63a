"""A maintenance session on the built server, played by managers as OPNFV Doctor's and
Tacker's are: told by webhook, they reply to the address that they were told.

There is no Fenix client to install. What the two send, header by header and member by
member, is done here with `requests`, as they do it.
"""

import http.server
import json
import pathlib
import queue
import sys
import threading
import time

import requests
from server import BINARY, serving

SPARE = "node-2"
EMPTYING = ("PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE")


class Manager:
    """Hears what its project is told, and replies to it."""

    def __init__(self, token, project, server):
        self.headers = {
            "X-Auth-Token": token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self.project = project
        self.server = server
        self.heard = []

    def hear(self, payload):
        assert payload["project_id"] == self.project, payload
        self.heard.append(payload["state"])
        if payload["state"] == "INSTANCE_ACTION_DONE":
            return
        reply = self.reply_to(payload)
        # Tacker says it again until it sees 200, and 200 alone; once would do here.
        for _ in range(2):
            answer = requests.put(payload["reply_url"], data=json.dumps(reply), headers=self.headers)
            assert answer.status_code == 200, answer.text
        if payload["state"] in EMPTYING:
            for instance in self.server.instances_of(self.project):
                self.server.move(instance, SPARE)


class Doctor(Manager):
    """Asks for its instances where an address stands in their place; says its actions
    instance by instance."""

    def reply_to(self, payload):
        answer = requests.get(payload["instance_ids"], data=None, headers=self.headers)
        assert answer.status_code == 200, answer.text
        instances = answer.json()["instance_ids"]
        assert instances, payload
        reply = {"state": "ACK_" + payload["state"]}
        if payload["state"] in EMPTYING:
            assert "OWN_ACTION" in payload["allowed_actions"], payload
            reply["instance_actions"] = dict.fromkeys(instances, "OWN_ACTION")
        return reply


class Tacker(Manager):
    """Says one action for whatever it was asked about, and its session besides."""

    def reply_to(self, payload):
        reply = {"session_id": payload["session_id"], "state": "ACK_" + payload["state"]}
        instances = self.server.instances_of(self.project)
        if payload["state"] in EMPTYING:
            reply["instance_action"] = "OWN_ACTION"
        else:
            reply["instance_ids"] = instances
        return reply


class Cloud:
    """The server with its inventory, over the native face."""

    def __init__(self, server):
        self.root = server.url
        self.headers = {"Authorization": f"Bearer {server.token}"}

    def call(self, method, path, body=None):
        answer = requests.request(method, self.root + path, json=body, headers=self.headers)
        assert answer.ok, answer.text
        return answer.json()

    def servers(self):
        return self.call("GET", "/api/v1/servers")["items"]

    def move(self, instance, host):
        number = next(one["id"] for one in self.servers() if one["uuid"] == instance)
        self.call("PATCH", f"/api/v1/servers/{number}", {"host": host})

    def instances_of(self, project):
        return [one["uuid"] for one in self.servers() if one["project"] == project]


def listening(managers):
    """Serves the managers' ears; answers with the server."""
    told = queue.Queue()

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.put((self.path.strip("/"), json.loads(body)["data"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    def reply():
        while True:
            project, payload = told.get()
            managers[project].hear(payload)

    ear = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=ear.serve_forever, daemon=True).start()
    threading.Thread(target=reply, daemon=True).start()
    return ear


def main(binary):
    with serving(binary, "--webhook-private-addresses") as server:
        cloud = Cloud(server)
        managers = {
            "doctor": Doctor(server.token, "doctor", cloud),
            "tacker": Tacker(server.token, "tacker", cloud),
        }
        ear = listening(managers)
        for host in ("node-1", SPARE):
            cloud.call("POST", "/api/v1/servers", {"name": host})
        for project in managers:
            body = {"name": f"{project}-vm", "host": "node-1", "project": project, "group": project}
            instance = cloud.call("POST", "/api/v1/servers", body)["uuid"]
            url = f"http://127.0.0.1:{ear.server_port}/{project}"
            hook = {"url": url, "events": ["maintenance.scheduled"], "project": project}
            cloud.call("POST", "/api/v1/webhooks", hook)
            demand(server.url, managers[project].headers, project, instance)
        play(server.url, managers)
    print("a session came to its end as Doctor and Tacker play it")


def demand(root, headers, project, instance):
    """Keeps and forgets constraints as both clients do."""
    group = {
        "group_id": project,
        "project_id": project,
        "group_name": f"{project}_nonha_app_group",
        "anti_affinity_group": False,
        "max_instances_per_host": 0,
        "max_impacted_members": 1,
        "recovery_time": 2,
        "resource_mitigation": True,
    }
    one = {
        "instance_id": instance,
        "project_id": project,
        "group_id": project,
        "instance_name": "vm",
        "max_interruption_time": 120,
        "migration_type": "MIGRATION",
        "resource_mitigation": True,
        "lead_time": 40,
    }
    for path, body in ((f"instance_group/{project}", group), (f"instance/{instance}", one)):
        url = f"{root}/v1/{path}"
        for method, data in (("put", json.dumps(body)), ("delete", None), ("put", json.dumps(body))):
            answer = requests.request(method, url, data=data, headers=headers)
            assert answer.status_code == 200, answer.text


def play(root, managers):
    """Makes a session as Doctor's admin does, and waits for its end."""
    headers = managers["doctor"].headers
    body = {
        "state": "MAINTENANCE",
        "metadata": {"openstack_release": "Train"},
        "hosts": [],
        "maintenance_at": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 1)),
        "workflow": "default",
    }
    url = f"{root}/v1/maintenance"
    answer = requests.post(url, data=json.dumps(body), headers=headers)
    assert answer.status_code == 200, answer.text
    session = f"{url}/{answer.json()['session_id']}"
    state = None
    for _ in range(600):
        state = requests.get(session, data=None, headers=headers).json()["state"]
        if state in ("MAINTENANCE_DONE", "MAINTENANCE_FAILED"):
            break
        time.sleep(0.1)
    detail = requests.get(f"{session}/detail", headers=headers).json()
    assert state == "MAINTENANCE_DONE", json.dumps(detail, indent=1)
    for manager in managers.values():
        said = list(dict.fromkeys(manager.heard))
        assert said == ["MAINTENANCE", "PLANNED_MAINTENANCE", "MAINTENANCE_COMPLETE"], said
    answer = requests.delete(session, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else BINARY)
