/** Numbers with their units, for people. */

/** A duration: < 1 ms, 340 ms, 2.4 s, 3 min 5 s, 2 h 10 min, 4 d 3 h. */
export function duration(seconds: number): string {
  if (seconds > 0 && seconds < 0.0005) return "< 1 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const steps: readonly [number, string][] = [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = steps.findIndex(([size]) => whole >= size);
  const [large, small] = [steps[first], steps[first + 1]];
  if (large === undefined || small === undefined) return `${whole} s`;
  const rest = Math.floor((whole % large[0]) / small[0]);
  const head = `${Math.floor(whole / large[0])} ${large[1]}`;
  return rest === 0 ? head : `${head} ${rest} ${small[1]}`;
}

/** A size in bytes: 512 B, 1.4 KB, 23 MB. */
export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** An amount that the API wrote as an exact decimal text; null is an amount that nobody set. */
export function money(amount: string | null): string {
  if (amount === null) return "–";
  const value = Number(amount);
  const isSmall = value !== 0 && Math.abs(value) < 1;
  return value.toLocaleString("en", {
    minimumFractionDigits: 2,
    maximumFractionDigits: isSmall ? 6 : 2,
  });
}

export const count = (value: number): string => value.toLocaleString("en");

/** "1 run", "2 runs". */
export function counted(n: number, one: string, many: string): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export const shortId = (version: string): string => version.slice(0, 12);
