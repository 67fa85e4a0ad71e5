"""A model that tries to get out. Each probe returns what it got; what is refused raises."""

import json
import os
import time

import probes
from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def setup(self):
        # Where a snapshot is wanted, it is worth one.
        time.sleep(float(os.environ.get("HOSTILE_SETUP_SECONDS", "0")))
        self.marker = os.getpid()

    def predict(
        self,
        names: str = Input(description="Probes, separated by spaces"),
        hints: str = Input(description="What an attacker may know, as JSON", default="{}"),
    ) -> str:
        return json.dumps(probes.run(names.split(), json.loads(hints)))
