/** Where a training puts its version: a model of the caller's, which may be made first. */
import { api, ApiError, must } from "../../../api/client.ts";

export interface Destination {
  isNew: boolean;
  owner: string;
  name: string;
  visibility: "public" | "private";
  hardware: string;
}

export const noDestination: Destination = { isNew: false, owner: "", name: "", visibility: "private", hardware: "" };

/** owner/name of the destination, which is there afterwards. */
export async function prepareDestination({ isNew, owner, name, visibility, hardware }: Destination): Promise<string> {
  if (name === "") throw new ApiError(422, "Name the model that gets the new version.");
  if (isNew) await must(api.POST("/v1/models", { body: { owner, name, visibility, hardware } }));
  return `${owner}/${name}`;
}
