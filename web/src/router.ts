/**
 * Addresses of pages. The address is the only state that outlives a reload: pages keep tabs, filters
 * and cursors in it, so that links, the back button and a reload agree.
 */
import { useEffect, useState } from "preact/hooks";

export interface Route<Page> {
  pattern: string;
  page: Page;
}

export interface Match<Page> {
  page: Page;
  params: Record<string, string>;
}

function matchPattern(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/").filter(Boolean);
  const given = path.split("/").filter(Boolean);
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, piece] of wanted.entries()) {
    const value = given[i] ?? "";
    if (piece.startsWith(":")) {
      try {
        params[piece.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (piece !== value) {
      return null;
    }
  }
  return params;
}

/** The first route that fits, in the order of the table. */
export function findRoute<Page>(routes: readonly Route<Page>[], path: string): Match<Page> | null {
  for (const route of routes) {
    const params = matchPattern(route.pattern, path);
    if (params !== null) return { page: route.page, params };
  }
  return null;
}

const listeners = new Set<() => void>();

function announce(): void {
  for (const listener of listeners) listener();
}

let isFromHistory = false;

/** Whether the address came with the back or forward button, so that a page should be as it was left. */
export function cameBack(): boolean {
  return isFromHistory;
}

/** Goes to an address of this page. `replace` for what is not a step back, such as a filter. */
export function navigate(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search + location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  if (!replace) window.scrollTo(0, 0);
  isFromHistory = false;
  announce();
}

/** Sets or removes query parameters of the current address. */
export function setQuery(changes: Record<string, string | null>, { replace = true } = {}): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(location.pathname + (text === "" ? "" : `?${text}`), { replace });
}

export interface Place {
  path: string;
  query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const update = () => setPlace(here());
    listeners.add(update);
    update();
    return () => {
      listeners.delete(update);
    };
  }, []);
  return place;
}

/** Links stay plain: those within the page are followed without a load. */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null || link.target !== "" || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !isPage(link.pathname)) return;
  if (link.hash !== "" && link.pathname === location.pathname) return;
  event.preventDefault();
  navigate(link.pathname + link.search + link.hash);
}

/** The rest of this origin is the API's and the files'. */
function isPage(path: string): boolean {
  return !/^\/(v1|v2|-|openai|mcp|openapi\.json|llms\.txt)(\/|$)/.test(path) && !path.endsWith("/llms.txt");
}

export function startRouter(): void {
  document.addEventListener("click", followLink);
  window.addEventListener("popstate", () => {
    isFromHistory = true;
    announce();
  });
}
