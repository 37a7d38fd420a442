/**
 * What stands in one place of the page: plain texts, with the class of page.css that says how they look.
 *
 * @typedef {{ readonly text: string, readonly kind?: string, readonly runbook?: string }} Part
 * @typedef {string | Part | readonly Part[]} Cell several parts stand below each other
 * @typedef {{ readonly key: string, readonly cells: readonly Cell[] }} Row
 * @typedef {readonly [label: string, value: Cell]} Pair
 */
import { count } from './words.js';

export const NOT_TOLD = 'not known: the enclave has not told, or is silent';

/** @param {number} value @returns {Cell} */
export const figure = (value) => ({ text: count(value), kind: value === 0 ? 'number quiet' : 'number' });
/** @param {number} value of what should not be @returns {Cell} */
export const fault = (value) => ({ text: count(value), kind: value === 0 ? 'number quiet' : 'number warn' });
/** @param {string} text @returns {Cell} */
export const quiet = (text) => ({ text, kind: 'quiet' });
/** @param {string | null} text @param {string} [kind] @returns {Cell} */
export const orNone = (text, kind) => (text === null ? quiet('none') : kind === undefined ? text : { text, kind });
/** @param {{ readonly code: string | null, readonly message: string } | null} reason */
export const explained = (reason) =>
  reason === null ? '' : [reason.code, reason.message].filter((part) => part).join(': ');
