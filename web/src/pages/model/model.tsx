import type { PageProps } from "../../app.tsx";

export function ModelPage(_: PageProps) {
  return <h1>ModelPage</h1>;
}
