import type { ComponentChildren } from "preact";
import { signOut } from "../api/session.ts";
import { useMay, useSession } from "../session.tsx";
import { useOnline } from "./online.ts";
import { ThemeSwitch } from "./theme.tsx";
import "./layout.css";

interface Props {
  path: string;
  /** The server has a newer page. */
  isOld: boolean;
  children: ComponentChildren;
}

function NavLink({ to, path, children }: { to: string; path: string; children: string }) {
  const isHere = path === to || path.startsWith(`${to}/`) || (to === "/explore" && path === "/");
  return (
    <a href={to} aria-current={isHere ? "page" : undefined}>
      {children}
    </a>
  );
}

export function Layout({ path, isOld, children }: Props) {
  const session = useSession();
  const isOnline = useOnline();
  const isAdmin = useMay("admin");
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/explore">
          <img src="/icon.svg" alt="" width="24" height="24" />
          Vend
        </a>
        <nav aria-label="Pages">
          <NavLink to="/explore" path={path}>Explore</NavLink>
          {session !== null && <NavLink to="/predictions" path={path}>Predictions</NavLink>}
          {session !== null && <NavLink to="/trainings" path={path}>Trainings</NavLink>}
          {session !== null && <NavLink to="/deployments" path={path}>Deployments</NavLink>}
          {isAdmin && <NavLink to="/operate" path={path}>Operate</NavLink>}
        </nav>
        <div class="row">
          <ThemeSwitch />
          {session === null ? (
            <a class="button button-small" href="/sign-in">Sign in</a>
          ) : (
            <>
              <a href="/account" class="button button-small">
                <img src={`/-/avatars/${session.username}.svg`} alt="" width="16" height="16" />
                {session.username}
              </a>
              <button type="button" class="button button-small button-plain" onClick={() => void signOut()}>
                Sign out
              </button>
            </>
          )}
        </div>
      </header>
      {isOld && (
        <p class="notice" role="status">
          The server was upgraded.{" "}
          <button type="button" class="button button-small" onClick={() => location.reload()}>
            Load the new page
          </button>
        </p>
      )}
      {!isOnline && (
        <p class="notice notice-bad" role="alert">
          The server does not answer. This page goes on by itself when it is back.
        </p>
      )}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
