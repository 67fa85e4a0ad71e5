/** The id in what somebody pasted: the id itself, or an address that ends with it. */
export function predictionId(text: string): string {
  const path = text.trim().replace(/[?#].*$/, "").replace(/\/+$/, "");
  return path.split("/").at(-1) ?? "";
}
