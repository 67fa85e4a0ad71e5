import { SignIn } from "./sign-in.tsx";

export function SignInPage() {
  return <SignIn onDone={() => location.assign("/explore")} />;
}
