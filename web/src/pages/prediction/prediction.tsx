import type { PageProps } from "../../app.tsx";

export function PredictionPage(_: PageProps) {
  return <h1>PredictionPage</h1>;
}
