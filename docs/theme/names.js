// Material's dialog for searching has no name that a screen reader could read.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");
