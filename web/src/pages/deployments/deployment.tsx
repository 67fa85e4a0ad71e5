import type { PageProps } from "../../app.tsx";

export function DeploymentPage(_: PageProps) {
  return <h1>DeploymentPage</h1>;
}
