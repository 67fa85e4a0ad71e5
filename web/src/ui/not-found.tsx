import { Empty } from "./states.tsx";

export function NotFound() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be mistyped, or the model may be private. <a href="/explore">Explore the models</a>.
      </p>
    </Empty>
  );
}
