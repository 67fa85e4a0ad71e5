import type { PageProps } from "../../app.tsx";
import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Empty, Failure } from "../../ui/states.tsx";
import { LoadingGrid, ModelGrid } from "./model-card.tsx";
import { useWarm } from "./use-warm.ts";
import { useTitle } from "../../ui/title.ts";
import "./explore.css";

export function CollectionPage({ params }: PageProps) {
  const slug = params["slug"] ?? "";
  const warm = useWarm();
  const { data, error, reload } = useData(
    () => must(api.GET("/v1/collections/{slug}", { params: { path: { slug } } })),
    [slug],
  );
  useTitle(data?.name ?? slug);
  if (error?.status === 404) {
    return (
      <Empty title="There is no such collection">
        <a href="/explore">Explore the models</a>
      </Empty>
    );
  }
  if (error !== null && data === null) return <Failure message={error.message} onRetry={reload} />;
  const text = data?.full_description ?? data?.description ?? "";
  return (
    <div class="stack explore">
      <div>
        <p class="small">
          <a href="/explore">Explore</a>
        </p>
        <h1>{data?.name ?? slug}</h1>
        {text !== "" && <p class="muted explore-text">{text}</p>}
      </div>
      {data === null && <LoadingGrid />}
      {data !== null && data.models.length > 0 && (
        <ModelGrid models={data.models} warm={warm} label={`Models of ${data.name}`} />
      )}
      {data !== null && data.models.length === 0 && <Empty title="This collection has no models that you may see" />}
    </div>
  );
}
