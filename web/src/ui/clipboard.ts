/** Copies a text, also where the page is served without TLS and so has no clipboard of its own. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

function copyFromField(text: string): boolean {
  const field = document.createElement("textarea");
  const before = document.activeElement;
  // A dialog makes everything outside of it inert.
  const place = document.querySelector("dialog[open]") ?? document.body;
  field.value = text;
  field.className = "visually-hidden";
  place.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return isDone;
}
