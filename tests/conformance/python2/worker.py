"""The calls of the suite, made with `replicate` 2.x."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import client_loop  # noqa: E402
import replicate  # noqa: E402
from replicate.lib._files import FileOutput  # noqa: E402


def make_client(url, token, **options):
    os.environ["REPLICATE_BASE_URL"], os.environ["REPLICATE_API_TOKEN"] = url + "/v1", token
    return replicate.Client(bearer_token=token, base_url=url + "/v1", **options)


def is_file(value):
    return isinstance(value, FileOutput)


def plain(resource):
    return resource.to_dict(mode="json")


def plain_list(resources):
    return [plain(resource) for resource in resources]


# Running


def run(client, ref, input, **more):
    return client_loop.read_files(client.run(ref, input=input, **more), is_file)


def use(client, ref, input):
    return client_loop.read_files(replicate.use(ref)(**input), is_file)


def use_in_pieces(client, ref, input):
    return list(replicate.use(ref, streaming=True)(**input))


def create(client, model=None, **arguments):
    if model:
        owner, name = model.split("/")
        made = client.models.predictions.create(model_owner=owner, model_name=name, **arguments)
    else:
        made = client.predictions.create(**arguments)
    return plain(made)


def get(client, id):
    return plain(client.predictions.get(prediction_id=id))


def wait(client, id):
    return plain(client.predictions.wait(id))


def cancel(client, id):
    return plain(client.predictions.cancel(prediction_id=id))


def predictions(client):
    return plain_list(client.predictions.list().results)


def all_predictions(client):
    return [item.id for item in client.predictions.list()]


def all_models(client):
    return [item.name for item in client.models.list()]


# Models


def account(client):
    return plain(client.account.get())


def models(client):
    return plain_list(client.models.list().results)


def model(client, owner, name):
    return plain(client.models.get(model_owner=owner, model_name=name))


def create_model(client, owner, name):
    return plain(
        client.models.create(owner=owner, name=name, visibility="private", hardware="cpu")
    )


def update_model(client, owner, name, **changes):
    return plain(client.models.update(model_owner=owner, model_name=name, **changes))


def delete_model(client, owner, name):
    client.models.delete(model_owner=owner, model_name=name)
    return True


def readme(client, owner, name):
    return client.models.readme.get(model_owner=owner, model_name=name)


def examples(client, owner, name):
    return plain_list(client.models.examples.list(model_owner=owner, model_name=name).results)


def versions(client, owner, name):
    page = client.models.versions.list(model_owner=owner, model_name=name)
    return plain_list(page.results)


def version(client, owner, name, id):
    return plain(client.models.versions.get(model_owner=owner, model_name=name, version_id=id))


def delete_version(client, owner, name, id):
    client.models.versions.delete(model_owner=owner, model_name=name, version_id=id)
    return True


def search_models(client, text):
    return plain_list(client.models.search(body=text).results)


def search(client, text):
    return plain(client.search(query=text))


def collections(client):
    return plain_list(client.collections.list().results)


def collection(client, slug):
    return plain(client.collections.get(collection_slug=slug))


def hardware(client):
    return plain_list(client.hardware.list())


# Deployments


def deployments(client):
    return plain_list(client.deployments.list().results)


def deployment(client, owner, name):
    return plain(client.deployments.get(deployment_owner=owner, deployment_name=name))


def create_deployment(client, **arguments):
    return plain(client.deployments.create(**arguments))


def update_deployment(client, owner, name, **changes):
    return plain(
        client.deployments.update(deployment_owner=owner, deployment_name=name, **changes)
    )


def delete_deployment(client, owner, name):
    client.deployments.delete(deployment_owner=owner, deployment_name=name)
    return True


def run_deployment(client, owner, name, input):
    made = client.deployments.predictions.create(
        deployment_owner=owner, deployment_name=name, input=input
    )
    return wait(client, made.id)


# Trainings


def train(client, owner, name, version, destination, input):
    return plain(
        client.trainings.create(
            model_owner=owner,
            model_name=name,
            version_id=version,
            destination=destination,
            input=input,
        )
    )


def training(client, id):
    return plain(client.trainings.get(training_id=id))


def trainings(client):
    return plain_list(client.trainings.list().results)


def cancel_training(client, id):
    return plain(client.trainings.cancel(training_id=id))


# Files and webhooks


def upload(client, file, metadata):
    return plain(
        client.files.create(
            content=(file.name, file.read(), "text/plain"), filename=file.name, metadata=metadata
        )
    )


def file(client, id):
    return plain(client.files.get(file_id=id))


def files(client):
    return plain_list(client.files.list().results)


def delete_file(client, id):
    client.files.delete(file_id=id)
    return True


def download(client, id, **query):
    return client.files.download(file_id=id, **query).read().decode()


def secret(client):
    return client.webhooks.default.secret.get().key


if __name__ == "__main__":
    client_loop.serve(globals(), make_client)
