/**
 * Puts text on the page. Whatever comes from the daemon, and through it from the enclave, gets there by `textContent` alone: here is no way
 * by which it could become markup, and the content security policy allows none. What did not change is not touched, so that focus,
 * selection and the place where somebody reads stay.
 *
 * @import { Cell, Pair, Part, Row } from './cells.js'
 */

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`the page has no element ${id}`);
  return found;
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {HTMLElement} element
 * @param {Part} part
 */
function setPart(element, { text, kind = '', runbook }) {
  if (element.className !== kind) element.className = kind;
  if (runbook === undefined) {
    setText(element, text);
    return;
  }
  let link = element.firstElementChild;
  if (!(link instanceof HTMLAnchorElement)) {
    link = document.createElement('a');
    element.replaceChildren(link);
  }
  setText(link, text);
  const path = `/runbooks/${encodeURIComponent(runbook)}`;
  if (link.getAttribute('href') !== path) link.setAttribute('href', path);
}

/**
 * @param {HTMLElement} element
 * @param {Cell} cell
 */
function setCell(element, cell) {
  if (typeof cell === 'string') setPart(element, { text: cell });
  else if ('text' in cell) setPart(element, cell);
  else {
    while (element.children.length > cell.length) element.lastElementChild?.remove();
    while (element.children.length < cell.length) element.append(document.createElement('span'));
    cell.forEach((part, index) => {
      const place = element.children[index];
      if (place instanceof HTMLElement) setPart(place, { ...part, kind: `part ${part.kind ?? ''}` });
    });
  }
}

/**
 * @param {string} key
 * @param {number} cells
 */
function createRow(key, cells) {
  const row = document.createElement('tr');
  row.dataset['key'] = key;
  for (let index = 0; index < cells; index += 1) {
    const cell = document.createElement(index === 0 ? 'th' : 'td');
    if (index === 0) cell.setAttribute('scope', 'row');
    row.append(cell);
  }
  return row;
}

/** @param {string} text @param {number} columns */
function createEmptyRow(text, columns) {
  const row = document.createElement('tr');
  const cell = document.createElement('td');
  cell.colSpan = columns;
  cell.className = 'quiet';
  cell.textContent = text;
  row.append(cell);
  return row;
}

/**
 * @param {HTMLTableSectionElement} body
 * @param {readonly Row[]} rows
 * @param {string} ifNone
 */
export function fillRows(body, rows, ifNone) {
  const known = new Map([...body.rows].map((row) => [row.dataset['key'], row]));
  if (rows.length === 0) {
    const [only] = body.rows;
    if (only === undefined || only.dataset['key'] !== undefined || only.textContent !== ifNone) {
      const columns = body.parentElement?.querySelectorAll('thead th').length ?? 1;
      body.replaceChildren(createEmptyRow(ifNone, columns));
    }
    return;
  }
  rows.forEach(({ key, cells }, index) => {
    const row = known.get(key) ?? createRow(key, cells.length);
    known.delete(key);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
    cells.forEach((cell, column) => {
      const element = row.cells[column];
      if (element !== undefined) setCell(element, cell);
    });
  });
  while (body.rows.length > rows.length) body.deleteRow(-1);
}

/**
 * @param {HTMLElement} list a `dl`
 * @param {readonly Pair[]} pairs
 */
export function fillPairs(list, pairs) {
  while (list.children.length > 2 * pairs.length) list.lastElementChild?.remove();
  while (list.children.length < 2 * pairs.length)
    list.append(document.createElement(list.children.length % 2 === 0 ? 'dt' : 'dd'));
  pairs.forEach(([label, cell], index) => {
    const [term, value] = [list.children[2 * index], list.children[2 * index + 1]];
    if (term !== undefined) setText(term, label);
    if (value instanceof HTMLElement) setCell(value, cell);
  });
}

/** What can be scrolled can be scrolled by keyboard, and says what it is; what cannot is no stop on the way. */
export function markScrollers() {
  for (const scroller of document.querySelectorAll('.scroll')) {
    if (!(scroller instanceof HTMLElement)) continue;
    const overflows = scroller.scrollWidth > scroller.clientWidth || scroller.scrollHeight > scroller.clientHeight;
    if (overflows === scroller.hasAttribute('tabindex')) continue;
    if (overflows) {
      scroller.tabIndex = 0;
      scroller.setAttribute('role', 'region');
      scroller.setAttribute('aria-label', `${scroller.querySelector('caption')?.textContent ?? ''}, scrollable`);
    } else for (const name of ['tabindex', 'role', 'aria-label']) scroller.removeAttribute(name);
  }
}
