// Scores of search results. The numbers below are the defaults of Sphinx, which needs a `var`.
var Scorer = {
  score: (result) => {
    const [page, title, anchor, , score, , kind] = result;
    // Index entries of the catalogue are names, and point to the entry of a schedule.
    if (page === "docs/catalogue" && kind === "index") result[1] = `${title} > ${anchor.slice(1).replaceAll("-", "_")}`;
    if (page === "docs/getting_started" || page === "docs/catalogue") return score + 9;
    if (/^docs.moving.(optax|torch|transformers)$/.test(page)) return score + 5;
    if (/^(benchmarks|conformance)/.test(page)) return score - 12;
    return score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
