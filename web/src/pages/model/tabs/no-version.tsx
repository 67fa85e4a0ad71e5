import type { Schemas } from "../../../api/client.ts";
import { Empty } from "../../../ui/states.tsx";

export function NoVersion({ model }: { model: Schemas["Model"] }) {
  return (
    <Empty title="This model has no version yet">
      <p>
        Push one: <code>{`vend push FOLDER ${model.owner}/${model.name}`}</code>
      </p>
    </Empty>
  );
}
