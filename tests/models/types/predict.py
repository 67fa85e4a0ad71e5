import json
from typing import Optional

from cog import BasePredictor, Input, Path, Secret


class Predictor(BasePredictor):
    def predict(
        self,
        text: str = Input(description="Required text", min_length=2, max_length=10),
        count: int = Input(description="Required count", ge=1, le=10),
        scale: float = Input(default=0.5, ge=0, le=1),
        flag: bool = Input(default=False),
        color: str = Input(default="red", choices=["red", "green", "blue"]),
        size: int = Input(default=256, choices=[256, 512]),
        code: str = Input(default="ab1", regex="^[a-z]+[0-9]$"),
        tags: list[str] = Input(default=[]),
        numbers: list[int] = Input(default=[]),
        maybe: Optional[int] = Input(default=None),
        file: Optional[Path] = Input(default=None),
        key: Optional[Secret] = Input(default=None),
    ) -> str:
        return json.dumps(
            {
                "text": text,
                "count": count,
                "scale": scale,
                "flag": flag,
                "color": color,
                "size": size,
                "code": code,
                "tags": tags,
                "numbers": numbers,
                "maybe": maybe,
                "file": open(str(file)).read() if file is not None else None,
                "key": key.get_secret_value() if key is not None else None,
            }
        )
