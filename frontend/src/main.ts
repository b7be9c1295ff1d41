// The page of a report: facts and values are in the document, and its address is what is looked at.

import { readFacts } from "./facts";
import { Page } from "./page";
import type { Navigation } from "./route";
import { DocumentSource } from "./source";
import { followSystem } from "./theme";

const navigation: Navigation = {
  read: () => location.hash.slice(1),
  go: (hash) => {
    location.hash = hash;
  },
  listen: (change) => addEventListener("hashchange", change),
  toTop: () => scrollTo(0, 0),
  takesFocus: () => true,
};

followSystem();
const facts = readFacts();
const root = document.getElementById("page")!;
root.classList.add("page");
new Page(root, facts, new DocumentSource(facts), navigation).start(window);
