import json
from typing import Any

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(
        self,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]] = Input(default=[]),
    ) -> dict[str, Any]:
        """Calls the first tool with the last message; without tools it says what it was told."""
        if not tools:
            message = {"role": "assistant", "content": json.dumps(messages)}
            return {"choices": [{"message": message}], "usage": {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}}
        function = {"name": tools[0]["function"]["name"], "arguments": json.dumps({"said": messages[-1]["content"]})}
        call = {"id": "call_1", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
