import { expect, test } from "vitest";
import { changeOf, detailsOf } from "./details.ts";

const before = detailsOf({
  url: "http://localhost/lab/echo",
  owner: "lab",
  name: "echo",
  visibility: "private",
  run_count: 0,
  created_at: "2026-01-01T00:00:00Z",
  description: "Says it",
  github_url: "https://github.com/lab/echo",
  paper_url: null,
});

test("nothing was changed", () => {
  expect(changeOf(before, { ...before, description: " Says it " })).toEqual({});
});

test("only changes are sent, and empty texts remove", () => {
  const after = { ...before, visibility: "public" as const, description: "New", github_url: " ", paper_url: "https://x.example/p" };
  expect(changeOf(before, after)).toEqual({
    visibility: "public",
    description: "New",
    github_url: null,
    paper_url: "https://x.example/p",
  });
});
