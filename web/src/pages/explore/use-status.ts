import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { useMay } from "../../session.tsx";

const EVERY_MS = 10_000;

/** What runs now; null for those who may not know. */
export function useStatus(): Schemas["Status"] | null {
  const isAdmin = useMay("admin");
  const status = useData(
    async () => (isAdmin ? must(api.GET("/v1/status")) : null),
    [isAdmin],
    { everyMs: isAdmin ? EVERY_MS : 0 },
  );
  return status.data;
}
