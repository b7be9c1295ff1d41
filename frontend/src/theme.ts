// Whether the ground is dark: the system says so, or in a notebook the notebook's own colours.

const changes = new EventTarget();

export function onTheme(element: Element, redraw: () => void): void {
  const listener = () => {
    if (element.isConnected) redraw();
    else changes.removeEventListener("change", listener);
  };
  changes.addEventListener("change", listener);
}

const notify = () => changes.dispatchEvent(new Event("change"));

export function followSystem(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", notify);
}

// Paper is white, whatever the screen is.
let isOnPaper = false;
for (const [name, isBefore] of [["beforeprint", true], ["afterprint", false]] as const) {
  addEventListener(name, () => {
    isOnPaper = isBefore;
    notify();
  });
}

// The colour of letters that are drawn into a picture.
export function inkOf(element: Element): string {
  return isOnPaper ? "#000" : getComputedStyle(element).color;
}

// Set `data-theme` of a host by the colour behind it, which no notebook names in the same way.
export function followGround(host: HTMLElement): () => void {
  const read = () => {
    const theme = isDark(host.parentElement) ? "dark" : "light";
    if (host.dataset["theme"] === theme) return;
    host.dataset["theme"] = theme;
    notify();
  };
  const observer = new MutationObserver(() => setTimeout(read, 50));
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", read);
  requestAnimationFrame(read);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", read);
  };
}

function isDark(element: Element | null): boolean {
  for (let ground = element; ground; ground = ground.parentElement) {
    const [red = 0, green = 0, blue = 0, opacity = 1] = (getComputedStyle(ground).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (opacity > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches && getComputedStyle(document.documentElement).colorScheme.includes("dark");
}
