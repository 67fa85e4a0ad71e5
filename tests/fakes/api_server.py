"""An API server that misbehaves on request.

It speaks just enough of the API for the command line, in memory, and each request may meet a fault:
an answer with a status, a connection that is cut, JSON that is none, a slow answer. Use it as

    with FakeServer() as server:
        server.fail("GET", "/v1/account", status=500)
        run(["vend", ...], VEND_URL=server.url, VEND_API_TOKEN=server.token)
        assert server.count("GET", "/v1/account") == 1
"""

import copy
import hashlib
import itertools
import json
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "vend_test"
VERSION = "ab" * 32
PAGE = 2

DEFAULT_SCHEMA = {
    "components": {
        "schemas": {
            "Input": {
                "type": "object",
                "required": ["prompt"],
                "properties": {
                    "prompt": {"type": "string", "x-order": 0},
                    "steps": {"type": "integer", "default": 3, "minimum": -9, "maximum": 50, "x-order": 1},
                    "scale": {"type": "number", "x-order": 2},
                    "fast": {"type": "boolean", "x-order": 3},
                    "tags": {"type": "array", "items": {"type": "string"}, "x-order": 4},
                    "image": {"type": "string", "format": "uri", "x-order": 5},
                    "images": {
                        "type": "array",
                        "items": {"type": "string", "format": "uri"},
                        "x-order": 6,
                    },
                    "style": {"allOf": [{"$ref": "#/components/schemas/style"}], "x-order": 7},
                },
            },
            "style": {"enum": ["plain", "fancy"], "type": "string"},
            "Output": {"type": "string"},
        }
    }
}


