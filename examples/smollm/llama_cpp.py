"""llama.cpp with the model loaded: to answer, and to tell how texts are cut into tokens."""

import json
import urllib.request

import smollm2_weights
import xllamacpp

CONTEXT_TOKENS = 8192
# More threads than free cores wait for each other and make it much slower.
THREADS = 1


def load(adapter=None):
    params = xllamacpp.CommonParams()
    params.model.path = str(smollm2_weights.MODEL)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.warmup = False
    # Errors only.
    params.verbosity = 1
    if adapter is not None:
        learnt = xllamacpp.CommonAdapterLoraInfo()
        learnt.path, learnt.scale = str(adapter), 1.0
        params.lora_adapters = [learnt]
    return xllamacpp.Server(params)


class Tokenizer:
    """The same server answers on loopback; there it has what the package does not export."""

    def __init__(self, server):
        self.address = server.listening_address

    def ask(self, path, body):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def tokens(self, text):
        return self.ask("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]

    def prompt(self, messages):
        return self.ask("/apply-template", {"messages": messages})["prompt"]
