import type { Schemas } from "../../../api/client.ts";
import type { Session } from "../../../api/session.ts";
import { namedSchema } from "../../../form/schema.ts";

/** What a tab asks for. The API decides; this only hides. */
export interface Needs {
  scope?: Session["scopes"][number];
  owner?: boolean;
  /** Its latest version can be trained. */
  training?: boolean;
}

export function canTrain(version: Schemas["Version"] | null | undefined): boolean {
  return namedSchema(version?.openapi_schema, "TrainingInput") !== null;
}

export function meets(needs: Needs, model: Schemas["Model"], session: Session | null): boolean {
  const { scope, owner = false, training = false } = needs;
  const scopes = session?.scopes ?? [];
  if (scope !== undefined && !scopes.includes(scope) && !scopes.includes("admin")) return false;
  if (owner && session?.username !== model.owner) return false;
  return !training || canTrain(model.latest_version);
}
