"""llama.cpp's own HTTP server with the model of a folder loaded as that model loads it."""
import sys
import threading

sys.path.insert(0, sys.argv[1])

import llama_cpp  # noqa: E402

server = llama_cpp.load()
print(server.listening_address, flush=True)
threading.Event().wait()
