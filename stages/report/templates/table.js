"use strict";
const table = document.getElementById("clips"), body = table.tBodies[0];
const text = document.getElementById("search"), verdict = document.getElementById("verdict");
const count = document.getElementById("count");
const key = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
function sort(header) {
  const column = header.cellIndex, down = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const number = header.classList.contains("number"), way = down ? -1 : 1;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [key(a, column), key(b, column)];
    if (x === "" || y === "") return (x === "") - (y === "");
    return way * (number ? x - y : x.localeCompare(y));
  });
  body.append(...rows);
}
function filter() {
  const wanted = text.value.toLowerCase();
  let shown = 0;
  for (const row of body.rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted)
      || (verdict.value !== "" && row.dataset.verdict !== verdict.value);
    shown += !row.hidden;
  }
  count.textContent = `${shown} of ${body.rows.length} clips`;
}
for (const button of table.querySelectorAll("th button"))
  button.addEventListener("click", () => sort(button.closest("th")));
text.addEventListener("input", filter);
verdict.addEventListener("change", filter);
filter();
