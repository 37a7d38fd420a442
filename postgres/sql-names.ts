/** How names and texts are written in SQL (PostgreSQL 18, "Lexical Structure"). */

/** In quotes whether it needs them or not: which names do depends on the server's release. */
export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Whether PostgreSQL may write the name so: in quotes only where it needs them. */
export const isWrittenAs = (name: string, text: string) => text === name || text === identifier(name);

/** Whatever `standard_conforming_strings` and the text are. */
export const literal = (text: string) => {
  const inQuotes = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${inQuotes}` : inQuotes;
};
