import type { PageProps } from "../../app.tsx";

export function Operate(_: PageProps) {
  return <h1>Operate</h1>;
}
