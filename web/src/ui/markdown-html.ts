/**
 * HTML within Markdown, written anew from the tags and attributes that are allowed. What is left reaches a parser only
 * in this form, so that the Content-Security-Policy has nothing to report; the purifier looks at it once more.
 */
const tags = new Set(
  ("h1 h2 h3 h4 h5 h6 p br hr strong b em i del s code pre kbd sub sup blockquote ul ol li table thead tbody tr th td " +
    "a img details summary div span input").split(" "),
);
const attributes = new Set("href src alt title align colspan rowspan start width height open type checked disabled".split(" "));

export const allowedTags: readonly string[] = [...tags];
export const allowedAttributes: readonly string[] = [...attributes];

const REMOVED = /<!--[\s\S]*?(?:-->|$)|<(script|style|template|noscript|svg|math|iframe|object)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const PIECE = /<(\/?)([a-z][a-z0-9-]*)((?:"[^"<>]*"|'[^'<>]*'|[^"'<>])*)>|</gi;
const ATTRIBUTE = /([^\s"'=<>`/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=`]+))?/gi;

function attributesOf(text: string): string {
  let kept = "";
  for (const [, name = "", given = ""] of text.matchAll(ATTRIBUTE)) {
    if (!attributes.has(name.toLowerCase())) continue;
    const value = /^["']/.test(given) ? given.slice(1, -1) : given;
    kept += ` ${name.toLowerCase()}="${value.replaceAll('"', "&quot;")}"`;
  }
  return kept;
}

export function allowedHtml(html: string): string {
  return html.replace(REMOVED, "").replace(PIECE, (_piece: string, slash?: string, name?: string, rest?: string) => {
    if (name === undefined) return "&lt;";
    const tag = name.toLowerCase();
    if (!tags.has(tag)) return "";
    return slash === "/" ? `</${tag}>` : `<${tag}${attributesOf(rest ?? "")}>`;
  });
}
