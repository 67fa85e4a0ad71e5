import type { PageProps } from "../../app.tsx";

export function Predictions(_: PageProps) {
  return <h1>Predictions</h1>;
}

export function Trainings(_: PageProps) {
  return <h1>Trainings</h1>;
}
