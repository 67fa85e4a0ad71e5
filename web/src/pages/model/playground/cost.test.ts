import { describe, expect, it } from "vitest";
import { costOf } from "./cost.ts";

function history(run_us: number[], change: object = {}) {
  const target = {
    name: "lab/echo", kind: "model" as const, model: "lab/echo", hardware: "cpu", room: 1, price: "0.001",
    billed: "run" as const, scaling: {}, load_seconds: 1, requests: run_us.length, wait_seconds: 0, ...change,
  };
  const zeros = run_us.map(() => 0);
  return { targets: [target], requests: { run_us, at_us: zeros, wait_us: zeros, target: zeros } };
}

describe("the cost of a run", () => {
  it("is the price of the median", () => {
    expect(costOf(history([2e6, 2e6, 2.5e6, 1e6]), "lab/echo")).toEqual([
      "A run costs about 0.002, or 500 runs for 1.",
      "Runs typically complete within 2.5 s.",
    ]);
  });

  it("is not said without a price", () => {
    expect(costOf(history([1e6, 1e6, 1e6], { price: null }), "lab/echo")).toEqual(["Runs typically complete within 1.0 s."]);
  });

  it("is that of the instance for a private model", () => {
    expect(costOf(history([1e6, 1e6, 1e6], { billed: "instance" }), "lab/echo")[0]).toBe(
      "An instance costs 3.6 an hour while it is up.",
    );
  });

  it("is unknown after few runs and for other models", () => {
    expect(costOf(history([1e6, 1e6]), "lab/echo")).toEqual([]);
    expect(costOf(history([1e6, 1e6, 1e6]), "lab/other")).toEqual([]);
  });

  it("says that times vary", () => {
    expect(costOf(history([1e5, 1e5, 1e5, 1e5, 9e6], { price: null }), "lab/echo")).toHaveLength(2);
  });
});

it("writes small amounts out", () => {
  const [first] = costOf(history([900, 900, 900], { price: "0.0001" }), "lab/echo");
  expect(first).toBe("A run costs about 0.00000009, or 11,111,111 runs for 1.");
});
