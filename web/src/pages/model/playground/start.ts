/** Where a form begins: an earlier run, a draft, the model's example, or the defaults. */
import { api, ApiError, must, type Schemas } from "../../../api/client.ts";
import type { Field } from "../../../form/schema.ts";
import { defaultsOf, parseInput, valuesOf, type Values } from "../../../form/values.ts";
import { readDraft } from "./draft.ts";

type Model = Schemas["Model"];
type Prediction = Schemas["Prediction"];

export interface Start {
  values: Values;
  /** The run that the values are from, whose result is shown. */
  prediction: Prediction | null;
  isExample: boolean;
}

async function readExample({ owner, name }: Model, id: string): Promise<Prediction> {
  const page = await must(api.GET("/v1/models/{owner}/{name}/examples", { params: { path: { owner, name } } }));
  const found = page.results.find((example) => example.id === id);
  if (found === undefined) throw new ApiError(404, "This model has no such example.");
  return found;
}

/** Where an address says the input: `?input={"text":"hi"}`. */
function readInput(text: string, fields: readonly Field[]): Start {
  const parsed = parseInput(text);
  if (!parsed.ok) throw new ApiError(400, `The input in the address cannot be used. ${parsed.message}`);
  return { values: { ...defaultsOf(fields), ...parsed.values }, prediction: null, isExample: false };
}

export async function findStart(model: Model, fields: readonly Field[], query: URLSearchParams): Promise<Start> {
  const input = query.get("input");
  if (input !== null && query.get("prediction") === null) return readInput(input, fields);
  const id = query.get("prediction");
  const example = query.get("example");
  if (id !== null) {
    const prediction = await must(api.GET("/v1/predictions/{id}", { params: { path: { id } } }));
    const draft = readDraft(`${model.owner}/${model.name}`);
    const values = prediction.data_removed ? (draft ?? defaultsOf(fields)) : valuesOf(prediction.input, fields);
    return { values, prediction, isExample: false };
  }
  if (example !== null) {
    const prediction = await readExample(model, example);
    return { values: valuesOf(prediction.input, fields), prediction, isExample: true };
  }
  const draft = readDraft(`${model.owner}/${model.name}`);
  const shown = model.default_example ?? null;
  if (draft !== null) return { values: draft, prediction: null, isExample: false };
  if (shown !== null) return { values: valuesOf(shown.input, fields), prediction: shown, isExample: true };
  return { values: defaultsOf(fields), prediction: null, isExample: false };
}

/** Starts a run of the latest version, or of the version that the address names. */
export function startRun(model: Model, version: string | null, input: Values): Promise<Prediction> {
  const { owner, name } = model;
  if (version === null) {
    return must(api.POST("/v1/models/{owner}/{name}/predictions", { params: { path: { owner, name } }, body: { input } }));
  }
  return must(api.POST("/v1/predictions", { body: { version: `${owner}/${name}:${version}`, input } }));
}
