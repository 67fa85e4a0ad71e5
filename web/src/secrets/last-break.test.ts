import { describe, expect, it } from "vitest";
import { withoutLastBreak } from "./last-break.ts";

describe("the value of a secret", () => {
  it("loses the end of its last line alone", () => {
    expect(withoutLastBreak("token\n")).toBe("token");
    expect(withoutLastBreak("token\r\n")).toBe("token");
    expect(withoutLastBreak("a\nb\n\n")).toBe("a\nb\n");
    expect(withoutLastBreak(" a ")).toBe(" a ");
  });
});
