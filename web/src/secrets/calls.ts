/** Secrets of a model or of a deployment: values go in and never come out. */
import { api, must, type Schemas } from "../api/client.ts";

export interface Owner {
  kind: "model" | "deployment";
  owner: string;
  name: string;
}

export async function listSecrets({ kind, owner, name }: Owner): Promise<Schemas["Secret"][]> {
  const params = { path: { owner, name } };
  const list =
    kind === "model"
      ? await must(api.GET("/v1/models/{owner}/{name}/secrets", { params }))
      : await must(api.GET("/v1/deployments/{owner}/{name}/secrets", { params }));
  return list.results;
}

export async function setSecret({ kind, owner, name }: Owner, key: string, value: string): Promise<void> {
  const options = { params: { path: { owner, name, key } }, body: { value } };
  if (kind === "model") await must(api.PUT("/v1/models/{owner}/{name}/secrets/{key}", options));
  else await must(api.PUT("/v1/deployments/{owner}/{name}/secrets/{key}", options));
}

export async function removeSecret({ kind, owner, name }: Owner, key: string): Promise<void> {
  const options = { params: { path: { owner, name, key } } };
  if (kind === "model") await must(api.DELETE("/v1/models/{owner}/{name}/secrets/{key}", options));
  else await must(api.DELETE("/v1/deployments/{owner}/{name}/secrets/{key}", options));
}
