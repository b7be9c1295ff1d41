// The page in a notebook, for anywidget: the same views, whose values come from the kernel.

import { h } from "./dom";
import { dropTools, type Picture } from "./drop";
import type { Facts } from "./facts";
import { Connection, KernelSource, type WidgetModel } from "./kernel";
import { later } from "./later";
import style from "./page.css";
import { Page } from "./page";
import { sampleHash, type Navigation } from "./route";
import { takePicture } from "./still";
import { followGround } from "./theme";

const VIEW = "view";
const QUIET = 1200; // a view is kept as a picture when nothing moved for so long

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const host = h("div", { class: "kerasviz-explore" });
  const shadow = host.attachShadow({ mode: "open" });
  el.append(host);
  const connection = new Connection(model);
  const unfollow = followGround(host);
  const unkey = keepKeys(host);
  const unhide = hideStill(model);
  let close = () => {};
  const start = () => {
    close();
    const root = h("div", { class: "page widget" });
    shadow.replaceChildren(h("style", {}, style), root);
    close = open(root, host, connection, model);
  };
  const hear = (message: Record<string, unknown>) => {
    if (message["event"] === "inputs") start();
  };
  const end = () => connection.close();
  model.on("msg:custom", hear);
  model.on("comm_live_update", end);
  start();
  return () => {
    model.off("msg:custom", hear);
    model.off("comm_live_update", end);
    for (const stop of [close, unfollow, unkey, unhide, () => connection.stop()]) stop();
  };
}

// Ask for the facts of the inputs that the kernel has now, and draw the page of them.
function open(root: HTMLElement, host: HTMLElement, connection: Connection, model: WidgetModel): () => void {
  let unlisten = () => {};
  const navigation: Navigation = {
    read: () => String(model.get(VIEW) ?? ""),
    go: (hash) => navigate(model, hash),
    listen: (change) => {
      model.on(`change:${VIEW}`, change);
      unlisten = () => model.off(`change:${VIEW}`, change);
    },
    toTop: () => root.scrollTo(0, 0),
    takesFocus: () => root.matches(":focus-within"),
  };
  const draw = async () => {
    const reply = await connection.ask("facts");
    const facts = reply.facts as unknown as Facts;
    const source = new KernelSource(connection, facts);
    source.keep(facts.pictures, reply.block);
    const add = async (picture: Picture, conversion: string) => {
      const { name, size, pixels } = picture;
      const { facts: added, block } = await connection.ask("drop", { name, size, conversion }, [pixels]);
      source.keep(added["pictures"], block);
      facts.samples = added["samples"];
      facts.total = added["total"];
      navigate(model, sampleHash(added["index"]));
    };
    new Page(root, facts, source, navigation, facts.drop ? dropTools(root, facts.drop, add) : null).start(root);
    return null;
  };
  root.append(later("Reading the model \u2026", draw()));
  followLinks(root, model);
  const unkeep = keepStill(root, host, connection);
  return () => {
    unlisten();
    unkeep();
  };
}

function navigate(model: WidgetModel, hash: string): void {
  model.set(VIEW, hash.slice(1));
  model.save_changes();
}

// A link of the page changes what the widget shows, and not the address of the notebook.
function followLinks(root: HTMLElement, model: WidgetModel): void {
  root.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a");
    const hash = link?.getAttribute("href");
    if (!hash?.startsWith("#") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    navigate(model, hash);
  });
}

// A letter that is pressed in the page is not a command of the notebook; with Ctrl, as to save, it is.
function keepKeys(host: HTMLElement): () => void {
  const hear = (event: KeyboardEvent) => host.toggleAttribute("data-lm-suppress-shortcuts", !event.ctrlKey && !event.metaKey);
  // Jupyter listens at the document, before the page itself does.
  window.addEventListener("keydown", hear, { capture: true });
  return () => window.removeEventListener("keydown", hear, { capture: true });
}

// The picture that the notebook keeps is not shown beside the page itself.
function hideStill(model: WidgetModel): () => void {
  const sheet = h("style", {}, `.kerasviz-still-${String(model.get("_key"))} { display: none; }`);
  document.head.append(sheet);
  return () => sheet.remove();
}

function keepStill(root: HTMLElement, host: HTMLElement, connection: Connection): () => void {
  let timer = 0;
  const observer = new MutationObserver(() => {
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      const view = root.querySelector("main");
      if (!view || !connection.isAlive || !host.isConnected) return;
      const blob = await takePicture(view, host.dataset["theme"] ?? "light");
      if (blob) connection.tell("still", {}, [await blob.arrayBuffer()]);
    }, QUIET);
  });
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    clearTimeout(timer);
    observer.disconnect();
  };
}

export default { render };
