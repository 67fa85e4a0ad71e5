"""Texts that mean the same are near each other."""

import math

from waiting import wait_until

CATS = ["The cat sleeps on the sofa.", "A kitten naps on a cushion."]
MARKET = "Stock prices fell on Monday."


def likeness(one, other):
    return sum(a * b for a, b in zip(one, other))


def test_like_texts_are_near(shelf):
    first, second, market = shelf.output("embeddings", texts=[*CATS, MARKET])
    assert all(len(vector) == 384 for vector in (first, second, market))
    assert math.isclose(likeness(first, first), 1, abs_tol=1e-4)
    assert likeness(first, second) > 0.5 > 0.2 > likeness(first, market)


def test_an_answer_is_found_first(shelf):
    texts = ["Boil the pasta for nine minutes.", "Trains to Oslo leave from platform two.", "The museum is closed today."]
    question, *vectors = shelf.output("embeddings", texts=["How long do noodles cook?", *texts])
    order = sorted(texts, key=lambda text: -likeness(question, vectors[texts.index(text)]))
    assert order[0] == texts[0]


def test_a_vector_does_not_depend_on_its_neighbours(shelf):
    (alone,) = shelf.output("embeddings", texts=[CATS[0]])
    assert shelf.output("embeddings", texts=[MARKET * 20, CATS[0]])[1] == alone


def slots(shelf):
    return [one["slots"] for one in shelf.api.debug()["instances"] if one["model"] == "lab/embeddings"]


def test_several_runs_share_an_instance(shelf):
    texts = [[f"{number} bottles of beer on the wall. " * 5] * 8 for number in range(6)]
    made = [shelf.create("embeddings", texts=some) for some in texts]
    wait_until(lambda: slots(shelf) == [4], what="one instance with four slots")
    ended = [shelf.api.ended(one, 120) for one in made]
    assert [one["status"] for one in ended] == ["succeeded"] * len(made)
    assert [one["output"] for one in ended] == [shelf.output("embeddings", texts=some) for some in texts]


def test_tokens_are_counted(shelf):
    ended = shelf.run("embeddings", texts=["one two three"])
    assert ended["metrics"]["token_count"] == 5


def test_no_text_is_refused(shelf):
    assert "expected 1 to 512" in shelf.error("embeddings", texts=[])
