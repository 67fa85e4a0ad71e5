/** The version that a training made: `output.version` is owner/name:id. */
export function trainedVersion(output: unknown): { model: string; id: string } | null {
  if (typeof output !== "object" || output === null || !("version" in output)) return null;
  const match = /^([\w.-]+\/[\w.-]+):([0-9a-f]+)$/.exec(String(output.version));
  return match?.[1] === undefined || match[2] === undefined ? null : { model: match[1], id: match[2] };
}
