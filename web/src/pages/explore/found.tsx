import { useEffect, useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Empty, Failure } from "../../ui/states.tsx";
import { LoadingGrid, ModelGrid } from "./model-card.tsx";
import { useReturn } from "./use-return.ts";

const PAUSE_MS = 120;
const LIMIT = 50;

/** The value once it has stayed for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [value]);
  return settled;
}

/** What a search finds; what the text before found stays until then. */
export function Found({ text, warm }: { text: string; warm: Schemas["Warm"] | null }) {
  const query = useSettled(text);
  const { data, error, reload } = useData(
    () => must(api.GET("/v1/search", { params: { query: { query, limit: LIMIT } } })),
    [query],
    { keepsData: true },
  );
  useReturn(data !== null);
  if (data === null) {
    return error === null ? <LoadingGrid /> : <Failure message={error.message} onRetry={reload} />;
  }
  const models = data.models.map((hit) => hit.model);
  const isNothing = models.length === 0 && data.collections.length === 0;
  return (
    <section class="stack" aria-label="Search results" aria-busy={data.query !== text}>
      <p class="muted" role="status">
        {summary(models.length, data.query)}
      </p>
      {data.collections.length > 0 && (
        <ul class="explore-collections" aria-label="Collections">
          {data.collections.map((collection) => (
            <li key={collection.slug}>
              <a class="button button-small" href={`/collections/${encodeURIComponent(collection.slug)}`}>
                {collection.name}
              </a>
            </li>
          ))}
        </ul>
      )}
      {models.length > 0 && <ModelGrid models={models} warm={warm} label="Models found" />}
      {isNothing && (
        <Empty title="Nothing was found">
          <p>
            Try fewer letters of a name, or <a href="/explore">look at all models</a>.
          </p>
        </Empty>
      )}
    </section>
  );
}

function summary(count: number, text: string): string {
  if (count >= LIMIT) return `The best ${LIMIT} models for “${text}”`;
  return `${count === 0 ? "No" : count} ${count === 1 ? "model" : "models"} for “${text}”`;
}
