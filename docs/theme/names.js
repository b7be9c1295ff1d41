// Material's dialog for searching has no name that a screen reader could read.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");

// Where a table is wider than the page its long names are broken; if that is not enough, it is
// scrolled, with the keyboard too.
addEventListener("load", () => {
  const isWide = (table) => table.scrollWidth > table.clientWidth;
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (isWide(table)) table.classList.add("tight");
    if (!isWide(table)) continue;
    table.tabIndex = 0;
    table.setAttribute("role", "group");
    table.setAttribute("aria-label", "A table that scrolls to the side");
  }
});
