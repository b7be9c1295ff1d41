// What a reader sees of the page that is open, as numbers.
() => {
  const width = window.innerWidth;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = {};

  const rgba = (color) => {
    if (!known[color]) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known[color] = [r, g, b, a / 255];
    }
    return known[color];
  };
  const over = (top, ground) => ground.map((value, i) => value + (top[i] - value) * top[3]);
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(rgba(getComputedStyle(at).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const opacity = (element) => {
    let product = 1;
    for (let at = element; at; at = at.parentElement) product *= getComputedStyle(at).opacity;
    return product;
  };
  const scrolls = (element) => {
    for (let at = element; at; at = at.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };

  // Each style of text once, with what is written in it first.
  const texts = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, noscript")) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (!box.width || box.right <= 0) continue; // in a drawer that is shut
    const style = getComputedStyle(element);
    const color = [...rgba(style.color)];
    const below = ground(element);
    const shown = opacity(element);
    if (shown < 0.1) continue; // what appears under a mouse alone
    color[3] *= shown;
    const size = parseFloat(style.fontSize);
    const key = [size, style.color, below, shown].join();
    texts[key] ??= { text: text.slice(0, 40), size, contrast: contrast(over(color, below), below) };
  }

  const content = document.querySelector(".md-content");
  return {
    text: content.innerText,
    title: document.querySelector("h1")?.innerText ?? "",
    width: document.documentElement.scrollWidth,
    wide: [...content.querySelectorAll("*")]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .filter((element) => !scrolls(element) || element.matches("td, th")) // code may be scrolled
      .map((element) => element.outerHTML.slice(0, 80)),
    images: [...document.images].map((image) => ({
      source: image.src.slice(0, 200),
      loaded: image.complete && image.naturalWidth > 0,
      described: image.hasAttribute("alt"),
      width: image.getBoundingClientRect().width,
      visible: image.checkVisibility(),
      enlarged: image.getBoundingClientRect().width / image.naturalWidth,
      ground: luminance(ground(image)),
      isForDark: image.src.endsWith("#only-dark") || image.closest(".on-dark") !== null,
    })),
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
    anchors: [...document.querySelectorAll("[id]")].map((element) => element.id),
    code: content.querySelectorAll(".highlight pre > code").length,
    copyable: content.querySelectorAll(".highlight :is(.md-clipboard, [data-md-type=copy])").length,
    texts: Object.values(texts),
  };
}
