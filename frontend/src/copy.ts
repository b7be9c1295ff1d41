// "Copy the code": what draws the same picture in Python.

import { h } from "./dom";

// JSON's text is Python's text too. What cannot be seen, or turns letters around, is spelt out.
export function literal(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, (x) => "\\u" + x.charCodeAt(0).toString(16).padStart(4, "0"));
}

async function put(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function codeButton(code: string): HTMLElement {
  const button = h("button", {
    type: "button",
    class: "copy",
    title: code,
    "data-code": code,
    click: async () => {
      await put(code);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy the code"), 1500);
    },
  }, "Copy the code");
  return button;
}
