import { api, ApiError, must } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { Markdown } from "../../../ui/markdown.tsx";
import { Empty, Pending } from "../../../ui/states.tsx";
import type { TabProps } from "../tabs.ts";
import { useIsOwner } from "./use-is-owner.ts";
import "./tabs.css";

/** Null: there is none. */
async function readReadme(owner: string, name: string): Promise<string | null> {
  try {
    const path = { owner, name };
    return await must(api.GET("/v1/models/{owner}/{name}/readme", { params: { path }, parseAs: "text" }));
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.status === 404) return null;
    throw thrown;
  }
}

export function ReadmeTab({ model }: TabProps) {
  const isOwner = useIsOwner(model);
  const readme = useData(async () => ({ text: await readReadme(model.owner, model.name) }), [model.owner, model.name]);
  if (readme.data === null) return <Pending loaded={readme} rows={5} />;
  const { text } = readme.data;
  if (text === null || text.trim() === "") {
    return (
      <Empty title="This model has no readme">
        {isOwner && (
          <p>
            Put a <code>README.md</code> beside <code>cog.yaml</code> and push again.
          </p>
        )}
      </Empty>
    );
  }
  return (
    <div class="model-tab">
      <Markdown text={text} />
    </div>
  );
}
