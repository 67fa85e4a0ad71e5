import type { PageProps } from "../../app.tsx";

export function CollectionPage(_: PageProps) {
  return <h1>CollectionPage</h1>;
}
