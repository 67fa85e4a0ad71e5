import { describe, expect, test } from "vitest";
import { COLUMNS, ROWS, drawnCover } from "./drawn-cover.ts";

describe("drawnCover", () => {
  test("is the same for the same name", () => {
    expect(drawnCover("lab/echo")).toEqual(drawnCover("lab/echo"));
  });

  test("differs between names that are alike", () => {
    const names = ["lab/echo", "lab/echp", "lab/ech", "labb/echo", "", "lab/écho"];
    const drawn = names.map((name) => JSON.stringify(drawnCover(name)));
    expect(new Set(drawn).size).toBe(names.length);
  });

  test("stays in its frame and is neither empty nor full", () => {
    for (let i = 0; i < 200; i++) {
      const { hue, tiles } = drawnCover(`lab/model-${i}`);
      expect(hue).toBeGreaterThanOrEqual(0);
      expect(hue).toBeLessThan(360);
      expect(tiles.length).toBeGreaterThan(8);
      expect(tiles.length).toBeLessThan(COLUMNS * ROWS);
      for (const { column, row } of tiles) {
        expect(column).toBeLessThan(COLUMNS);
        expect(row).toBeLessThan(ROWS);
      }
    }
  });
});
