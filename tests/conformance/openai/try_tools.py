"""Tools that speak OpenAI's API, against a server that runs and models that are pushed.

    python3 -m venv /tmp/tools && /tmp/tools/bin/pip install -r tests/conformance/openai/tools-requirements.txt
    /tmp/tools/bin/python tests/conformance/openai/try_tools.py http://localhost:8363 TOKEN \\
        --chat alice/smollm --embeddings alice/embeddings --image alice/tiny-diffusion \\
        --speech alice/text-to-speech --transcription alice/speech-to-text
"""

import argparse
import base64
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import time

QUESTION = "What is the capital of France? Answer with one word."


def show(name, value):
    print(f"ok  {name}: {value!r}"[:160], flush=True)


def try_client(base, token, models):
    from openai import OpenAI

    client = OpenAI(base_url=base, api_key=token)
    show("openai models", [model.id for model in client.models.list()])
    if models.chat:
        ask = {"model": models.chat, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0}
        began = time.monotonic()
        pieces = [piece.choices[0].delta.content or "" for piece in client.chat.completions.create(stream=True, **ask)]
        text = client.chat.completions.create(**ask).choices[0].message.content
        assert "".join(pieces) == text and len(pieces) > 2
        show("openai chat", text)
        show("openai responses", client.responses.create(model=models.chat, input=QUESTION).output_text)
        show("seconds", round(time.monotonic() - began, 1))
    if models.embeddings:
        made = client.embeddings.create(model=models.embeddings, input=["a cat", "a kitten", "a tax form"])
        cat, kitten, form = (item.embedding for item in made.data)
        near, far = (sum(x * y for x, y in zip(cat, other)) for other in (kitten, form))
        assert near > far
        show("openai embeddings", (len(cat), round(near, 3), round(far, 3), made.usage.total_tokens))
    if models.image:
        picture = client.images.generate(model=models.image, prompt="red heart").data[0]
        assert base64.b64decode(picture.b64_json).startswith(b"\x89PNG")
        show("openai images", picture.url)
    if models.speech:
        speech = client.audio.speech.create(model=models.speech, input="the birch canoe slid", voice="alloy").read()
        show("openai speech", speech[:12])
        if models.transcription:
            sound = io.BytesIO(speech)
            sound.name = "speech.wav"
            for form in ("json", "srt"):
                sound.seek(0)
                heard = client.audio.transcriptions.create(model=models.transcription, file=sound, response_format=form)
                show(f"openai transcription, {form}", getattr(heard, "text", heard))


def try_langchain(base, token, models):
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    if models.chat:
        chat = ChatOpenAI(base_url=base, api_key=token, model=models.chat, temperature=0)
        show("langchain invoke", chat.invoke(QUESTION).content)
        show("langchain stream", "".join(piece.content for piece in chat.stream(QUESTION)))
    if models.embeddings:
        embeddings = OpenAIEmbeddings(
            base_url=base, api_key=token, model=models.embeddings, check_embedding_ctx_length=False
        )
        show("langchain embeddings", len(embeddings.embed_documents(["a", "b"])[1]))


def try_litellm(base, token, models):
    import litellm

    common = {"api_base": base, "api_key": token}
    if models.chat:
        ask = {"model": f"openai/{models.chat}", "messages": [{"role": "user", "content": QUESTION}], **common}
        show("litellm completion", litellm.completion(**ask).choices[0].message.content)
        pieces = [piece.choices[0].delta.content or "" for piece in litellm.completion(stream=True, **ask)]
        show("litellm stream", "".join(pieces))
    if models.embeddings:
        made = litellm.embedding(
            model=f"openai/{models.embeddings}", input=["a", "b"], encoding_format="float", **common
        )
        show("litellm embedding", len(made.data[1]["embedding"]))


def try_llm(base, token, models):
    if not models.chat:
        return
    with tempfile.TemporaryDirectory() as folder:
        config = f"- model_id: vend\n  model_name: {models.chat}\n  api_base: {base}\n  api_key_name: vend\n"
        pathlib.Path(folder, "extra-openai-models.yaml").write_text(config)
        env = {**os.environ, "LLM_USER_PATH": folder}
        llm = str(pathlib.Path(sys.executable).parent / "llm")
        subprocess.run([llm, "keys", "set", "vend", "--value", token], env=env, check=True)
        for more in ([], ["--no-stream"]):
            ran = subprocess.run(
                [llm, "-m", "vend", *more, QUESTION], env=env, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
            )
            show("llm", ran.stdout.strip())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    for name in ("chat", "embeddings", "image", "speech", "transcription"):
        parser.add_argument(f"--{name}", metavar="owner/name")
    models = parser.parse_args()
    base = models.url + "/openai/v1"
    for attempt in (try_client, try_langchain, try_litellm, try_llm):
        attempt(base, models.token, models)


if __name__ == "__main__":
    main()
