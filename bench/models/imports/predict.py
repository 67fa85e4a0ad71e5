import json
import time

FILE = time.time()

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from cog import BasePredictor, Input  # noqa: E402
from sklearn.ensemble import RandomForestRegressor  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402

IMPORTED = time.time()


class Predictor(BasePredictor):
    """Tells when it came how far."""

    def setup(self):
        x = np.arange(100.0).reshape(-1, 1)
        self.line = LinearRegression().fit(x, x[:, 0])
        self.forest = RandomForestRegressor(n_estimators=1)
        self.providers = onnxruntime.get_available_providers()
        self.ready = time.time()

    def predict(self, s: str = Input(description="text")) -> str:
        moments = {"file": FILE, "imported": IMPORTED, "setup": self.ready, "run": time.time()}
        assert round(float(self.line.predict([[200.0]])[0])) == 200
        return json.dumps(moments)
