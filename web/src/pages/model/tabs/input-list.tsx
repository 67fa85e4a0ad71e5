import { fieldsOf } from "../../../form/schema.ts";
import { OutputFile } from "../../../output/file.tsx";
import { isFileUrl } from "../../../output/kind.ts";

interface Props {
  input: Record<string, unknown>;
  /** Of the version that ran, for the order; undefined when it is not at hand. */
  openapi: unknown;
}

/** The input of a run, in the order of its model. */
export function InputList({ input, openapi }: Props) {
  const order = fieldsOf(openapi).map((field) => field.name);
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const names = Object.keys(input).sort((a, b) => place(a) - place(b));
  if (names.length === 0) return <p class="muted">No inputs</p>;
  return (
    <dl class="input-list">
      {names.map((name) => (
        <div key={name}>
          <dt class="mono">{name}</dt>
          <dd>
            <Value value={input[name]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  if (isFileUrl(value)) return <OutputFile url={value} />;
  if (Array.isArray(value) && value.length > 0 && value.every(isFileUrl)) {
    return <>{value.map((url, i) => <OutputFile key={i} url={url} />)}</>;
  }
  if (typeof value === "string") return <span class="input-list-text">{value === "" ? "“”" : value}</span>;
  return <code>{JSON.stringify(value)}</code>;
}
