// What takes a moment: a word in its place, then itself; and what waits until somebody sees it.

import { h } from "./dom";
import { layFresh } from "./tiles";

const AHEAD = "400px";

export function later(words: string, made: Promise<Node | null>): HTMLElement {
  const holder = h("div", { class: "later", role: "status" }, h("p", { class: "muted" }, words));
  made.then(
    (node) => {
      if (node) holder.replaceWith(node);
      else holder.remove();
      layFresh();
    },
    (error: unknown) => holder.replaceChildren(h("p", { class: "wrong", role: "alert" }, error instanceof Error ? error.message : String(error))));
  return holder;
}

// Wait for what is there in a moment, so that nothing moves while it is read.
export async function settle(parts: Promise<unknown>[], patience: number): Promise<void> {
  await Promise.race([Promise.allSettled(parts), new Promise((resolve) => setTimeout(resolve, patience))]);
}

// Calls each action once, when its element comes near what is seen, or when the page is printed.
export class Watch {
  private readonly waiting = new Map<Element, () => void>();
  private readonly observer = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) this.act(entry.target);
  }, { rootMargin: AHEAD });

  constructor() {
    addEventListener("beforeprint", () => [...this.waiting.keys()].forEach((element) => this.act(element)));
  }

  add(element: Element, action: () => void): void {
    this.waiting.set(element, action);
    this.observer.observe(element);
  }

  private act(element: Element): void {
    const action = this.waiting.get(element);
    this.waiting.delete(element);
    this.observer.unobserve(element);
    action?.();
  }

  clear(): void {
    this.observer.disconnect();
    this.waiting.clear();
  }
}
