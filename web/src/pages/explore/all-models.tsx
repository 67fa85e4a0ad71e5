import { api, must, type Schemas } from "../../api/client.ts";
import { usePages } from "../../api/use-pages.ts";
import { LoadMore } from "../../ui/load-more.tsx";
import { Empty, Failure } from "../../ui/states.tsx";
import { LoadingGrid, ModelGrid } from "./model-card.tsx";
import { useReturn } from "./use-return.ts";

/** The newest version first. */
export function AllModels({ warm }: { warm: Schemas["Warm"] | null }) {
  const pages = usePages(
    (cursor) => must(api.GET("/v1/models", { params: { query: cursor === undefined ? {} : { cursor } } })),
    [],
    { keepAs: "models" },
  );
  const { rows } = pages;
  useReturn(rows !== null);
  if (rows === null) {
    return pages.error === null ? <LoadingGrid /> : <Failure message={pages.error.message} onRetry={pages.more} />;
  }
  if (rows.length === 0) {
    return (
      <Empty title="There are no models yet">
        <p>
          Push a folder with a <code>cog.yaml</code>: <code>vend push FOLDER owner/name</code>
        </p>
      </Empty>
    );
  }
  return (
    <section class="stack" aria-label="All models">
      <h2>All models</h2>
      <ModelGrid models={rows} warm={warm} label="All models" />
      <LoadMore pages={pages} />
    </section>
  );
}
