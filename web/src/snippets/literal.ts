/** Values of JSON written in the languages of the snippets. */

/** An unpaired half of a surrogate is escaped by JSON.stringify, so that every text is valid in each language. */
const quoted = (text: string): string => JSON.stringify(text);

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Style {
  key: (name: string) => string;
  word: (value: boolean | null) => string;
  step: number;
}

const identifier = /^[A-Za-z_$][\w$]*$/;

const styles = {
  python: {
    key: quoted,
    word: (value) => (value === null ? "None" : value ? "True" : "False"),
    step: 4,
  },
  javascript: {
    key: (name) => (identifier.test(name) && name !== "__proto__" ? name : `[${quoted(name)}]`),
    word: String,
    step: 2,
  },
} satisfies Record<string, Style>;

function write(value: unknown, style: Style, depth: number): string {
  if (value === undefined || value === null || typeof value === "boolean") return style.word(value ?? null);
  if (typeof value === "string") return quoted(value);
  if (!isPlain(value) && !Array.isArray(value)) return String(value);
  const inner = " ".repeat(style.step * (depth + 1));
  const lines = Array.isArray(value)
    ? value.map((item) => write(item, style, depth + 1))
    : Object.entries(value).map(([name, item]) => `${style.key(name)}: ${write(item, style, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (lines.length === 0) return `${open}${close}`;
  return `${open}\n${lines.map((line) => `${inner}${line},\n`).join("")}${" ".repeat(style.step * depth)}${close}`;
}

export function pythonLiteral(value: unknown, depth = 0): string {
  return write(value, styles.python, depth);
}

export function javascriptLiteral(value: unknown, depth = 0): string {
  return write(value, styles.javascript, depth);
}

/** One word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
