"""Images that Cog made, pushed to the registry: versions of the model, and what they may and may not do."""

import json

import pytest

from registry import INDEX, MANIFEST, SCHEMA, Registry, cog_labels, digest_of


@pytest.fixture
def repo(server, request):
    """A model of its own for each test."""
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()[:60].strip("-")
    server.api().post(
        "/models", {"owner": "lab", "name": name, "visibility": "public", "hardware": "cpu"}, 201
    )
    return Registry(server, f"lab/{name}")


def versions(api, repo):
    return api.get(f"/models/{repo.name}/versions").json()["results"]


def latest(api, repo):
    version = api.get(f"/models/{repo.name}").json()["latest_version"]
    return version and version["id"]


def id_of(manifest):
    return digest_of(manifest).removeprefix("sha256:")


def test_an_image_is_a_version(api, repo):
    manifest = repo.image(cog_labels())
    reply = repo.put("v1", manifest)
    assert reply.headers["Vend-Version"] == id_of(manifest)
    (version,) = versions(api, repo)
    assert version["id"] == id_of(manifest) == latest(api, repo)
    assert version["cog_version"] == "0.16.0" and version["openapi_schema"] == SCHEMA
    assert version["runner"] == "image"
    made = api.get(f"/models/{repo.name}/versions/{version['id']}/provenance").json()
    assert made["packages"] == ["numpy==2.1.0", "requests==2.32.0"] and made["python"] == "3.11"
    assert made["config"]["predict"] == "predict.py:Predictor"
    # Once more: the same version.
    repo.put("v1", manifest)
    repo.put("again", manifest)
    assert len(versions(api, repo)) == 1


def test_labels_of_older_releases(api, repo):
    old = {
        "org.cogmodel.cog_version": "0.4.4",
        "org.cogmodel.openapi_schema": json.dumps(SCHEMA),
        "org.cogmodel.config": "{}",
    }
    repo.put("old", repo.image(old))
    (version,) = versions(api, repo)
    assert version["cog_version"] == "0.4.4" and version["openapi_schema"] == SCHEMA


@pytest.mark.parametrize(
    "change,words",
    [
        ({"run.cog.openapi_schema": None}, ("run.cog.openapi_schema", "cog build")),
        ({"run.cog.version": None}, ("run.cog.version", "cog build")),
        ({"run.cog.openapi_schema": "{"}, ("run.cog.openapi_schema",)),
        ({"run.cog.openapi_schema": "{}"}, ("run.cog.openapi_schema", "Input")),
    ],
)
def test_a_label_is_missing(api, repo, change, words):
    manifest = repo.image(cog_labels(**change))
    message = repo.refused(
        "PUT", "manifests/v1", 400, "MANIFEST_INVALID", data=manifest, headers={"Content-Type": MANIFEST}
    )
    assert all(word in message for word in words)
    assert versions(api, repo) == [] and repo.tags() == []
    repo.refused("GET", f"manifests/{digest_of(manifest)}", 404, "MANIFEST_UNKNOWN")


@pytest.mark.parametrize(
    "labels,config",
    [(None, {}), ({"org.example": "x"}, {}), (cog_labels(), {"architecture": "arm64"}), (cog_labels(), {"os": "windows"})],
)
def test_other_images_are_stored(api, repo, labels, config):
    reply = repo.put("plain", repo.image(labels, **config))
    assert "is no version" in reply.headers["Warning"] and "Vend-Version" not in reply.headers
    assert versions(api, repo) == [] and repo.tags() == ["plain"]
    message = api.post(f"/models/{repo.name}/predictions", {"input": {}}, 422).json()["detail"]
    assert "no version yet" in message


def test_a_deeper_name_makes_no_version(api, server, repo):
    deeper = Registry(server, repo.name + "/weights")
    deeper.put("v1", deeper.image(cog_labels()))
    assert versions(api, repo) == []


def index_of(*manifests, **more):
    entries = [
        {"mediaType": MANIFEST, "digest": digest_of(m), "size": len(m), "platform": {"os": "linux", "architecture": a}}
        for m, a in manifests
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **more}).encode()


def test_an_index_with_one_image(api, repo):
    first = repo.image(cog_labels())
    repo.put("old", first)
    second = repo.image(cog_labels(), {"src/predict.py": b"# newer\n"})
    weights = repo.image(None, {"weights.bin": b"w"})
    for one in (second, weights):
        repo.put(digest_of(one), one)
    assert latest(api, repo) == id_of(first), "a digest names nothing new"
    index = index_of((second, "amd64"), (weights, "unknown"))
    reply = repo.put("new", index)
    assert reply.headers["Vend-Version"] == id_of(second) == latest(api, repo)
    assert repo.call("GET", "manifests/new", 200).content == index
    assert {v["id"] for v in versions(api, repo)} == {id_of(first), id_of(second)}
    # Two images: nobody can say which one the tag means.
    reply = repo.put("both", index_of((first, "amd64"), (second, "amd64")))
    assert "Vend-Version" not in reply.headers and latest(api, repo) == id_of(second)


