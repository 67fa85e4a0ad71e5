import type { PageProps } from "../../app.tsx";

export function Explore(_: PageProps) {
  return <h1>Explore</h1>;
}
