// The view as a picture, which a notebook keeps for when no kernel is there.

import style from "./page.css";

const WIDTH = 860;
const MAX_HEIGHT = 1400;

// The view is copied with its canvases as images, and drawn by the browser from an SVG around it.
export async function takePicture(view: HTMLElement, theme: string): Promise<Blob | null> {
  const copy = view.cloneNode(true) as HTMLElement;
  const canvases = [...view.querySelectorAll("canvas")];
  copy.querySelectorAll("canvas").forEach((canvas, i) => {
    const image = document.createElement("img");
    const box = canvases[i]!.getBoundingClientRect();
    image.src = canvases[i]!.toDataURL();
    image.width = box.width;
    image.height = box.height;
    canvas.replaceWith(image);
  });
  copy.querySelectorAll(".copy, .controls, .readout, .hidden").forEach((element) => element.remove());
  const height = Math.max(120, Math.min(MAX_HEIGHT, Math.round(view.scrollHeight)));
  const page = document.createElement("div");
  page.className = "page";
  page.setAttribute("style", `color-scheme: ${theme}; height: ${height}px; padding: 12px; overflow: hidden`);
  page.append(sheet(), copy);
  const text = new XMLSerializer().serializeToString(page);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}"><foreignObject width="100%" height="100%">${text}</foreignObject></svg>`)}`;
  try {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = height;
    canvas.getContext("2d")!.drawImage(image, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  } catch {
    return null; // a browser that does not let a page be read again
  }
}

function sheet(): HTMLElement {
  const element = document.createElement("style");
  element.textContent = style;
  return element;
}
