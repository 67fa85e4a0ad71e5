import { expect, test } from "vitest";
import { meteredOf } from "./metered.ts";

test.each([
  [undefined, null, null],
  [{ hardware: "cpu", seconds: "2.5", billed: true }, "cpu", null],
  [{ hardware: "cpu", seconds: "2.5", price: "0.0001", amount: "0.00025", billed: true }, "cpu", "0.00025"],
  [{ hardware: "gpu", amount: "1.5", billed: false }, "gpu", "1.50, part of its instance"],
])("%#", (value, hardware, cost) => {
  expect(meteredOf(value)).toEqual({ hardware, cost });
});
