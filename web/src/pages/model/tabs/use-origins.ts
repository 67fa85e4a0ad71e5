import { api, ApiError, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { useSession } from "../../../session.tsx";

export type Origins = ReadonlyMap<string, Schemas["VersionOrigin"]>;

const none: Origins = new Map();

/** What made the versions, by id; of the newest page, and only for the model's account. */
export function useOrigins(model: Schemas["Model"]): Origins {
  const { owner, name } = model;
  const isOwn = useSession()?.username === owner;
  const { data } = useData(async () => {
    if (!isOwn) return none;
    try {
      const page = await must(api.GET("/v1/models/{owner}/{name}/provenance", { params: { path: { owner, name } } }));
      return new Map(page.results.map((origin) => [origin.id, origin]));
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status >= 400 && thrown.status < 500) return none;
      throw thrown;
    }
  }, [owner, name, isOwn]);
  return data ?? none;
}
