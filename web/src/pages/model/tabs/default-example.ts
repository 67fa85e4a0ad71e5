/** The default example of a model is its first one. */
import { api, ApiError, must, type Schemas } from "../../../api/client.ts";
import { canBeMovedFirst } from "./example-kinds.ts";

interface Path {
  owner: string;
  name: string;
}

export async function keepExample(path: Path, prediction: string, isDefault: boolean): Promise<void> {
  const body = { prediction, default: isDefault };
  await must(api.POST("/v1/models/{owner}/{name}/examples", { params: { path }, body }));
}

export async function removeExample(path: Path, id: string): Promise<void> {
  await must(api.DELETE("/v1/models/{owner}/{name}/examples/{id}", { params: { path: { ...path, id } } }));
}

/** The API adds examples in the first place but moves none: this one is removed and added again. */
export async function makeDefault(path: Path, example: Schemas["Prediction"]): Promise<void> {
  const { id } = example;
  const run = await must(api.GET("/v1/predictions/{id}", { params: { path: { id } } }));
  // Without its data the example could not be added again.
  if (!canBeMovedFirst(run)) {
    throw new ApiError(422, "The data of this prediction were removed. Run it again, and add the new prediction as the default.");
  }
  await removeExample(path, id);
  await keepExample(path, id, true);
}