def test_managed_weights_stay_with_their_index(api, repo):
    """By Cog's draft: the tag names an index of the image and of a manifest for each weight."""
    image = repo.image(cog_labels())
    config = json.dumps({"files": []}).encode()
    layer = b"weights"
    for blob in (config, layer):
        repo.push_blob(blob)
    weight = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.cog.weight.v1",
            "config": {
                "mediaType": "application/vnd.cog.weight.config.v1+json",
                "digest": digest_of(config),
                "size": len(config),
            },
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(layer), "size": len(layer)}],
            "annotations": {"run.cog.weight.name": "base", "run.cog.weight.target": "/src/weights"},
        }
    ).encode()
    repo.put("cog-image.v1", image)
    repo.put("cog-weight.base.0123456789ab", weight)
    index = index_of((image, "amd64"), (weight, "unknown"))
    reply = repo.put("v1", index)
    assert reply.headers["Vend-Version"] == id_of(image)
    assert [v["id"] for v in versions(api, repo)] == [id_of(image)]
    assert repo.call("GET", f"manifests/{digest_of(weight)}", 200).content == weight


def test_the_newest_tag_is_the_latest(api, repo):
    images = [repo.image(cog_labels(), {"a": bytes([i])}) for i in range(3)]
    for tag, image in zip(("one", "two", "three"), images):
        repo.put(tag, image)
        assert latest(api, repo) == id_of(image)
    repo.put("two", images[1])
    assert latest(api, repo) == id_of(images[2]), "nothing new"
    repo.put("three", images[0])
    assert latest(api, repo) == id_of(images[0]), "the tag has moved"


def test_an_image_beside_a_source(api, server):
    """The newest of both is what the name stands for."""
    before = api.get("/models/lab/echo").json()["latest_version"]["id"]
    repo = Registry(server, "lab/echo")
    manifest = repo.image(cog_labels())
    repo.put("v1", manifest)
    assert latest(api, repo) == id_of(manifest)
    api.delete(f"/models/lab/echo/versions/{id_of(manifest)}", 202)
    assert latest(api, repo) == before
    assert api.run("echo", {"text": "still"})["status"] == "succeeded"


def test_it_has_no_source(api, repo, server):
    manifest = repo.image(cog_labels())
    repo.put("v1", manifest)
    version = id_of(manifest)
    assert "its layers" in api.get(f"/models/{repo.name}/versions/{version}/source", 409).json()["detail"]
    assert "registry" in api.post(f"/models/{repo.name}/versions/{version}/exports", expect=409).json()["detail"]
    listed = server.cli("versions", repo.name)
    assert version[:12] in listed.stdout and "image" in listed.stdout


def test_a_version_goes_with_its_tags(api, repo):
    first = repo.image(cog_labels())
    second = repo.image(cog_labels(), {"src/predict.py": b"2"})
    repo.put("one", first)
    repo.put("two", second)
    repo.put("index", index_of((second, "amd64")))
    api.delete(f"/models/{repo.name}/versions/{id_of(second)}", 202)
    assert repo.tags() == ["one"] and latest(api, repo) == id_of(first)
    # And with its manifest; without its tag it stays.
    repo.call("DELETE", "manifests/one", 202)
    assert latest(api, repo) == id_of(first)
    repo.call("DELETE", f"manifests/{digest_of(first)}", 202)
    assert versions(api, repo) == [] and latest(api, repo) is None
    api.patch(f"/models/{repo.name}", {"visibility": "private"}, 200)
    repo.put("one", first)
    assert "still has versions" in api.delete(f"/models/{repo.name}", 409).json()["detail"]
    api.delete(f"/models/{repo.name}/versions/{id_of(first)}", 202)
    repo.begin()
    api.delete(f"/models/{repo.name}", 204)
    repo.refused("GET", "tags/list", 404, "NAME_UNKNOWN")


def test_sha512_of_a_version(api, repo):
    manifest = repo.image(cog_labels())
    reply = repo.put(digest_of(manifest, "sha512"), manifest)
    assert reply.headers["Vend-Version"] == id_of(manifest) == latest(api, repo)
    repo.call("DELETE", f"manifests/{digest_of(manifest, 'sha512')}", 202)
    assert versions(api, repo) == []
