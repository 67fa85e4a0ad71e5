import type { Schemas } from "../../../api/client.ts";
import { useMay, useSession } from "../../../session.tsx";

/** Whether the person may change the model. */
export function useIsOwner(model: Schemas["Model"]): boolean {
  const session = useSession();
  const mayPush = useMay("push");
  return mayPush && session?.username === model.owner;
}