@dataclass
class Fault:
    """What happens to the next `times` requests that match."""

    method: str
    pattern: str
    times: int = 1
    skip: int = 0  # matching requests that pass before
    status: int | None = None
    body: bytes | None = None
    headers: dict = field(default_factory=dict)
    cut: bool = False  # close without an answer
    cut_after: int | None = None  # take so many bytes of the body, then close
    wait: threading.Event | None = None  # answer when this is set


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class FakeServer:
    def __init__(self, tls=None):
        """`tls` is an ssl.SSLContext, to speak HTTPS."""
        self.token = TOKEN
        self.schema = json.loads(json.dumps(DEFAULT_SCHEMA))
        self.models = {"lab/echo": {"visibility": "private", "latest": VERSION}}
        self.n_more_versions = 4
        self.predictions = {}
        self.trainings = set()  # those of the predictions that are trainings
        self.script = [{"status": "succeeded", "output": "hello"}]
        self.uploads = {}
        self.builds = {}
        self.known_sources = {}
        self.build_log = [b"step 1\n", b"step 2\n"]
        self.build_result = {"status": "succeeded", "version": VERSION, "error": None}
        self.build_polls = 0
        self.files = {}
        self.outputs = {}
        self.tokens = {}
        self.deliveries = []
        self.webhook_key = "whsec_" + "A" * 32
        self.deployments = {}
        self.releases = {}  # those before the current one
        self.cancels_slowly = False
        self.scaling = {"min_instances": 0, "idle_timeout": 300, "on_demand": None}
        self.secrets = {}  # (models or deployments, owner/name) -> name -> value
        self.effective = {}  # scaling settings that are others than those set
        self.spoil = None  # changes each JSON value before it is sent
        self.faults = []
        self.requests = []
        self.seen = threading.Condition()
        self.ids = itertools.count(1)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.fake = self
        self.http.daemon_threads = True
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        for fault in self.faults:
            if fault.wait is not None:
                fault.wait.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def fail(self, method, pattern, **how):
        """The next request that matches meets this; `pattern` is a regular expression for its path."""
        self.faults.append(Fault(method, pattern, **how))

    def count(self, method, pattern):
        return len(self.find(method, pattern))

    def find(self, method, pattern):
        return [r for r in self.requests if r.method == method and re.fullmatch(pattern, r.path)]

    def wait_for(self, method, pattern, times=1, timeout=20):
        """Blocks until so many matching requests have come in."""
        with self.seen:
            assert self.seen.wait_for(lambda: self.count(method, pattern) >= times, timeout), (
                f"no {method} {pattern}"
            )

    def new_id(self):
        return f"{next(self.ids):0>26}"

    def add_prediction(self, script, **members):
        """A prediction that goes through `script`, one entry a look, the last one for ever."""
        key = self.new_id()
        self.predictions[key] = {"id": key, "model": "lab/echo", "script": list(script), **members}
        return key

    def add_training(self, script, **members):
        key = self.add_prediction(script, **members)
        self.trainings.add(key)
        return key

    def knows(self, request, key):
        """Whether the request asks for `key` by its kind: trainings are no predictions."""
        is_training = request.path.startswith("/v1/trainings")
        return key in self.predictions and (key in self.trainings) == is_training

    def take_fault(self, method, path):
        for fault in self.faults:
            if fault.method != method or not re.fullmatch(fault.pattern, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times > 0:
                fault.times -= 1
                return fault
        return None


class Cut(Exception):
    """The connection is to be closed without another byte."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (Cut, ConnectionError):
            # Reset instead of a clean end, so that the client cannot take it for a short answer.
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )

    def finish(self):
        try:
            super().finish()
        except ConnectionError:
            pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    @property
    def fake(self) -> FakeServer:
        return self.server.fake

    def read_body(self, limit=None):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        size = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(size if limit is None else min(size, limit))

    def answer(self):
        parts = urlsplit(self.path)
        fault = self.fake.take_fault(self.command, parts.path)
        body = self.read_body(fault.cut_after if fault else None)
        request = Request(
            self.command,
            parts.path,
            parse_qs(parts.query),
            {k.lower(): v for k, v in self.headers.items()},
            body,
        )
        with self.fake.seen:
            self.fake.requests.append(request)
            self.fake.seen.notify_all()
        if fault is not None and self.suffer(fault, request):
            return
        if not self.may_pass(request):
            self.problem(401, "You did not pass a valid authentication token")
            return
        self.route(request)

    def suffer(self, fault, request):
        """True when the fault was the whole answer."""
        if fault.cut_after is not None:
            self.keep_partial(request)
            raise Cut
        if fault.cut:
            raise Cut
        if fault.wait is not None:
            fault.wait.wait(30)
            return False
        if fault.body is not None:
            self.send(fault.status or 200, fault.body, "application/json", fault.headers)
        else:
            self.problem(fault.status, f"fault {fault.status}", headers=fault.headers)
        return True

    def keep_partial(self, request):
        """What arrived of a piece counts, as on a server that writes as it reads."""
        found = re.fullmatch(r"/v1/uploads/(\w+)", request.path)
        if found and request.method == "PATCH":
            upload = self.fake.uploads[found[1]]
            if int(request.headers["upload-offset"]) == len(upload["data"]):
                upload["data"] += request.body

    def may_pass(self, request):
        if request.path.startswith(("/-/", "/v1/outputs/")):
            return True
        return request.headers.get("authorization") == f"Bearer {self.fake.token}"

    def send(self, status, body, content_type, headers=None):
        sent = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
        self.send_response(status)
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        # A length that promises more than there is: the connection ends in the middle.
        self.close_connection = self.close_connection or int(sent["Content-Length"]) > len(body)
        self.wfile.write(body)

    def json(self, status, value):
        value = self.fake.spoil(value) if self.fake.spoil else value
        self.send(status, json.dumps(value).encode(), "application/json")

    def problem(self, status, detail, headers=None, **more):
        value = {"title": "Problem", "detail": detail, "status": status, **more}
        value = self.fake.spoil(value) if self.fake.spoil else value
        self.send(status, json.dumps(value).encode(), "application/problem+json", headers)

    def page(self, request, items):
        start = int(request.query.get("cursor", ["0"])[0])
        end = start + PAGE
        following = f"{self.fake.url}{request.path}?cursor={end}" if end < len(items) else None
        self.json(200, {"next": following, "previous": None, "results": items[start:end]})

    def route(self, request):
        for method, pattern, handler in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if method == request.method and found:
                handler(self, request, *found.groups())
                return
        self.problem(404, "The requested resource could not be found.")

    # Models and versions

    def version_json(self, key):
        return {
            "id": key,
            "created_at": "2026-01-05T09:30:00.000Z",
            "cog_version": "0.23.1",
            "openapi_schema": self.fake.schema,
        }

    def model_json(self, reference):
        model = self.fake.models[reference]
        owner, name = reference.split("/")
        return {
            "owner": owner,
            "name": name,
            "visibility": model["visibility"],
            "description": None,
            "run_count": 7,
            "url": f"{self.fake.url}/{reference}",
            "created_at": "2026-01-05T09:00:00.000Z",
            "latest_version": model["latest"] and self.version_json(model["latest"]),
        }

    def list_models(self, request):
        self.page(request, [self.model_json(m) for m in self.fake.models])

    def create_model(self, request):
        body = request.json
        reference = f"{body['owner']}/{body['name']}"
        if reference in self.fake.models:
            self.problem(409, f"the model {reference} is there already")
            return
        self.fake.models[reference] = {"visibility": body["visibility"], "latest": None}
        self.json(201, self.model_json(reference))

    def get_model(self, request, reference):
        if reference not in self.fake.models:
            self.problem(404, "The requested resource could not be found.")
            return
        self.json(200, self.model_json(reference))

    def patch_model(self, request, reference):
        if reference not in self.fake.models:
            self.problem(404, "The requested resource could not be found.")
            return
        self.fake.models[reference].update(request.json)
        self.json(200, self.model_json(reference))

    def delete_model(self, request, reference):
        if reference not in self.fake.models:
            self.problem(404, "The requested resource could not be found.")
            return
        self.fake.models.pop(reference)
        self.send(204, b"", "text/plain")

    def list_versions(self, request, reference):
        keys = [VERSION, *(f"{i:064x}" for i in range(self.fake.n_more_versions))]
        self.page(request, [self.version_json(k) for k in keys])

    def get_version(self, request, reference, key):
        if reference not in self.fake.models:
            self.problem(404, "The requested resource could not be found.")
            return
        self.json(200, self.version_json(key))

    def delete_version(self, request, reference, key):
        self.send(202, b"", "text/plain")

    # Predictions

    def prediction_json(self, key):
        prediction = dict(self.fake.predictions[key])
        script = prediction.pop("script")
        prediction.pop("cancel_asked", None)
        return {
            "version": VERSION,
            "input": {},
            "output": None,
            "logs": "",
            "error": None,
            "metrics": {},
            "created_at": "2026-01-05T10:00:00.120Z",
            **prediction,
            **script[0],
            "urls": {"get": f"{self.fake.url}/v1/predictions/{key}"},
        }

    def create_prediction(self, request, reference=None):
        self.create(request, self.fake.add_prediction)

    def create(self, request, add):
        key = add([{"status": "starting"}, *self.fake.script], input=request.json["input"])
        self.json(201, self.prediction_json(key))

    def list_predictions(self, request):
        keys = [k for k in reversed(self.fake.predictions) if self.fake.knows(request, k)]
        self.page(request, [self.prediction_json(k) for k in keys])

    def get_prediction(self, request, key):
        if not self.fake.knows(request, key):
            self.problem(404, "The requested resource could not be found.")
            return
        script = self.fake.predictions[key]["script"]
        if len(script) > 1:
            script.pop(0)
        self.json(200, self.prediction_json(key))

    def cancel_prediction(self, request, key):
        if not self.fake.knows(request, key):
            self.problem(404, "The requested resource could not be found.")
            return
        script = self.fake.predictions[key]["script"]
        if script[0]["status"] not in ("succeeded", "failed") and not self.fake.cancels_slowly:
            script[:] = [{**script[0], "status": "canceled"}]
        self.json(200, self.prediction_json(key))

    # Files

    def create_file(self, request):
        boundary = request.headers["content-type"].split("boundary=")[1].encode()
        part = request.body.split(b"--" + boundary)[1]
        head, data = part.split(b"\r\n\r\n", 1)
        key = self.fake.new_id()
        self.fake.files[key] = (head.decode(), data.removesuffix(b"\r\n"))
        self.json(201, {"id": key, "urls": {"get": f"{self.fake.url}/v1/files/{key}"}})

    def get_output(self, request, name):
        self.send(200, self.fake.outputs[name], "application/octet-stream")

    # Push

    def upload_json(self, key):
        upload = self.fake.uploads[key]
        offset = len(upload["data"])
        return {
            "id": key,
            "offset": offset,
            "size": upload["size"],
            "complete": offset == upload["size"],
        }

    def create_upload(self, request):
        for key, upload in self.fake.uploads.items():
            if upload["sha256"] == request.json["sha256"]:
                self.json(200, self.upload_json(key))
                return
        key = self.fake.new_id()
        self.fake.uploads[key] = {**request.json, "data": b""}
        self.json(201, self.upload_json(key))

    def get_upload(self, request, key):
        self.json(200, self.upload_json(key))

    def patch_upload(self, request, key):
        upload = self.fake.uploads[key]
        if int(request.headers["upload-offset"]) != len(upload["data"]):
            self.problem(409, "not where the upload stands", offset=len(upload["data"]))
            return
        upload["data"] += request.body
        digest = hashlib.sha256(upload["data"]).hexdigest()
        if len(upload["data"]) == upload["size"] and digest != upload["sha256"]:
            self.problem(422, "the upload has another SHA-256")
            return
        self.json(200, self.upload_json(key))

    def build_json(self, key):
        build = self.fake.builds[key]
        return {"id": key, "model": build["model"], "error": None, "version": None, **build["state"]}

    def create_build(self, request, reference):
        body = request.json
        known = self.fake.known_sources.get(body["source_sha256"])
        key = self.fake.new_id()
        if known is not None:
            state = {"status": "succeeded", "version": known}
            self.fake.builds[key] = {"model": reference, "state": state}
            self.json(200, self.build_json(key))
        elif "upload" not in body:
            self.problem(404, "no version of this source")
        else:
            self.fake.builds[key] = {"model": reference, "state": {"status": "queued"}}
            self.json(201, self.build_json(key))

    def get_build(self, request, key):
        build = self.fake.builds[key]
        if self.fake.build_polls > 0:
            self.fake.build_polls -= 1
        elif build["state"]["status"] == "queued":
            build["state"] = self.fake.build_result
        self.json(200, self.build_json(key))

    def get_build_log(self, request, key):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in self.fake.build_log:
            if piece is None:
                raise Cut
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def cancel_build(self, request, key):
        self.fake.builds[key]["state"] = {"status": "failed", "error": "canceled"}
        self.json(200, self.build_json(key))

    # Deployments and trainings

    def list_deployments(self, request):
        self.page(request, list(self.fake.deployments.values()))

    def create_deployment(self, request):
        body = request.json
        about = ("name", "model", "version")
        made = {
            "owner": "lab",
            "name": body["name"],
            "current_release": {
                "number": 1,
                "model": body["model"],
                "version": body["version"],
                "created_at": "2026-01-05T09:00:00.000Z",
                "created_by": {"type": "user", "username": "lab"},
                "configuration": {name: body[name] for name in body if name not in about},
            },
        }
        self.fake.deployments[f"lab/{body['name']}"] = made
        self.json(200, made)

    def list_secrets(self, request, kind, reference):
        kept = sorted(self.fake.secrets.get((kind, reference), {}))
        self.json(200, {"results": [{"name": n, "set_at": "2026-01-05T10:00:00.000Z"} for n in kept]})

    def set_secret(self, request, kind, reference, name):
        self.fake.secrets.setdefault((kind, reference), {})[name] = request.json["value"]
        self.json(200, {"name": name, "set_at": "2026-01-05T10:00:00.000Z"})

    def remove_secret(self, request, kind, reference, name):
        if self.fake.secrets.get((kind, reference), {}).pop(name, None) is None:
            self.problem(404, "The requested resource could not be found.")
        else:
            self.send(204, b"", "application/json")

    def get_scaling(self, request, reference):
        effective = {**self.fake.scaling, **self.fake.effective}
        self.json(200, {**self.fake.scaling, "effective": effective})

    def patch_scaling(self, request, reference):
        self.fake.scaling.update(request.json)
        self.get_scaling(request, reference)

    def deployment(self, reference):
        found = self.fake.deployments.get(reference)
        if found is None:
            self.problem(404, "The requested resource could not be found.")
        return found

    def get_deployment(self, request, reference):
        if self.deployment(reference):
            self.json(200, self.deployment(reference))

    def list_releases(self, request, reference):
        found = self.deployment(reference)
        if found:
            releases = [*self.fake.releases.get(reference, []), found["current_release"]]
            self.page(request, [{**release, "token": "laptop"} for release in reversed(releases)])

    def patch_deployment(self, request, reference):
        found = self.deployment(reference)
        if found:
            release = found["current_release"]
            self.fake.releases.setdefault(reference, []).append(copy.deepcopy(release))
            release["number"] += 1
            for name, value in request.json.items():
                place = release if name == "version" else release["configuration"]
                place[name] = value
            self.json(200, found)

    def delete_deployment(self, request, reference):
        if self.deployment(reference):
            del self.fake.deployments[reference]
            self.send(204, b"", "text/plain")

    def create_training(self, request, reference, version):
        self.create(request, self.fake.add_training)

    def list_hardware(self, request):
        self.json(200, [{"sku": "cpu", "name": "CPU"}, {"sku": "gpu-x", "name": "Some GPU"}])

    # The rest

    def health(self, request):
        self.json(200, {"status": "ok", "version": "9.9.9"})

    def ready(self, request):
        self.json(200, {"status": "ready"})

    def account(self, request):
        account = {"type": "user", "username": "lab", "name": "Lab"}
        self.json(200, {**account, "stored_bytes": 3 << 20, "stored_bytes_limit": None})

    def list_tokens(self, request):
        self.json(200, {"results": list(self.fake.tokens.values())})

    def create_token(self, request):
        key = self.fake.new_id()
        self.fake.tokens[key] = {
            "id": key,
            "name": request.json["name"],
            "prefix": "vend_abcd",
            "scopes": request.json["scopes"],
            "created_at": "2026-01-05T09:00:00.000Z",
            "last_used_at": None,
            "revoked_at": None,
        }
        self.json(201, {**self.fake.tokens[key], "token": "vend_secret"})

    def delete_token(self, request, key):
        if self.fake.tokens.pop(key, None) is None:
            self.problem(404, "The requested resource could not be found.")
            return
        self.send(204, b"", "text/plain")

    # Webhooks

    def list_deliveries(self, request):
        state = request.query.get("state", [None])[0]
        found = [d for d in self.fake.deliveries if state in (None, d["state"])]
        start = int(request.query.get("cursor", ["0"])[0])
        end = start + PAGE
        following = f"{self.fake.url}{request.path}?cursor={end}"
        following += f"&state={state}" if state else ""
        self.json(
            200,
            {
                "next": following if end < len(found) else None,
                "previous": None,
                "results": found[start:end],
            },
        )

    def replay_delivery(self, request, key):
        for delivery in self.fake.deliveries:
            if delivery["id"] == key and delivery["state"] == "dead":
                delivery.update(state="pending", tries=0)
                self.json(202, delivery)
                return
        self.problem(409, "the delivery is delivered; only a dead one can be sent again")

    def get_secret(self, request):
        self.json(200, {"key": self.fake.webhook_key})

    def rotate_secret(self, request):
        self.fake.webhook_key = "whsec_" + "B" * 32
        until = "2026-01-06T10:00:00.000000Z"
        self.json(200, {"key": self.fake.webhook_key, "previous_expires_at": until})


MODEL = r"/v1/models/([^/]+/[^/]+)"
SECRETS = "/v1/(models|deployments)/([^/]+/[^/]+)/secrets"

ROUTES = [
    ("GET", "/-/healthz", Handler.health),
    ("GET", "/-/readyz", Handler.ready),
    ("GET", "/v1/account", Handler.account),
    ("GET", "/v1/models", Handler.list_models),
    ("POST", "/v1/models", Handler.create_model),
    ("GET", MODEL, Handler.get_model),
    ("PATCH", MODEL, Handler.patch_model),
    ("DELETE", MODEL, Handler.delete_model),
    ("GET", SECRETS, Handler.list_secrets),
    ("PUT", SECRETS + "/([^/]+)", Handler.set_secret),
    ("DELETE", SECRETS + "/([^/]+)", Handler.remove_secret),
    ("GET", MODEL + "/scaling", Handler.get_scaling),
    ("PATCH", MODEL + "/scaling", Handler.patch_scaling),
    ("GET", MODEL + "/versions", Handler.list_versions),
    ("GET", MODEL + r"/versions/(\w+)", Handler.get_version),
    ("DELETE", MODEL + r"/versions/(\w+)", Handler.delete_version),
    ("POST", MODEL + "/predictions", Handler.create_prediction),
    ("POST", MODEL + "/builds", Handler.create_build),
    ("POST", MODEL + r"/versions/(\w+)/trainings", Handler.create_training),
    ("GET", "/v1/trainings", Handler.list_predictions),
    ("GET", r"/v1/trainings/(\w+)", Handler.get_prediction),
    ("POST", r"/v1/trainings/(\w+)/cancel", Handler.cancel_prediction),
    ("GET", "/v1/deployments", Handler.list_deployments),
    ("POST", "/v1/deployments", Handler.create_deployment),
    ("GET", r"/v1/deployments/([^/]+/[^/]+)", Handler.get_deployment),
    ("GET", r"/v1/deployments/([^/]+/[^/]+)/releases", Handler.list_releases),
    ("PATCH", r"/v1/deployments/([^/]+/[^/]+)", Handler.patch_deployment),
    ("DELETE", r"/v1/deployments/([^/]+/[^/]+)", Handler.delete_deployment),
    ("POST", r"/v1/deployments/([^/]+/[^/]+)/predictions", Handler.create_prediction),
    ("GET", "/v1/hardware", Handler.list_hardware),
    ("POST", "/v1/predictions", Handler.create_prediction),
    ("GET", "/v1/predictions", Handler.list_predictions),
    ("GET", r"/v1/predictions/(\w+)", Handler.get_prediction),
    ("POST", r"/v1/predictions/(\w+)/cancel", Handler.cancel_prediction),
    ("POST", "/v1/files", Handler.create_file),
    ("GET", r"/v1/outputs/\w+/(.+)", Handler.get_output),
    ("POST", "/v1/uploads", Handler.create_upload),
    ("GET", r"/v1/uploads/(\w+)", Handler.get_upload),
    ("PATCH", r"/v1/uploads/(\w+)", Handler.patch_upload),
    ("GET", r"/v1/builds/(\w+)", Handler.get_build),
    ("GET", r"/v1/builds/(\w+)/log", Handler.get_build_log),
    ("POST", r"/v1/builds/(\w+)/cancel", Handler.cancel_build),
    ("GET", "/v1/tokens", Handler.list_tokens),
    ("POST", "/v1/tokens", Handler.create_token),
    ("DELETE", r"/v1/tokens/(\w+)", Handler.delete_token),
    ("GET", "/v1/webhooks/deliveries", Handler.list_deliveries),
    ("POST", r"/v1/webhooks/deliveries/(\w+)/replay", Handler.replay_delivery),
    ("GET", "/v1/webhooks/default/secret", Handler.get_secret),
    ("POST", "/v1/webhooks/default/secret/rotate", Handler.rotate_secret),
]
