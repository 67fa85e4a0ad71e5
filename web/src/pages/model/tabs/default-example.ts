/** The default example of a model is its first one. */
import { api, must } from "../../../api/client.ts";

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

export async function makeDefault(path: Path, id: string): Promise<void> {
  await must(api.PATCH("/v1/models/{owner}/{name}/examples/{id}", { params: { path: { ...path, id } }, body: { default: true } }));
}
