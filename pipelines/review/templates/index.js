"use strict";
// A click on a column's head sorts by it; a second one the other way round.
const body = document.querySelector("tbody");
document.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
  const direction = head.dataset.direction === "1" ? -1 : 1;
  head.dataset.direction = direction;
  const value = (row) => row.cells[column].textContent;
  const order = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  body.append(...[...body.rows].sort((a, b) => direction * order(a, b)));
}));
