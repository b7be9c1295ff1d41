// New images: files that are dropped or chosen, decoded here at the size that the model takes.

import { h } from "./dom";
import type { DropFacts } from "./facts";

const MAX_FILES = 8;
const WORDS: Record<string, string> = {
  "0-255": "0 to 255", "0-1": "0 to 1", "-1-1": "\u22121 to 1", caffe: "BGR without the mean (caffe)", torch: "normalised (torch)",
};

export interface Picture {
  name: string;
  size: [number, number]; // height and width
  pixels: ArrayBuffer; // red, green, blue and opacity
}

export async function decode(file: File, drop: DropFacts): Promise<Picture> {
  const image = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name} is not an image that the browser can read.`);
  });
  const shrink = Math.min(1, drop.largest / Math.max(image.width, image.height));
  const width = drop.width ?? Math.max(1, Math.round(image.width * shrink));
  const height = drop.height ?? Math.max(1, Math.round(image.height * shrink));
  const canvas = h("canvas", { width, height });
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = "#fff"; // behind what is transparent
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, width, height);
  return { name: file.name, size: [height, width], pixels: pen.getImageData(0, 0, width, height).data.buffer as ArrayBuffer };
}

// The controls, and what hears files that are dropped anywhere on the page.
export function dropTools(root: HTMLElement, drop: DropFacts, add: (picture: Picture, conversion: string) => Promise<void>): HTMLElement {
  const status = h("output", { class: "muted", "aria-live": "polite" }, "or drop one anywhere here");
  const say = (words: string, isWrong = false) => {
    status.textContent = words;
    status.className = isWrong ? "wrong" : "muted";
  };
  const values = h("select", { "aria-label": "Values of new images" }, ...drop.conversions.map((name) => h("option", { value: name }, WORDS[name] ?? name)));
  values.value = drop.conversion;
  const take = async (files: FileList | null | undefined) => {
    for (const file of [...(files ?? [])].slice(0, MAX_FILES)) {
      say(`Reading ${file.name} \u2026`);
      try {
        await add(await decode(file, drop), values.value);
        say(`${file.name}: resized to ${drop.height ?? "its"}\u00d7${drop.width ?? "size"}, values ${WORDS[values.value]}`);
      } catch (error) {
        say(error instanceof Error ? error.message : String(error), true);
      }
    }
  };
  const input = h("input", { type: "file", accept: "image/*", multiple: true, class: "hidden", tabindex: -1, "aria-hidden": "true", change: () => void take(input.files).then(() => (input.value = "")) });
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    root.classList.add("over");
  });
  root.addEventListener("dragleave", () => root.classList.remove("over"));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    root.classList.remove("over");
    void take(event.dataTransfer?.files);
  });
  return h("div", { class: "tools" }, h("button", { type: "button", click: () => input.click() }, "Add an image\u2026"), input,
    h("label", {}, "values ", values), status);
}
