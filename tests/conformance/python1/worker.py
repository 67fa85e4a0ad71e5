"""The calls of the suite, made with `replicate` 1.x."""

import json
import pathlib
import sys
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import client_loop  # noqa: E402
import replicate  # noqa: E402
from replicate.helpers import FileOutput  # noqa: E402
from replicate.webhook import Webhooks, WebhookSigningSecret  # noqa: E402


def make_client(url, token):
    return replicate.Client(api_token=token, base_url=url)


def is_file(value):
    return isinstance(value, FileOutput)


def plain(resource):
    return json.loads(resource.json())


def plain_list(resources):
    return [plain(resource) for resource in resources]


# Running


def run(client, ref, input, **more):
    output = client.run(ref, input=input, **more)
    if isinstance(output, Iterator) and not is_file(output):
        output = list(output)
    return client_loop.read_files(output, is_file)


def stream(client, ref, input):
    return [
        [event.event.value, client_loop.read_files(event.data, is_file), event.id]
        for event in client.stream(ref, input=input)
    ]


def create(client, **arguments):
    return plain(client.predictions.create(**arguments))


def get(client, id):
    return plain(client.predictions.get(id))


def wait(client, id):
    prediction = client.predictions.get(id)
    prediction.wait()
    return plain(prediction)


def cancel(client, id):
    return plain(client.predictions.cancel(id))


def predictions(client):
    return plain_list(client.predictions.list())


def all_predictions(client):
    return [item.id for page in pages(client.predictions.list) for item in page]


def all_models(client):
    return [item.name for page in pages(client.models.list) for item in page]


def pages(endpoint):
    page = endpoint()
    while True:
        yield page.results
        if page.next is None:
            return
        page = endpoint(page.next)


# Models


def account(client):
    return plain(client.accounts.current())


def models(client):
    return plain_list(client.models.list())


def model(client, owner, name):
    return plain(client.models.get(f"{owner}/{name}"))


def create_model(client, owner, name):
    return plain(client.models.create(owner, name, visibility="private", hardware="cpu"))


def delete_model(client, owner, name):
    return client.models.delete(owner, name)


def versions(client, owner, name):
    return plain_list(client.models.get(owner, name).versions.list())


def version(client, owner, name, id):
    return plain(client.models.get(owner, name).versions.get(id))


def delete_version(client, owner, name, id):
    return client.models.get(owner, name).versions.delete(id)


def search_models(client, text):
    return plain_list(client.models.search(text))


def collections(client):
    return plain_list(client.collections.list())


def collection(client, slug):
    return plain(client.collections.get(slug))


def hardware(client):
    return plain_list(client.hardware.list())


# Deployments


def deployments(client):
    return plain_list(client.deployments.list())


def deployment(client, owner, name):
    return plain(client.deployments.get(f"{owner}/{name}"))


def create_deployment(client, **arguments):
    return plain(client.deployments.create(**arguments))


def update_deployment(client, owner, name, **changes):
    return plain(client.deployments.update(owner, name, **changes))


def delete_deployment(client, owner, name):
    return client.deployments.delete(owner, name)


def run_deployment(client, owner, name, input):
    prediction = client.deployments.predictions.create(f"{owner}/{name}", input=input)
    prediction.wait()
    return plain(prediction)


# Trainings


def train(client, owner, name, version, destination, input):
    return plain(
        client.trainings.create(
            model=f"{owner}/{name}", version=version, input=input, destination=destination
        )
    )


def training(client, id):
    return plain(client.trainings.get(id))


def trainings(client):
    return plain_list(client.trainings.list())


def cancel_training(client, id):
    return plain(client.trainings.cancel(id))


# Files and webhooks


def upload(client, file, metadata):
    return plain(client.files.create(file, filename=file.name, metadata=metadata))


def file(client, id):
    return plain(client.files.get(id))


def files(client):
    return plain_list(client.files.list())


def delete_file(client, id):
    client.files.delete(id)
    return True


def secret(client):
    return client.webhooks.default.secret().key


def validate(client, headers, body, secret):
    Webhooks.validate(
        headers=headers, body=body, secret=WebhookSigningSecret(key=secret), tolerance=60
    )
    return True


if __name__ == "__main__":
    client_loop.serve(globals(), make_client)
