import type { PageProps } from "../../app.tsx";

export function Deployments(_: PageProps) {
  return <h1>Deployments</h1>;
}
