"""Pages of lists end at a number of bytes, and go on exactly there."""

import replicate

import processes

PAGE_BYTES = 16 << 20
TEXT_BYTES = 2 << 20


def text(n):
    return f"{n:03d} " + "x" * TEXT_BYTES


def by_pages(api, path):
    """Every page of a list, as (bytes, ids)."""
    pages = []
    while path:
        reply = api.call("GET", path, 200)
        page = reply.json()
        pages.append((len(reply.content), [row["id"] for row in page["results"]]))
        assert page["previous"] is None
        path = page["next"] and page["next"].partition("/v1")[2]
    return pages


def test_predictions_with_large_inputs(servers):
    server = servers("--hardware-units", "1", "--max-instances", "1", "--starvation-bound", "0")
    api = server.api()
    blocker = api.create("echo", {"delay": 600})
    api.reaches(blocker, "processing")
    made = [blocker["id"], *(api.create("echo", {"text": text(n)})["id"] for n in range(40))]
    before = processes.memory_mib(server.process.pid)

    pages = by_pages(api, "/predictions")
    assert [id for _, ids in pages for id in ids] == made[::-1]
    assert all(size < PAGE_BYTES + 2 * TEXT_BYTES for size, _ in pages)
    assert [len(ids) for _, ids in pages[:-1]] == [8] * (len(pages) - 1)
    assert processes.memory_mib(server.process.pid) - before < 200

    client = replicate.Client(api_token=server.token, base_url=server.url)
    seen, page = [], client.predictions.list()
    while True:
        seen += [(p.id, p.input["text"]) for p in page.results if p.id != blocker["id"]]
        if page.next is None:
            break
        page = client.predictions.list(cursor=page.next)
    assert [id for id, _ in seen] == made[:0:-1]
    assert all(given == text(39 - n) for n, (_, given) in enumerate(seen))


def test_examples_and_models_with_large_descriptions(api):
    about = "a long one " + "y" * ((1 << 20) - 20)
    for n in range(20):
        model = {"owner": "lab", "name": f"long-{n}", "visibility": "public", "hardware": "cpu"}
        api.post("/models", model, 201)
        api.patch(f"/models/lab/long-{n}", {"description": about}, 200)
    ran = [api.run("echo", {"text": "x" * (1 << 20)}) for _ in range(8)]
    for one in ran:
        api.post("/models/lab/echo/examples", {"prediction": one["id"]}, 201)

    pages = by_pages(api, "/models/lab/echo/examples")
    assert [id for _, ids in pages for id in ids] == [one["id"] for one in ran]
    assert len(pages) == 2 and pages[0][0] < PAGE_BYTES + (4 << 20)

    for order in ("", "&sort_by=model_created_at", "&sort_direction=asc"):
        names, sizes, path = [], [], f"/models?{order}"
        while path:
            reply = api.call("GET", path, 200)
            names += [model["name"] for model in reply.json()["results"]]
            sizes.append(len(reply.content))
            path = (reply.json()["next"] or "").partition("/v1")[2]
        assert len(names) == len(set(names)) and {f"long-{n}" for n in range(20)} <= set(names)
        assert len(sizes) > 1 and max(sizes) < PAGE_BYTES + (4 << 20)

    found = api.call("QUERY", "/models", 200, data="long one", headers={"Content-Type": "text/plain"})
    hits = [m for m in found.json()["results"] if m["name"].startswith("long-")]
    assert len(hits) == 20 and len(found.content) < PAGE_BYTES + (2 << 20)
    assert hits[0]["description"] == about and hits[-1]["description"] is None
