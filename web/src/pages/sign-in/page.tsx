import type { PageProps } from "../../app.tsx";
import { SignIn } from "./sign-in.tsx";

const USED = "The link was used already, or is older than ten minutes. Run vend login once more, or paste a token.";

export function SignInPage({ query }: PageProps) {
  return <SignIn onDone={() => location.assign("/explore")} hint={query.get("link") === "used" ? USED : undefined} />;
}
