import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { ModelGrid } from "./model-card.tsx";

/** As many as a wide screen has in a row. */
const SHOWN_MODELS = 4;
const SHOWN_COLLECTIONS = 12;

type Warm = Schemas["Warm"] | null;

export function Collections({ warm }: { warm: Warm }) {
  const list = useData(() => must(api.GET("/v1/collections")), []);
  return (
    <>
      {(list.data?.results ?? []).slice(0, SHOWN_COLLECTIONS).map((collection) => (
        <Section key={collection.slug} collection={collection} warm={warm} />
      ))}
    </>
  );
}

function Section({ collection, warm }: { collection: Schemas["Collection"]; warm: Warm }) {
  const { slug } = collection;
  const whole = useData(() => must(api.GET("/v1/collections/{slug}", { params: { path: { slug } } })), [slug]);
  const models = whole.data?.models ?? [];
  if (models.length === 0) return null;
  const href = `/collections/${encodeURIComponent(slug)}`;
  return (
    <section class="stack" aria-label={collection.name}>
      <div class="row spread">
        <div>
          <h2>
            <a class="explore-heading" href={href}>
              {collection.name}
            </a>
          </h2>
          {collection.description !== "" && <p class="muted">{collection.description}</p>}
        </div>
        {models.length > SHOWN_MODELS && (
          <a href={href} aria-label={`All ${models.length} models of ${collection.name}`}>
            All {models.length} models
          </a>
        )}
      </div>
      <ModelGrid models={models.slice(0, SHOWN_MODELS)} warm={warm} label={`Models of ${collection.name}`} />
    </section>
  );
}
