/** Pasted lines and files end with a line break that is no part of a token; the command line leaves it out too. */
export function withoutLastBreak(value: string): string {
  return value.replace(/\r?\n$/, "");
}
