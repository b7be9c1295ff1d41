// Material's dialog for searching has no name that a screen reader could read.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");

// Where a table is wider than the page its long names are broken; if that is not enough, it is
// scrolled, with the keyboard too. On a phone each number has the name of its column (extra.css).
addEventListener("load", () => {
  const isWide = (table) => table.scrollWidth > table.clientWidth;
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    const columns = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent);
    table.classList.toggle("columns", columns.length > 2);
    for (const row of columns.length > 2 ? table.querySelectorAll("tbody tr") : []) {
      [...row.cells].forEach((cell, n) => {
        const isNumber = /^[\d,.\s]+$/.test(cell.textContent);
        if (n || isNumber) cell.setAttribute("data-column", columns[n]);
      });
    }
    if (isWide(table)) table.classList.add("tight");
    if (!isWide(table)) continue;
    table.tabIndex = 0;
    table.setAttribute("role", "group");
    table.setAttribute("aria-label", "A table that scrolls to the side");
  }
});

// An option such as `--top 16` is not torn after its dashes.
for (const code of document.querySelectorAll(".md-typeset :not(pre) > code")) {
  code.classList.toggle("option", /^--\S+( \S+)?$/.test(code.textContent) && code.textContent.length < 25);
}
