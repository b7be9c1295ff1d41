// A click on a picture, or Enter, shows it as large as the window; a click or Escape closes it.

function enlarge(image) {
  const dialog = document.createElement("dialog");
  const copy = document.createElement("img");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", image.alt);
  copy.src = image.src.split("#")[0];
  copy.alt = image.alt;
  dialog.append(copy);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    image.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

for (const image of document.querySelectorAll(".md-content img")) {
  if (image.closest("a, button, .animation, dialog") || image.src.endsWith(".svg")) continue;
  image.classList.add("enlargeable");
  image.tabIndex = 0;
  image.setAttribute("role", "button");
  image.setAttribute("aria-label", `Enlarge: ${image.alt}`);
  image.addEventListener("click", () => enlarge(image));
  image.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    enlarge(image);
  });
}
