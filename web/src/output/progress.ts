/** Progress bars that tqdm and its like print into the logs. */

export interface Progress {
  label: string;
  /** 0 to 100 */
  percent: number;
  /** "45/100", or empty */
  count: string;
  /** Seconds that remain, or null when the bar does not say. */
  remainingSeconds: number | null;
  rate: string;
}

const BAR = /^(?<label>.*?)\s*(?<percent>\d{1,3}(?:\.\d+)?)%\|[^|]*\|\s*(?<rest>.*)$/;
const REST = /^(?<count>[\d.]+[kMGTiB]*\/[\d.]+[kMGTiB]*)(?:\s*\[[\d:]+<(?<left>[\d:]+|\?)(?:,\s*(?<rate>[^\],]+))?)?/;
/** Logs may be long, and only their end says how far a run is. */
const TAIL = 16384;
const MOST_BARS = 4;

function secondsOf(clock: string | undefined): number | null {
  if (clock === undefined || clock === "?") return null;
  return clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

export function progressOfLine(line: string): Progress | null {
  const bar = BAR.exec(line)?.groups;
  if (bar === undefined) return null;
  const rest = REST.exec(bar["rest"] ?? "")?.groups;
  return {
    label: (bar["label"] ?? "").replace(/:$/, "").trim(),
    percent: Math.min(100, Number(bar["percent"])),
    count: rest?.["count"] ?? "",
    remainingSeconds: secondsOf(rest?.["left"]),
    rate: (rest?.["rate"] ?? "").trim(),
  };
}

/** The latest state of each bar, in the order of their first line. */
export function progressOf(logs: string): Progress[] {
  const bars = new Map<string, Progress>();
  for (const line of logs.slice(-TAIL).split(/[\r\n]+/)) {
    const bar = progressOfLine(line);
    if (bar !== null) bars.set(bar.label, bar);
  }
  return [...bars.values()].slice(-MOST_BARS);
}

/** Logs as a terminal leaves them: what a carriage return wrote over is gone. */
export function settled(logs: string): string {
  if (!logs.includes("\r")) return logs;
  return logs
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => line.split("\r").filter((part) => part !== "").at(-1) ?? "")
    .join("\n");
}
