import type { PageProps } from "../../app.tsx";

export function AccountPage(_: PageProps) {
  return <h1>AccountPage</h1>;
}
