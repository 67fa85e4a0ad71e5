import { toJson } from "../../api/json.ts";
import { useEffect, useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/pages.ts";
import { setQuery } from "../../router.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Field } from "../../ui/field.tsx";
import { Empty, Pending } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import "./decisions.css";

type Decision = Schemas["Decision"];

const REFRESH_MS = 4000;
const TYPING_MS = 400;

const tones: Partial<Record<Decision["kind"], Tone>> = {
  ready: "good",
  start: "live",
  roll: "live",
  fetch: "live",
  gone: "bad",
  "boot-failed": "bad",
  "queue-failed": "bad",
  "give-up": "bad",
  retry: "warn",
  abort: "warn",
  deadline: "warn",
  evict: "warn",
};

function inputText(value: unknown): string {
  if (typeof value === "number" && !Number.isInteger(value)) return value.toFixed(3);
  return typeof value === "string" ? value : toJson(value);
}

function Entry({ decision }: { decision: Decision }) {
  const inputs = Object.entries(decision.inputs).filter(([, value]) => value !== null);
  return (
    <li class="decision">
      <div class="decision-head">
        <Badge tone={tones[decision.kind] ?? "plain"}>{decision.kind}</Badge>
        <span class="muted small">
          <Time at={decision.at} />
        </span>
      </div>
      <div class="decision-body">
        <p>{decision.sentence}</p>
        <div class="row small">
          {decision.deployment !== null ? (
            <a href={`/deployments/${decision.deployment}`}>{decision.deployment}</a>
          ) : (
            <a href={`/${decision.model}`}>{decision.model}</a>
          )}
          {decision.prediction !== null && <a href={`/p/${decision.prediction}`}>the run</a>}
          {inputs.length > 0 && (
            <details>
              <summary>Decided from</summary>
              <dl class="decision-inputs">
                {inputs.map(([name, value]) => (
                  <div key={name}>
                    <dt>{name.replaceAll("_", " ")}</dt>
                    <dd>{inputText(value)}</dd>
                  </div>
                ))}
              </dl>
            </details>
          )}
        </div>
      </div>
    </li>
  );
}

/** What is typed takes effect when one pauses. */
function ModelField({ value }: { value: string }) {
  const [text, setText] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setQuery({ model: text.trim() }), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return (
    <Field label="Model">
      <input type="search" placeholder="owner/name" value={text} onInput={(event) => setText(event.currentTarget.value)} />
    </Field>
  );
}

export function Decisions({ query }: { query: URLSearchParams }) {
  const model = query.get("model") ?? "";
  const isWhole = /^[^/\s]+\/[^/\s]+$/.test(model);
  const filter = isWhole ? { model } : {};
  const pages = usePages(
    (at) => must(api.GET("/v1/decisions", { params: { query: { ...filter, ...at } } })),
    (decision) => decision.id,
    [isWhole ? model : ""],
    { everyMs: REFRESH_MS },
  );
  return (
    <div class="stack">
      <p class="muted">What the scheduler decided, and why. The newest come first and appear by themselves.</p>
      <div class="decisions-filter">
        <ModelField value={model} />
      </div>
      {pages.rows === null ? (
        <Pending loaded={pages} rows={6} />
      ) : pages.rows.length === 0 ? (
        <Empty title="No decisions">
          <p>They appear when instances start or stop, and when runs are retried.</p>
        </Empty>
      ) : (
        <ol class="decisions" aria-label="Decisions">
          {pages.rows.map((decision) => (
            <Entry key={decision.id} decision={decision} />
          ))}
        </ol>
      )}
      {pages.hasMore && (
        <button type="button" class="button" disabled={pages.isLoadingMore} onClick={pages.more}>
          Load older ones
        </button>
      )}
    </div>
  );
}
