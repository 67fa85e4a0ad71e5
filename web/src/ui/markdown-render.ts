/** Markdown of other people as elements that can do no harm. */
import createPurifier from "dompurify";
import { Marked } from "marked";
import { allowedAttributes, allowedHtml, allowedTags } from "./markdown-html.ts";
import { isOwn } from "./own-files.ts";

const marked = new Marked({ gfm: true, renderer: { html: ({ text }) => allowedHtml(text) } });
const purifier = createPurifier(window);

/** Of headings and of links to them; no id of a readme is one of the page's own. */
const PREFIX = "readme-";

function slug(text: string): string {
  const words = text.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, "");
  return PREFIX + words.trim().replace(/\s+/g, "-");
}

export function renderMarkdown(text: string): DocumentFragment {
  const html = marked.parse(text, { async: false });
  const fragment = purifier.sanitize(html, {
    ALLOWED_TAGS: [...allowedTags],
    ALLOWED_ATTR: [...allowedAttributes],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  fragment.querySelectorAll("h1, h2, h3, h4, h5, h6").forEach(mendHeading);
  fragment.querySelectorAll("input").forEach(mendInput);
  fragment.querySelectorAll("a").forEach(mendLink);
  fragment.querySelectorAll("img").forEach(mendImage);
  fragment.querySelectorAll("pre, table").forEach(mendWide);
  return fragment;
}

/** The page has a title of its own: headings begin one level lower. */
function mendHeading(heading: Element): void {
  const level = Math.min(Number(heading.tagName[1]) + 1, 6);
  const lower = document.createElement(`h${level}`);
  lower.id = slug(heading.textContent ?? "");
  lower.append(...heading.childNodes);
  heading.replaceWith(lower);
}

/** Task lists have check boxes, and nothing else is asked. */
function mendInput(input: HTMLInputElement): void {
  if (input.type !== "checkbox") {
    input.remove();
    return;
  }
  input.disabled = true;
  input.setAttribute("aria-label", input.checked ? "Done" : "Not done");
}

function mendLink(link: HTMLAnchorElement): void {
  const href = link.getAttribute("href") ?? "";
  if (href.startsWith("#")) {
    link.setAttribute("href", `#${slug(decode(href.slice(1)))}`);
    return;
  }
  // A relative link names a file of the source, which is not here.
  if (!/^(https?:\/\/|mailto:)/i.test(href)) {
    link.removeAttribute("href");
    return;
  }
  if (isOwn(href)) return;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Pictures of other hosts are shown when somebody asks for them. */
function mendImage(image: HTMLImageElement): void {
  const src = image.getAttribute("src") ?? "";
  const alt = image.getAttribute("alt") ?? "";
  image.loading = "lazy";
  if (/^(https?:\/\/|data:image\/)/i.test(src) && isOwn(src)) return;
  if (!/^https?:\/\//i.test(src) || !URL.canParse(src)) {
    image.replaceWith(alt);
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-small markdown-picture";
  button.textContent = `Load the picture${alt === "" ? "" : ` “${alt}”`} from ${new URL(src).host}`;
  // Within a link the click is for the picture.
  button.addEventListener("click", (event) => {
    event.preventDefault();
    button.replaceWith(image);
  });
  image.referrerPolicy = "no-referrer";
  image.replaceWith(button);
}

/** What may be wider than the page is scrolled, with the keyboard too. */
function mendWide(element: Element): void {
  const frame = document.createElement("div");
  frame.className = "markdown-wide";
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", element.tagName === "PRE" ? "Code" : "Table");
  element.replaceWith(frame);
  frame.append(element);
}
