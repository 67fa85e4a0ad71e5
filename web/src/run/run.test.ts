import { describe, expect, it } from "vitest";
import { metricsOf } from "./metrics.ts";
import { putPiece } from "./pieces.ts";
import { secondsBetween } from "./run.ts";

describe("metrics", () => {
  it("are named, and those of the model kept", () => {
    expect(metricsOf({ predict_time: 2, total_time: 2.5, output_token_count: 100, loss: 0.123456 })).toEqual([
      { label: "Run time", value: "2.0 s" },
      { label: "Total time", value: "2.5 s" },
      { label: "Output tokens", value: "100" },
      { label: "Tokens per second", value: "50" },
      { label: "loss", value: "0.1235" },
    ]);
  });

  it("say nothing of what was not measured", () => {
    expect(metricsOf({ predict_time: 0, output_token_count: 3 }).map((m) => m.label)).toEqual(["Run time", "Output tokens"]);
    expect(metricsOf({})).toEqual([]);
  });
});

describe("durations", () => {
  it("go to the end or to now, and are never negative", () => {
    expect(secondsBetween("2026-01-01T00:00:00Z", "2026-01-01T00:00:02.5Z", 0)).toBe(2.5);
    expect(secondsBetween("2026-01-01T00:00:00Z", null, Date.parse("2026-01-01T00:00:01Z"))).toBe(1);
    expect(secondsBetween("2026-01-01T00:00:00Z", null, 0)).toBe(0);
    expect(secondsBetween(null, null, 0)).toBe(null);
  });
});

describe("pieces of a stream", () => {
  it("are not repeated when it begins anew", () => {
    const pieces: string[] = [];
    for (const [id, text] of [["1:1", "a"], ["1:2", "b"], ["1:1", "a"], ["1:2", "b"], ["1:3", "c"]] as const) putPiece(pieces, id, text);
    expect(pieces).toEqual(["a", "b", "c"]);
  });

  it("are kept in order without ids", () => {
    const pieces = ["a"];
    putPiece(pieces, "", "b");
    expect(pieces).toEqual(["a", "b"]);
  });
});
