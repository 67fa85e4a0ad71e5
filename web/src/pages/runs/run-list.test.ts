import { describe, expect, it } from "vitest";
import { append, hold, listOf, release, toRow, update, type Run, type RunRow } from "./run-list.ts";

const row = (id: string, status: RunRow["status"] = "succeeded"): RunRow => ({
  id,
  model: "lab/echo",
  version: "0",
  deployment: null,
  status,
  source: "api",
  createdAt: "2026-11-30T10:00:00Z",
  total: status === "processing" ? null : 1,
  ran: null,
  error: null,
});
const ids = (list: { rows: readonly RunRow[] }) => list.rows.map((each) => each.id).join("");
const page = (text: string, cursor: string | null = "c") => ({ rows: [...text].map((id) => row(id)), cursor });

describe("toRow", () => {
  const run = {
    id: "p",
    model: "lab/echo",
    version: "0f",
    status: "succeeded",
    input: {},
    output: "x".repeat(1000),
    error: null,
    logs: "",
    metrics: { predict_time: 0.5 },
    data_removed: false,
    source: "api",
    created_at: "2026-11-30T10:00:00.000Z",
    completed_at: "2026-11-30T10:00:02.500Z",
    urls: { get: "", cancel: "", web: "" },
  } satisfies Run;

  it("keeps what the table shows", () => {
    expect(toRow(run)).toMatchObject({ id: "p", total: 2.5, ran: 0.5, deployment: null });
    expect(JSON.stringify(toRow(run))).not.toContain("xxx");
  });
  it("has no duration before the end", () => {
    expect(toRow({ ...run, status: "processing", completed_at: null }).total).toBeNull();
  });
});

describe("a list of runs", () => {
  it("grows by pages, each row once", () => {
    const list = append(listOf(page("abc")), page("cde", null));
    expect(ids(list)).toBe("abcde");
    expect(list.cursor).toBeNull();
  });
  it("updates rows in their places", () => {
    const list = listOf({ rows: [row("a"), row("b", "processing")], cursor: null });
    expect(update(list, [row("b")]).rows[1]?.status).toBe("succeeded");
    expect(update(list, [row("a")])).toBe(list);
  });
  it("holds new runs until they are shown", () => {
    const held = hold(append(listOf(page("cd")), page("ef", "end")), page("abcd"));
    expect(ids(held)).toBe("cdef");
    expect(held.newCount).toBe(2);
    const shown = release(held);
    expect(ids(shown)).toBe("abcdef");
    expect(shown).toMatchObject({ cursor: "end", held: null, newCount: 0 });
  });
  it("begins anew when more came than a page has", () => {
    expect(ids(release(hold(listOf(page("yz")), page("abcd", "next"))))).toBe("abcd");
    expect(release(hold(listOf(page("yz")), page("abcd", "next"))).cursor).toBe("next");
  });
  it("keeps removed runs, and all rows of a first page that is the last one too", () => {
    expect(ids(release(hold(listOf(page("", null)), page("ab", null))))).toBe("ab");
  });
});
