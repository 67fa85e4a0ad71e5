import { describe, expect, it } from "vitest";
import { fileName, filesWithin, isTextIterator, kindOf, mediaOf } from "./kind.ts";
import { progressOf, progressOfLine, settled } from "./progress.ts";

const uri = { type: "string", format: "uri" };
const output = "http://127.0.0.1:8363/v1/outputs/abc/cat.PNG";

describe("kinds of output", () => {
  it("follow the value and its schema", () => {
    const strings = { type: "array", items: { type: "string" }, "x-cog-array-type": "iterator" };
    expect(kindOf(null, uri)).toBe("nothing");
    expect(kindOf("text", { type: "string" })).toBe("text");
    expect(kindOf("https://example.com/a", uri)).toBe("files");
    expect(kindOf(output, {})).toBe("files");
    expect(kindOf(["a", "b"], strings)).toBe("lines");
    expect(kindOf(["a", "b"], { ...strings, "x-cog-array-display": "concatenate" })).toBe("joined");
    expect(kindOf([output], { type: "array", items: uri })).toBe("files");
    expect(kindOf({ a: 1 }, {})).toBe("json");
    expect(kindOf([1, 2], {})).toBe("json");
    expect(kindOf(0, {})).toBe("number");
    expect(kindOf(false, {})).toBe("boolean");
    expect(isTextIterator(strings)).toBe(true);
    expect(isTextIterator({ ...strings, items: uri })).toBe(false);
  });

  it("take the media from the name or the type of inline data", () => {
    expect(mediaOf(output)).toBe("image");
    expect(mediaOf("data:audio/wav;base64,AAAA")).toBe("audio");
    expect(mediaOf("https://example.com/a.html")).toBe("file");
    expect(mediaOf("https://example.com/png")).toBe("file");
    expect(fileName("https://example.com/a/b%20c.txt?x=1")).toBe("b c.txt");
    expect(fileName("https://example.com/%zz")).toContain("example.com");
  });

  it("find files anywhere in a value", () => {
    expect(filesWithin({ a: [output, "x"], b: { c: output } })).toEqual([output, output]);
    expect(filesWithin("javascript:alert(1)//v1/outputs/x")).toEqual([]);
  });
});

describe("progress", () => {
  it("is read from lines of tqdm", () => {
    expect(progressOfLine(" 45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]")).toEqual({
      label: "", percent: 45, count: "45/100", remainingSeconds: 12, rate: "4.50it/s",
    });
    expect(progressOfLine("Loading weights:   3%|▎| 1.2G/40G [1:02:03<10:00:00, 12MB/s]")).toMatchObject({
      label: "Loading weights", percent: 3, count: "1.2G/40G", remainingSeconds: 36000,
    });
    expect(progressOfLine("  0%|          | 0/10 [00:00<?, ?it/s]")).toMatchObject({ percent: 0, remainingSeconds: null });
    expect(progressOfLine("accuracy 45% of a|b")).toBe(null);
  });

  it("is the latest state of each bar", () => {
    const logs = "start\n  1%|▏| 1/100 [00:00<00:01, 9it/s]\r 50%|█████| 50/100 [00:00<00:01, 9it/s]\nUpscale: 10%|█| 1/10 [00:00<00:09, 1it/s]\n";
    expect(progressOf(logs).map((p) => [p.label, p.percent])).toEqual([["", 50], ["Upscale", 10]]);
    expect(progressOf("plain\nlogs")).toEqual([]);
  });

  it("is not slow on long lines", () => {
    expect(progressOf("9% ".repeat(200_000))).toEqual([]);
  });

  it("leaves only what a terminal would show", () => {
    expect(settled("a\r\n 1%\r 2%\r\nb\rc")).toBe("a\n 2%\nc");
    expect(settled("plain")).toBe("plain");
  });
});
